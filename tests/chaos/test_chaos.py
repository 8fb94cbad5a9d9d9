"""Whatever dies, every mail arrives. The full run, with 2,000 mails and 30 kills, is `make chaos`."""

from __future__ import annotations

import os
import random

import pytest

from tests.chaos.run import play

pytestmark = pytest.mark.processes


def test_every_mail_arrives_whatever_dies(capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
    figures = play(mails=300, kills=8, seed=seed, patience=180)
    with capsys.disabled():
        print("", *figures.lines(), sep="\n")
    figures.check()
