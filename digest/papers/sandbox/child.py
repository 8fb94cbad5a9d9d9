"""The sandbox's own process: reads requests from stdin and answers on stdout, a line of JSON each.

A request is a line of JSON (`call`, its arguments, `seconds`, `size`) and then the page. The process limits itself
before it sees a page, has none of the service's environment, and ends when nothing was asked of it for a while.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from digest.papers.sandbox import messages
from digest.papers.sources import feed_links, kinds
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import unpacked

MEMORY = 1_000_000_000  # bytes of address space
IDLE = 60.0  # seconds
LARGE = 300_000_000  # bytes; a larger process does not wait for the next page


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    _limit()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what a library prints is no answer
    os.dup2(nowhere, 2)  # and may be a file, which cannot be written any more
    while line := _next_line(requests):
        request = json.loads(line)
        page = requests.read(request["size"])
        _limit_time(request["seconds"])
        answers.write(answer_to(request, page))
        answers.flush()
        signal.alarm(0)
        if _memory() > LARGE:
            return  # memory once taken is not given back


def _next_line(requests: BinaryIO) -> bytes:
    """The next request, b"" at the end or after a while without one."""
    ready, _, _ = select.select([requests], [], [], IDLE)
    return requests.readline() if ready else b""


def _memory() -> int:
    """Return the bytes of memory this process holds.

    Linux hands `ru_maxrss` on from the parent through vfork and exec: the child of a large worker would look large.
    """
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def answer_to(request: dict[str, Any], page: bytes) -> bytes:
    try:
        return messages.packed(_answer(request, page))
    except SourceError as error:
        return messages.packed(messages.of_error(error))
    except MemoryError:
        return messages.packed({"error": f"the page takes more than {MEMORY // 1_000_000:,} MB of memory: split it"})
    except Exception as error:  # a fault of ours: one page must not end the reading of others
        fault = f"the page cannot be read ({type(error).__name__}); the log has the details"
        return messages.packed({"error": fault, "log": traceback.format_exc()})


def _answer(request: dict[str, Any], page: bytes) -> dict[str, object]:
    if request["call"] == "feeds_in":
        return messages.of_links(feed_links.feeds_in(page, request["url"]))
    text = unpacked(page, kinds.MAX_PAGE)
    kind = request["kind"] or kinds.kind_of(text, request["name"])
    return messages.of_parsed(kind, kinds.parse(text, kind, request["url"]))


def _limit() -> None:
    """No more memory than MEMORY, no files written, no core dumped; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError) as error:  # macOS limits no address space
            sys.stderr.write(f"The reading of pages is not limited in all ways here ({error}).\n")


def _limit_time(seconds: float) -> None:
    """Die a little later than that even where the parent is dead and nobody looks at the clock."""
    signal.alarm(int(seconds) + 5)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
