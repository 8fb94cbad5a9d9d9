"""What lines find among recent papers, as far as there is time: mutes first, then the newest papers."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from digest.models import Pick, ReasonKind
from digest.picks.preview import preview_cache
from digest.picks.preview.preview_cache import Finds
from digest.relevance.matching.match import Document, describe
from subscriptions.interests.language import Node, is_mute


def found_by_lines(nodes: Sequence[Node], now: dt.datetime, deadline: float) -> dict[int, Finds]:
    """Return what each line finds, by number. Lines for which there was no time are missing."""
    found: dict[int, Finds] = {}
    for number in sorted(range(len(nodes)), key=lambda number: not is_mute(nodes[number])):
        if found and time.monotonic() > deadline:
            break
        found[number] = preview_cache.found(nodes[number], now)
    return found


def hits_of_lines(
    found: Mapping[int, Finds], mutes: Collection[int], fresh: Collection[int], deadline: float
) -> tuple[dict[int, dict[int, float]], set[int]]:
    """Return the weights of each line by paper id, among the papers `fresh`, and the ids of those not looked at.

    Mutes are complete: they are known without asking each paper how well it holds the line.
    """
    hits: dict[int, dict[int, float]] = {number: {} for number in found}
    holding: defaultdict[int, list[tuple[int, Document]]] = defaultdict(list)
    for number, finds in found.items():
        for paper in finds.papers(fresh):
            if number in mutes:
                hits[number][paper.paper_id] = 1.0
            else:
                holding[paper.paper_id].append((number, paper))
    newest = sorted(holding, reverse=True)
    for paper_id in newest:
        if time.monotonic() > deadline:
            return hits, {one for one in fresh if one <= paper_id}
        for number, paper in holding[paper_id]:
            if one := found[number].ask(paper):
                hits[number][paper_id] = round(one.weight, 4)
    return hits, set()


def places_of(found: Mapping[int, Finds], picks: Iterable[Pick]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return where the words of each (line by number, paper id) that is a reason of these picks were found."""
    places: dict[tuple[int, int], dict[str, Any]] = {}
    for pick in picks:
        for reason in pick.reasons:
            finds = found[reason.subject] if reason.kind == ReasonKind.MATCH else None
            paper = finds and finds.paper(pick.paper)
            if finds and paper and (one := finds.ask(paper)):
                places[reason.subject, pick.paper] = describe(one, paper)
    return places
