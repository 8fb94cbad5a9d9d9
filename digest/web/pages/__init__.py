"""Pages for readers and visitors: each module answers the addresses its name tells."""
