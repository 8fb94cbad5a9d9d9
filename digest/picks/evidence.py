"""What the numbers of picks stand for: papers, the lines of interests, and where their words were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from digest.models import Digest, Lane, Match, Paper, Pick, Reason, ReasonKind
from subscriptions.models import Interest, InterestLine

OF_INTEREST = (ReasonKind.MATCH, ReasonKind.CLOSE)
# As templates and programs know the lanes.
INTERESTS, TRENDING, OVERFLOW = (lane.name.lower() for lane in Lane)
NOWHERE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """`lines` by interest id; `places` of the matched words (as in `Match.places`) by interest and paper id."""

    lines: Mapping[int, str] = field(default_factory=dict)
    places: Mapping[tuple[int, int], Mapping[str, Any]] = field(default_factory=dict)


def evidence(subscriber_id: int | None, picks: Iterable[Pick]) -> Evidence:
    """Read what these picks of a subscriber refer to. At most three queries."""
    named = {(reason.kind, reason.subject, pick.paper) for pick in picks for reason in pick.reasons}
    interests = {subject for kind, subject, _ in named if kind in OF_INTEREST}
    matched = {(subject, paper) for kind, subject, paper in named if kind == ReasonKind.MATCH}
    return Evidence(line_texts(subscriber_id, interests), match_places(matched))


def line_texts(subscriber_id: int | None, interests: Iterable[int]) -> dict[int, str]:
    """Return each interest's line as the subscriber typed it; in its canonical form when they removed it since."""
    wanted = set(interests)
    if not wanted:
        return {}
    own = InterestLine.objects.filter(subscriber=subscriber_id, interest__in=wanted)
    lines = dict(own.values_list("interest_id", "typed"))
    if wanted - lines.keys():
        lines |= dict(Interest.objects.filter(pk__in=wanted - lines.keys()).values_list("pk", "text"))
    return lines


def match_places(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Mapping[str, Any]]:
    """Return where the words of each (interest id, paper id) were found."""
    wanted = set(pairs)
    if not wanted:
        return {}
    interests, papers = ({pair[side] for pair in wanted} for side in (0, 1))
    rows = Match.objects.filter(interest__in=interests, paper__in=papers)
    found = rows.values_list("interest_id", "paper_id", "places")
    return {(interest, paper): places for interest, paper, places in found if (interest, paper) in wanted}


def describe_digests(digests: Sequence[Digest]) -> list[list[dict[str, Any]]]:
    """Return the described picks of each of one subscriber's digests. A fixed number of queries."""
    picks = [digest.picks for digest in digests]
    everything = [pick for of_one in picks for pick in of_one]
    found = evidence(digests[0].subscriber_id if digests else None, everything)
    papers = Paper.objects.in_bulk({pick.paper for pick in everything})
    return [describe(of_one, found, papers) for of_one in picks]


def describe_picks(picks: Sequence[Pick], found: Evidence) -> list[dict[str, Any]]:
    """Return the picks in words, each with its Paper; a paper deleted since is left out."""
    return describe(picks, found, Paper.objects.in_bulk({pick.paper for pick in picks}))


def describe(picks: Iterable[Pick], found: Evidence, papers: Mapping[int, Paper]) -> list[dict[str, Any]]:
    """Return what templates and programs are shown of each pick whose paper is there. Points are floats."""
    return [
        {
            "paper": papers[pick.paper],
            "lane": Lane(pick.lane).name.lower(),
            "points": pick.points / 100,
            "trend": pick.trend / 100,
            "reasons": [describe_reason(reason, pick.paper, found) for reason in pick.reasons],
        }
        for pick in picks
        if pick.paper in papers
    ]


def describe_reason(reason: Reason, paper: int, found: Evidence) -> dict[str, Any]:
    """Return one reason: `kind`, `points`, and the `line` with its `words` and where they stand, or the paper `like`
    which it is.
    """
    kind = ReasonKind(reason.kind)
    described: dict[str, Any] = {"kind": kind.name.lower(), "points": reason.points / 100, "line": "", "words": []}
    if kind in OF_INTEREST:
        described["line"] = found.lines.get(reason.subject) or gettext("one of your earlier interests")
    elif reason.subject:
        described["like"] = reason.subject
    if kind == ReasonKind.MATCH:
        described |= found.places.get((reason.subject, paper), NOWHERE)
    return described
