"""A process that only loads what readers want and picks for them, to see what memory that takes.

Prints its peak in bytes: the interpreter, numpy and scipy, the hits, the readers' interests and all their picks.
Picking is pure, and is read here without the package it lies in, which would bring Django and the models along.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

from bench.measure import peak

_FILE = Path(__file__).resolve().parent.parent / "digest" / "selecting" / "picking.py"
_spec = importlib.util.spec_from_file_location("picking", _FILE)
assert _spec
assert _spec.loader
picking = sys.modules["picking"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(picking)

with np.load(sys.argv[1]) as held:
    hits = picking.Hits(picking.Rows(held["ends"], held["papers"]), held["points"])
    wanted, trend = picking.Rows(held["wanted_ends"], held["wanted"]), held["trend"]
picks = picking.pick(wanted, hits, trend)
print(peak())
