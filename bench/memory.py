"""A process that only picks, to see what memory that takes. It reads hits that `bench.picking` made."""

from __future__ import annotations

import sys

import numpy as np

from bench.corpus import readers
from bench.measure import peak
from digest.picking import Hits, Rows, pick

hits_file, count = sys.argv[1], int(sys.argv[2])
with np.load(hits_file) as held:
    hits = Hits(Rows(held["ends"], held["papers"]), held["points"])
    trend, popular = held["trend"], held["popular"]
wanted = readers(count, popular)
pick(wanted, hits, trend)
print(peak())
