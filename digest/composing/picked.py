"""Picks as digests hold them, in JSON: what is said to many readers alike is parsed once.

Parsing the whole text cost as much as composing the mail. So the text is taken apart between its picks, one that was
met before is known by its text, and a new one is parsed by orjson, in a tenth of the time that Python's json takes.
What a mail does not say of a pick is left out before: half as many are new then.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from digest.composing.parts import Look, keep
from digest.letters import Order
from digest.models import Digest

PICKED = 20_000  # kept at most; each of some 1 kB

Reason = dict[str, Any]


class Picked:
    """A pick, and how it looks in mails: by the language and by how much of the paper is shown."""

    __slots__ = ("_reasons", "_text", "lane", "looks", "paper")

    def __init__(self, begin: str, rest: str) -> None:
        self._text = begin, rest  # as they are kept beside it: together they would stand in memory twice
        pick = self._parsed()
        self.paper: int = pick["paper"]
        self.lane: str = pick["lane"]
        self.looks: dict[tuple[str, str], Look] = {}
        self._reasons: list[Reason] | None = pick["reasons"]

    def reasons(self) -> list[Reason]:
        """Let go once they were asked for: a pick looks the same in most mails, and they are the most of it."""
        held, self._reasons = self._reasons, None
        return self._parsed()["reasons"] if held is None else held

    def _parsed(self) -> dict[str, Any]:
        begin, rest = self._text
        found: dict[str, Any] = orjson.loads(f"{begin}{rest}}}")
        return found


class PickReader:
    """Reads the picks of one digest after the other."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Picked]] = {}  # by how a pick begins, and by the rest of it

    def read(self, picks: str) -> list[Picked]:
        """The picks of a JSON text as PostgreSQL's jsonb, `selecting` or Python's json write it."""
        if picks == "[]":
            return []
        # '{"lane":' or '{"paper":': an object that begins so is a pick, for no reason does, and in a string the
        # quotes are escaped.
        begin = picks[1 : picks.index(":") + 1]
        known = self._known.setdefault(begin, {})
        said = map(_said, picks[1 + len(begin) : -2].split(f"}}, {begin}"))
        return [known.get(rest) or keep(known, rest, Picked(begin, rest), PICKED) for rest in said]


def _said(pick: str) -> str:
    """A pick without what no mail says: its points, and what hardly counted. These differ where all else is alike."""
    head, found, rest = pick.partition('"points": ')
    reasons = rest[rest.find("[") :]
    if not found or '"reasons"' in head or not reasons.endswith("]"):
        return pick  # written by somebody else
    reasons, faint, _ = reasons.partition('{"kind": "faint"')  # the last one
    return f'{head}"reasons": {reasons.removesuffix(", ")}{"]" if faint else ""}'


def order_of(digest: Digest, key: int = 0) -> Order:
    """A digest that was read, or is stored nowhere, as the press takes it."""
    reader = digest.subscriber
    return Order(
        key, digest.issue_date, json.dumps(digest.picks), digest.notice, digest.is_catch_up,
        reader.email, reader.code, reader.token_version, reader.frequency, reader.language,
        email_key=reader.email_key,
    )  # fmt: skip
