"""What lines say of the candidates of a moment, as one array, kept by this process until papers come or change.

A row a line, a column a paper, and in each cell four numbers side by side, so that the cells of a reader's lines are
added in one go: the hundredths of points, the finer steps (`ranking.STEPS`), how many lines want the paper and how
many match it. Each has room for MAX_LINES lines. What is kept only saves time: it is a function of the rows read.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, TextField
from django.db.models.functions import Cast
from numpy.typing import NDArray

from digest.models import Listing, Match, Paper
from digest.ranking import Candidate, Day, corpus, hundredths, steps
from digest.ranking.closeness import is_prose
from digest.selecting.picking import MAX_LINES, Ints
from digest.selecting.wanted import Packed, PackedFloats, among, floats, numbers
from subscriptions.models import Interest

# Bits of a cell, from the lowest: matched, wanted, finer steps, hundredths.
COUNT_BITS = MAX_LINES.bit_length()
FINE_SHIFT, FINE_BITS = 2 * COUNT_BITS, 26
POINTS_SHIFT = FINE_SHIFT + FINE_BITS
MATCHED, WANTED = 1, 1 << COUNT_BITS

TABLE_CELLS = 10 << 20  # kept of a board: 80 MB
KEPT_WINDOWS = 4  # boards: the days of dailies and weeklies, and of some pauses
KEPT_TAILS = 50_000  # reasons of matches as text: some 15 MB
LINES_AT_ONCE = 500  # asked for their closeness: a few MB for each thousand papers


@dataclass(frozen=True, slots=True)
class News:
    """The candidates of a moment as read: by id, and what tells whether anything about them changed."""

    ids: Ints
    upvotes: Ints
    ranks: Ints
    stamp: tuple[Any, ...]  # of what is matched and written of them; not of their upvotes
    oldest: dt.date  # when the first of them was first seen or listed


def news(now: dt.datetime, days: int | None = None) -> News:
    """The papers that a mail of this moment may hold. Two queries."""
    fresh = Paper.objects.fresh(now, days).order_by()
    found = fresh.aggregate(
        pk=Packed("pk"), upvotes=Packed("upvotes"), count=Count("matched_at"), matched=Max("matched_at"),
        changed=Max("changed_at"), seen=Min("first_seen_at"), listed=Min("first_listed_on"),
    )  # fmt: skip
    ids = numbers(found["pk"])
    order = np.argsort(ids)
    ids = ids[order]
    ranks = np.ones(len(ids), np.int64)
    listed = Listing.objects.filter(paper__in=fresh).order_by().values("paper").annotate(best=Min("rank"))
    for paper, best in listed.values_list("paper", "best"):
        ranks[np.searchsorted(ids, paper)] = best
    stamp = (ids.tobytes(), found["count"], found["matched"], found["changed"])
    oldest = min(found["seen"].date(), found["listed"]) if len(ids) else now.date()
    return News(ids, numbers(found["upvotes"])[order], ranks, stamp, oldest)


class Standing:
    """The candidates as they stand by their upvotes: what a board need not be made anew for."""

    def __init__(self, of: News) -> None:
        self.of = of
        rows = zip(of.ids.tolist(), of.upvotes.tolist(), of.ranks.tolist(), strict=True)
        self.day = Day({pk: Candidate(pk, upvotes, rank) for pk, upvotes, rank in rows}, {})
        self.columns = np.searchsorted(of.ids, np.array(self.day.papers, np.int64))  # by place
        self.places = np.argsort(self.columns)  # by column
        self.trend = self.day.trend[self.places]  # by column

    def with_twins(self, twins: dict[int, frozenset[int]]) -> Day:
        if self.day.twins is not twins:
            self.day = replace(self.day, twins=twins)
        return self.day

    def is_of(self, other: News) -> bool:
        mine = self.of
        return all(np.array_equal(getattr(mine, name), getattr(other, name)) for name in ("ids", "upvotes", "ranks"))


class Board:
    """What lines say of these candidates. Lines are known by number, papers by column: the ids in their order."""

    def __init__(self, of: News, known: corpus.Known, twins: dict[int, frozenset[int]]) -> None:
        self.ids, self.stamp, self.known, self.twins = of.ids, of.stamp, known, twins
        self.oldest = of.oldest
        self.numbers: dict[tuple[int, str], int] = {}
        self.typed: list[str] = []
        self.heads: tuple[list[str], list[str]] = ([], [])  # by line, how its reasons begin: exact, close
        self.cells = np.zeros((0, len(of.ids)), np.int64)
        self.mutes = np.zeros(0, bool)
        self.pins = np.zeros(0, bool)
        self.found: list[Ints] = []  # by line, the columns it matches
        self._matches: list[Ints] = []  # and the ids of those matches
        self._tails: dict[int, str] = {}
        self._lock = threading.Lock()

    @cached_property
    def twin_columns(self) -> NDArray[np.bool_]:
        return np.isin(self.ids, list(self.twins))

    @property
    def is_full(self) -> bool:
        return len(self.typed) * max(len(self.ids), 1) > TABLE_CELLS

    def columns_of(self, papers: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """The column of each paper (id), and whether it has one."""
        if not len(self.ids):
            return np.zeros(len(papers), np.int64), np.zeros(len(papers), bool)
        columns = np.minimum(np.searchsorted(self.ids, papers), len(self.ids) - 1)
        return columns, self.ids[columns] == papers

    def rows_of(self, interests: Ints, typed: list[str]) -> Ints:
        """The number of each line; what no reader before had is read and counted now."""
        lines = list(zip(interests.tolist(), typed, strict=True))
        with self._lock:
            new = dict.fromkeys(line for line in lines if line not in self.numbers)
            unmatched = self._learn(list(new)) if new else set()
            rows = np.array([self.numbers[line] for line in lines], np.int64)
            for line in unmatched:  # its matches are still to come: look again next time
                del self.numbers[line]
        return rows

    def _learn(self, new: list[tuple[int, str]]) -> set[tuple[int, str]]:
        ids = list({interest for interest, _ in new})
        rows = Interest.objects.filter(pk__in=among(ids)).values_list("pk", "text", "is_mute", "is_pin", "matched_at")
        known = {pk: (text, is_mute, is_pin, matched_at) for pk, text, is_mute, is_pin, matched_at in rows}
        hits = self._hits(ids)
        self._make_room(len(new))
        for start in range(0, len(new), LINES_AT_ONCE):
            part = new[start : start + LINES_AT_ONCE]
            asked = [(typed, known[interest][0]) for interest, typed in part if not known[interest][1]]
            close = iter(self._close(asked))
            for interest, typed in part:
                _, is_mute, is_pin, _ = known[interest]
                self._add((interest, typed), hits.get(interest, _NO_HITS), is_mute, is_pin, close)
        return {line for line in new if known[line[0]][3] is None}

    def _close(self, lines: list[tuple[str, str]]) -> NDArray[np.int64]:
        """(lines, papers): the cells for closeness alone, as `Day.near` and `rank` count it."""
        if not lines or not len(self.ids):
            return np.zeros((len(lines), len(self.ids)), np.int64)
        place = np.array([self.known.place[paper] for paper in self.ids.tolist()], np.int64)
        close, scale = self.known.near(lines)[:, place], _SCALE
        cells = hundredths(scale.close * close**2) << POINTS_SHIFT
        cells += steps(scale.close * close**2) << FINE_SHIFT
        cells += (close >= scale.close_enough) * np.int64(WANTED)
        return cells

    def _hits(self, interests: list[int]) -> dict[int, tuple[Ints, Ints, NDArray[np.float64]]]:
        """interest -> the columns it matches, the ids of the matches, and their weights."""
        rows = Match.objects.filter(interest__in=among(interests))
        rows = rows.filter(paper__gte=self.ids[0], paper__lte=self.ids[-1]) if len(self.ids) else rows.none()
        packed = rows.aggregate(
            pk=Packed("pk"), interest=Packed("interest_id"), paper=Packed("paper_id"), weight=PackedFloats("weight")
        )
        of = numbers(packed["interest"])
        columns, is_here = self.columns_of(numbers(packed["paper"]))
        order = np.lexsort((columns, of))
        order = order[is_here[order]]
        of, columns, pks = of[order], columns[order], numbers(packed["pk"])[order]
        weights = floats(packed["weight"])[order]
        names, begins, sizes = np.unique(of, return_index=True, return_counts=True)
        return {
            name: (columns[begin:end], pks[begin:end], weights[begin:end])
            for name, begin, end in zip(names.tolist(), begins.tolist(), (begins + sizes).tolist(), strict=True)
        }

    def _make_room(self, lines: int) -> None:
        have, need = len(self.cells), len(self.typed) + lines
        if need > have:  # all there may be at once: what is not used yet takes no memory
            more = max(need, TABLE_CELLS // max(len(self.ids), 1)) - have
            self.cells = np.concatenate([self.cells, np.zeros((more, len(self.ids)), np.int64)])
            self.mutes = np.concatenate([self.mutes, np.zeros(more, bool)])
            self.pins = np.concatenate([self.pins, np.zeros(more, bool)])

    def _add(self, line: tuple[int, str], hits: Any, is_mute: bool, is_pin: bool, close: Any) -> None:
        number = len(self.typed)
        columns, pks, weights = hits
        self.numbers[line] = number
        self.typed.append(line[1])
        self.heads[0].append(f'{{"line": {json.dumps(line[1])}, "points": ')
        self.heads[1].append(f'{{"line": {json.dumps(f"close to: {line[1]}")}, "points": ')
        self.found.append(columns)
        self._matches.append(pks)
        self.mutes[number], self.pins[number] = is_mute, is_pin
        if is_mute:
            return
        cells = next(close)
        if len(columns) and not is_prose(line[1]):
            rarity = math.log(1 + len(self.ids) / len(columns))
            cells[columns] += (hundredths(weights * rarity) << POINTS_SHIFT) + MATCHED
            cells[columns] |= WANTED
        self.cells[number] = cells

    def tails(self, lines: Ints, columns: Ints) -> list[str]:
        """Where each of these matches stands in its paper, as the text of a JSON object without its brackets."""
        keys = (lines * len(self.ids) + columns).tolist()
        with self._lock:
            if len(self._tails) > KEPT_TAILS:
                self._tails.clear()
            lacking = {key for key in keys if key not in self._tails}
            if lacking:
                self._read_tails(sorted(lacking))
            return [self._tails[key] for key in keys]

    def _read_tails(self, keys: list[int]) -> None:
        key_of: dict[int, list[int]] = {}
        for key in keys:
            line, column = divmod(key, len(self.ids))
            match = self._matches[line][np.searchsorted(self.found[line], column)]
            key_of.setdefault(int(match), []).append(key)
        rows = Match.objects.filter(pk__in=among(list(key_of)))
        for pk, places in rows.values_list("pk", Cast("places", TextField())):
            for key in key_of[pk]:
                self._tails[key] = f", {places[1:-1]}" if len(places) > 2 else ""
        for key in keys:
            self._tails.setdefault(key, "")  # matched again in this very moment


_NO_HITS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
_SCALE = Day({}, {}).scale


class _Kept:
    """The boards of this process, one for each window of days."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boards: dict[int | None, tuple[Board, Standing]] = {}

    def at(self, now: dt.datetime, days: int | None) -> tuple[Board, Standing]:
        of = news(now, days)
        with self._lock:
            board, standing = self._boards.get(days, (None, None))
            if standing is None or not standing.is_of(of):
                standing = Standing(of)
            found = corpus.at(standing.day.candidates, now)
            if board is None or board.is_full or board.stamp != of.stamp or board.known is not found.known:
                board = Board(of, found.known, found.twins)
            if len(self._boards) >= KEPT_WINDOWS and days not in self._boards:
                self._boards.clear()
            self._boards[days] = board, standing
            return board, standing


_kept = _Kept()


def at(now: dt.datetime, days: int | None = None) -> tuple[Board, Standing]:
    """The board of this moment and of the papers of the last `days` (the setting's, if none are named)."""
    return _kept.at(now, days)
