"""Picks as the fast renderer needs them: what many mails say alike is looked up and put together once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from digest.mail.messages import Order
from digest.mail.rendering.fragments import Look
from digest.mail.rendering.reason_fragments import Reason
from digest.mail.rendering.slots import keep
from digest.models import Digest, Lane, ReasonKind
from digest.models import Reason as StoredReason
from digest.models.picks import PICK, REASON
from digest.picks.evidence import OF_INTEREST, Evidence, describe_reason, line_texts, match_places
from subscriptions.models import InterestLine

PICKED, REASONS = 15_000, 20_000  # kept at most; of some 2 kB and 0.3 kB each. More cost memory and save nothing

_LANES = {lane.value: lane.name.lower() for lane in Lane}
_Key = tuple[int, int, str]  # of a reason: kind, subject, and the subscriber's own line where it is about one
_Lines = Mapping[tuple[int, int], str]  # by subscriber and interest


class Picked:
    """A pick, and how it looks in mails: by the language and by how much of the paper is shown."""

    __slots__ = ("lane", "looks", "paper", "reasons")

    def __init__(self, paper: int, lane: str, reasons: list[Reason]) -> None:
        self.paper, self.lane, self.reasons = paper, lane, reasons
        self.looks: dict[tuple[str, str], Look] = {}


class PickCache:
    """Reads the picks of one chunk of mails after the other."""

    def __init__(self) -> None:
        self._picks: dict[tuple[int, int, tuple[_Key, ...]], Picked] = {}
        self._reasons: dict[tuple[int, _Key], Reason] = {}

    def read(self, orders: Sequence[Order]) -> list[list[Picked]]:
        """Return the picks of each mail. Two queries, or three; places of matches are read when they are new."""
        unpacked = [_rows(order) for order in orders]
        lines = _lines(orders, unpacked)
        keyed = [
            [(paper, lane, _keys(order.subscriber_id, reasons, lines)) for paper, lane, reasons in picks]
            for order, picks in zip(orders, unpacked, strict=True)
        ]
        self._learn({key for picks in keyed for key in picks if key not in self._picks})
        return [[self._picks[key] for key in picks] for picks in keyed]

    def _learn(self, new: set[tuple[int, int, tuple[_Key, ...]]]) -> None:
        reasons = {(paper, key) for paper, _, keys in new for key in keys if (paper, key) not in self._reasons}
        places = match_places((subject, paper) for paper, (kind, subject, _) in reasons if kind == ReasonKind.MATCH)
        made = {one: _reason(*one, places) for one in reasons}
        for one, reason in made.items():
            keep(self._reasons, one, reason, REASONS)
        for paper, lane, keys in new:
            of_pick = [made.get((paper, key)) or self._reasons[paper, key] for key in keys]
            keep(self._picks, (paper, lane, keys), Picked(paper, _LANES[lane], of_pick), PICKED)


def _reason(paper: int, key: _Key, places: Mapping[tuple[int, int], Mapping[str, Any]]) -> Reason:
    kind, subject, line = key
    return Reason(describe_reason(StoredReason(kind, subject, 0), paper, Evidence({subject: line}, places)))


def _rows(order: Order) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """(paper, lane, reasons as (kind, subject)) of each pick; without the faint reasons, which no mail names."""
    picks = np.frombuffer(order.picks, PICK)
    of_pick: list[list[tuple[int, int]]] = [[] for _ in range(len(picks))]
    for index, kind, subject, _ in np.frombuffer(order.reasons, REASON).tolist():
        if kind != ReasonKind.FAINT:
            of_pick[index].append((kind, subject))
    return list(zip(picks["paper"].tolist(), picks["lane"].tolist(), of_pick, strict=True))


def _keys(subscriber: int, reasons: Iterable[tuple[int, int]], lines: _Lines) -> tuple[_Key, ...]:
    return tuple([
        (kind, subject, lines.get((subscriber, subject), "") if kind in OF_INTEREST else "")
        for kind, subject in reasons
    ])  # fmt: skip


def _lines(orders: Sequence[Order], unpacked: Sequence[list[tuple[int, int, list[tuple[int, int]]]]]) -> _Lines:
    """The lines that the reasons name, as `evidence.line_texts` has them."""
    named = {
        (order.subscriber_id, subject)
        for order, picks in zip(orders, unpacked, strict=True)
        for _, _, reasons in picks
        for kind, subject in reasons
        if kind in OF_INTEREST
    }
    if not named:
        return {}
    own = InterestLine.objects.filter(subscriber__in={order.subscriber_id for order in orders})
    rows = own.values_list("subscriber_id", "interest_id", "typed")
    lines = {(subscriber, interest): typed for subscriber, interest, typed in rows}
    if gone := named - lines.keys():
        texts = line_texts(None, {interest for _, interest in gone})
        lines |= {(subscriber, interest): texts.get(interest, "") for subscriber, interest in gone}
    return lines


def order_of(digest: Digest, key: int = 0) -> Order:
    """Return a digest, which may be stored nowhere, as the fast renderer takes it."""
    reader = digest.subscriber
    return Order(
        key, digest.issue_date, bytes(digest.packed_picks), bytes(digest.packed_reasons), digest.notice,
        digest.is_catch_up, reader.email, reader.code, reader.token_version, reader.frequency, reader.language,
        email_key=reader.email_key, subscriber_id=reader.pk or 0,
    )  # fmt: skip
