"""Real processes that read the same page at the same moment."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stack import Stack

PROCESSES = 4


def test_the_same_page_read_by_four_processes_is_stored_once(tmp_path: Path) -> None:
    rows = [{"paper": {"id": f"2603.{number:05}", "title": f"Paper {number}", "upvotes": 1}} for number in range(400)]
    page = tmp_path / "page.json"
    page.write_text(json.dumps(rows), encoding="utf-8")
    stack = Stack(tmp_path)
    stack.manage("migrate", "-v0")
    running = [stack.start("manage.py", "ingest", "--file", str(page)) for _ in range(PROCESSES)]
    assert [process.wait(120) for process in running] == [0] * PROCESSES, stack.log.read_text()
    count = "from digest.models import *; print(*(m.objects.count() for m in (Paper, Listing, UpvoteObservation)))"
    assert stack.shell(count).split() == ["400"] * 3
    said = [line for line in stack.log.read_text().splitlines() if "INFO" not in line]
    assert sum("400 new papers" in line for line in said) == 1
    assert sum("nothing new" in line for line in said) == PROCESSES - 1
