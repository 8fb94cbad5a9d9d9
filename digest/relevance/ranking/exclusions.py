"""What a line excludes holds for its soft voice too: a paper that has it is never close by that line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from subscriptions.interests.language import And, Node, Not, Or, unpinned


def excluded(node: Node) -> list[Node]:
    """All that a line excludes, wherever it does. Of `(diffusion -rain) OR ocean` a paper with rain may still match
    the ocean; it is close to nothing.
    """
    match unpinned(node):
        case Not(part):
            return [part]
        case And(parts) | Or(parts):
            return [one for part in parts for one in excluded(part)]
    return []


def kept_out(lines: Sequence[Node | None], papers: Postings) -> Iterator[tuple[int, int]]:
    """(line by number, paper id) where a paper holds what the line excludes."""
    asked = [(number, part) for number, node in enumerate(lines) if node is not None for part in excluded(node)]
    index = QueryIndex(Query.of(place, part) for place, (_, part) in enumerate(asked))
    for query, paper in index.matches(papers):
        yield asked[query.interest_id][0], paper.paper_id
