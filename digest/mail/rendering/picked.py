"""Picks as digests hold them, in JSON: what is said to many readers alike is parsed once.

Parsing the whole text cost as much as composing the mail. So the text is taken apart between its picks, and a pick
that was met before is known by its text; a new one is taken apart between its reasons, most of which were met too.
What a mail does not say of a pick is left out before: half as many are new then.
"""

from __future__ import annotations

import json

import orjson

from digest.mail.messages import Order
from digest.mail.rendering.fragments import Look
from digest.mail.rendering.reason_fragments import Reason
from digest.mail.rendering.slots import keep
from digest.models import Digest

PICKED, REASONS = 15_000, 20_000  # kept at most; of some 2 kB and 0.3 kB each. More cost memory and save nothing

_BEGINS = ('line": ', 'kind": ')  # a reason of ours; what a string of JSON holds cannot, for its quotes are escaped


class Picked:
    """A pick, and how it looks in mails: by the language and by how much of the paper is shown."""

    __slots__ = ("lane", "looks", "paper", "reasons")

    def __init__(self, paper: int, lane: str, reasons: list[Reason]) -> None:
        self.paper, self.lane, self.reasons = paper, lane, reasons
        self.looks: dict[tuple[str, str], Look] = {}


class PickReader:
    """Reads the picks of one digest after the other."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, str], Picked]] = {}  # by how a pick begins, and by what is said of it
        self._reasons: dict[str, Reason] = {}

    def read(self, picks: str) -> list[Picked]:
        """The picks of a JSON text as PostgreSQL's jsonb, `selecting` or Python's json write it."""
        if picks == "[]":
            return []
        # '{"lane":' or '{"paper":': an object that begins so is a pick, for no reason does, and in a string the
        # quotes are escaped.
        begin = picks[1 : picks.index(":") + 1]
        known = self._known.get(begin) or self._known.setdefault(begin, {})
        return [
            known.get(said := _said(rest)) or keep(known, said, self._picked(begin, rest, *said), PICKED)
            for rest in picks[1 + len(begin) : -2].split(f"}}, {begin}")
        ]

    def _picked(self, begin: str, rest: str, head: str, reasons: str) -> Picked:
        """One that was not met before."""
        try:
            pick = orjson.loads(f'{begin}{head}"reasons": []}}')
            texts = reasons[2:-1].split('}, {"') if reasons else []
            return Picked(pick["paper"], pick["lane"], [self._reason(text) for text in texts])
        except ValueError:  # written by somebody else
            pick = orjson.loads(f"{begin}{rest}}}")
            texts = [orjson.dumps(reason).decode()[2:-1] for reason in pick["reasons"]]
            return Picked(pick["paper"], pick["lane"], [self._reason(text, is_ours=False) for text in texts])

    def _reason(self, text: str, is_ours: bool = True) -> Reason:
        """By its text without the brackets and the first quote. Raises ValueError where it is not a reason's."""
        found = self._reasons.get(text)
        if found is None:
            if is_ours and not text.startswith(_BEGINS):
                raise ValueError("Not a reason of ours")
            found = keep(self._reasons, text, Reason(text), REASONS)
        return found


def _said(pick: str) -> tuple[str, str]:
    """What comes before the points of a pick, and its reasons without what hardly counted: no mail says these, and
    they differ where all else is alike. All of the pick, and nothing, where somebody else wrote it."""
    head, _, rest = pick.partition('"points": ')
    _, found, reasons = rest.partition('"reasons": [')  # after them, and the last of all
    if not found or reasons[-1:] != "]" or '": ' not in head:  # lane and paper, one of which it begins with
        return pick, ""
    named, faint, _ = reasons.partition('{"kind": "faint"')  # the last one
    return head, named.removesuffix(", ") if faint else named[:-1]


def order_of(digest: Digest, key: int = 0) -> Order:
    """A digest that was read, or is stored nowhere, as the press takes it."""
    reader = digest.subscriber
    return Order(
        key, digest.issue_date, json.dumps(digest.picks), digest.notice, digest.is_catch_up,
        reader.email, reader.code, reader.token_version, reader.frequency, reader.language,
        email_key=reader.email_key,
    )  # fmt: skip
