"""Deleting what is no longer needed: `rules` says what and why, `pruning` does it, `batches` a batch at a time."""
