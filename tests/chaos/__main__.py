"""`make chaos`: the full run, each number printed. SEED=... repeats a run's dice, not its timing."""

from __future__ import annotations

import argparse
import random

import tests.plugin  # noqa: F401  forgets the settings of this shell
from tests.chaos.run import play

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--mails", type=int, default=2000)
parser.add_argument("--kills", type=int, default=30)
parser.add_argument("--seed", type=int, default=random.randrange(10**6))
parser.add_argument("--patience", type=float, default=900, help="seconds")
options = parser.parse_args()
print(f"seed {options.seed}: {options.mails} mails, {options.kills} kills", flush=True)
figures = play(options.mails, options.kills, options.seed, options.patience)
print(*figures.lines(), sep="\n")
figures.check()
print("Nothing was lost, and no more doubled than promised.")
