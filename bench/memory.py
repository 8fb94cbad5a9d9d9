"""A process that only loads what readers want and picks for them, to see what memory that takes.

Prints its peak in bytes: the interpreter, numpy and scipy, the hits, the readers' interests and all their picks.
"""

from __future__ import annotations

import sys

import numpy as np

from bench.measure import peak
from digest.selecting.picking import Hits, Rows, pick

with np.load(sys.argv[1]) as held:
    hits = Hits(Rows(held["ends"], held["papers"]), held["points"])
    wanted, trend = Rows(held["wanted_ends"], held["wanted"]), held["trend"]
picks = pick(wanted, hits, trend)
print(peak())
