"""Whether the ranking is good: judged sets, today's usual methods beside ours, and how sure the difference is."""
