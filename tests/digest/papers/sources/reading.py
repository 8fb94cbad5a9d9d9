"""Read every file under a folder in this one process, and print what each came to, as JSON.

Run as `python -m tests.digest.papers.sources.reading FOLDER`: a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from digest.papers.sources import kinds
from digest.papers.sources.parsed import SourceError

SMALL = b"<rss version='2.0'><channel><item><title>Kettles</title></item></channel></rss>"


def peak() -> int:
    """The most memory this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def outcome(page: bytes, kind: str | None) -> str:
    try:
        return "papers" if kinds.parse(page, kind).listings else "an edition without papers"
    except SourceError as error:
        return "error" if str(error) and "\n" not in str(error) else f"an error of no or many lines: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main(folder: Path) -> None:
    kinds.parse(SMALL)  # everything is imported now
    before, rows = peak(), []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        page = path.read_bytes()
        for kind in (None, *kinds.PARSERS):
            started = time.process_time()
            result = outcome(page, kind)
            rows.append((str(path.relative_to(folder)), kind, result, time.process_time() - started))
    json.dump({"rows": rows, "grown": peak() - before}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
