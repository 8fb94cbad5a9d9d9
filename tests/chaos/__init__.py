"""Delivery with real processes that die at random: what must hold whatever happens is counted and asserted."""
