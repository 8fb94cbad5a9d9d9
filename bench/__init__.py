"""Benchmarks: each case beside a peer or a limit in the same run, as ratios. `make bench` runs them."""
