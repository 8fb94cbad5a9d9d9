"""Celery as a process whose clock leaps: `python -m tests.chaos.leaping OFFSET_FILE celery-arguments...`.

Seconds in the file are added to what the tasks take for now.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from celery.__main__ import main
from django.utils import timezone


def leap(file: Path) -> None:
    true_now = timezone.now

    def now() -> dt.datetime:
        return true_now() + dt.timedelta(seconds=float(file.read_text() or 0))

    timezone.now = now


if __name__ == "__main__":
    leap(Path(sys.argv.pop(1)))
    main()
