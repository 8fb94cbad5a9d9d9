"""Mail that the embedded catcher stored on this machine: deleted with its recipient, and when it is old."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Iterator
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings

from subscriptions import addresses

HEAD = 64 * 1024  # bytes in which the headers of a message are looked for


def delete_to(recipients: Collection[str]) -> int:
    """Delete the messages to any of these addresses. Return how many."""
    keys = {addresses.key(address) for address in recipients}
    return delete(path for path in _messages() if keys & {addresses.key(one) for one in _recipients(path)})


def older_than(moment: dt.datetime) -> list[Path]:
    """Return the messages stored before that moment."""
    return [path for path in _messages() if _modified(path) < moment.timestamp()]


def delete(messages: Iterable[Path]) -> int:
    """Delete these messages. Return how many."""
    return sum(_delete(path) for path in messages)


def _messages() -> Iterator[Path]:
    folder: Path = settings.MAIL_CATCHER_DIR
    return folder.glob("*.eml") if folder.is_dir() else iter(())


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # deleted meanwhile
        return float("inf")


def _recipients(path: Path) -> list[str]:
    """Those of the envelope beside the message, else of its To header."""
    try:
        return [str(one) for one in json.loads(path.with_suffix(".json").read_bytes())["to"]]
    except (OSError, ValueError, KeyError, TypeError):
        return _header_recipients(path)


def _header_recipients(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    lines = [line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("to:")]
    return [address for _, address in getaddresses(lines)]


def _delete(path: Path) -> int:
    """The message first: without it, nobody looks for its envelope."""
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)
    return 1
