"""Search in all papers ever stored: an index of the database's own, asked in the interest language."""
