"""Our ranking on judged papers, through the same functions the mail is made with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from digest.relevance.evaluation import sets
from digest.relevance.matching.match import Document
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from digest.relevance.ranking.arrays import Rows
from digest.relevance.ranking.block import Requests
from digest.relevance.ranking.candidates import Candidate, Candidates
from digest.relevance.ranking.closeness import Nearness, is_prose, terms_of
from digest.relevance.ranking.exclusions import kept_out
from digest.relevance.ranking.rank_subscribers import rank_subscribers
from digest.relevance.ranking.scale import Scale
from digest.relevance.ranking.score_matrix import Line, ScoreMatrix
from digest.relevance.ranking.taste import MORE, PASSED_OVER, Likeness, Taste, taste, trust
from digest.relevance.vectors import Background, Floats, Integers, Text, Vocabulary
from subscriptions.interests.language import Node, is_mute, is_pin
from subscriptions.interests.parser import InterestError, parse

# A mail leaves out what is too far from the reader; here every paper gets its place.
EVERYTHING: dict[str, float] = {"close_enough": -np.inf, "to_taste": -np.inf, "least": -np.inf}


@dataclass(frozen=True)
class Day:
    """Candidates and lines of one moment; `near` is how close each line is to all papers of the desk."""

    candidates: Candidates
    lines: tuple[Line, ...]
    near: Floats
    scale: Scale

    @cached_property
    def matrix(self) -> ScoreMatrix:
        return ScoreMatrix.of(self.candidates, self.lines, scale=self.scale)


class Desk:
    """Papers, known by their place, and the lines and readers they are ranked for."""

    def __init__(
        self, documents: Sequence[sets.Document], texts: Sequence[Text], vocabulary: Vocabulary, background: Background
    ) -> None:
        self.documents, self.texts, self.vocabulary, self.background = documents, texts, vocabulary, background
        self.nearness = Nearness(background, texts, vocabulary)

    def day(
        self, among: Integers, lines: Sequence[str], upvotes: dict[int, int] | None = None, scale: Scale | None = None
    ) -> Day:
        """The candidates with what the lines say of them; a line's number stands for its interest."""
        votes = upvotes or {}
        candidates = Candidates.of(
            Candidate(int(place), votes.get(int(place), 0), self.documents[place].rank) for place in among
        )
        nodes = [_node(line) for line in lines]
        papers = Postings(
            [
                Document(place, self.documents[place].title, self.documents[place].text)
                for place in candidates.ids.tolist()
            ]
        )
        asked = [terms_of(line, node) for line, node in zip(lines, nodes, strict=True)]
        near = self.nearness.to(asked) if lines else np.zeros((0, len(self.texts)))
        for line, place in kept_out(nodes, papers):
            near[line, place] = 0.0
        hits = _hits(papers, nodes)
        made = []
        for number, (typed, node) in enumerate(zip(lines, nodes, strict=True)):
            found = hits.get(number, {})
            columns, _ = candidates.columns_of(np.array(list(found), np.int64))
            mute, pin = (node is not None and asks(node) for asks in (is_mute, is_pin))
            close = near[number][candidates.ids]
            made.append(Line(number, columns, list(found.values()), close, mute, pin, is_prose(typed)))
        return Day(candidates, tuple(made), near, scale or Scale(**EVERYTHING))

    def order(
        self,
        day: Day,
        lines: Sequence[int],
        liked: Iterable[int] = (),
        passed: Iterable[int] = (),
        refused: Iterable[int] = (),
        likeness: Likeness | None = None,
    ) -> list[int]:
        """The candidates, best first, for a subscriber of these lines who liked and passed over these papers."""
        every, one = np.array([len(day.candidates)]), np.zeros(1, np.int64)
        had, is_here = day.candidates.columns_of(np.array(sorted(refused), np.int64))
        learned = self._taste(day, liked, passed, lines, likeness or self.likeness)
        requests = Requests(
            Rows(np.array([0, len(lines)]), np.array(lines, np.int64)), every, every, one,
            (np.zeros(int(is_here.sum()), np.int64), had[is_here]), {0: learned} if learned else {},
        )  # fmt: skip
        (packed,) = rank_subscribers(day.matrix, day.candidates, requests)
        return packed.papers

    def _taste(
        self, day: Day, liked: Iterable[int], passed: Iterable[int], lines: Sequence[int], likeness: Likeness
    ) -> Taste | None:
        said = {int(paper): PASSED_OVER for paper in passed} | {int(paper): MORE for paper in liked}
        if not said:
            return None
        papers = list(said)
        alike = likeness.to_candidates(np.array(papers), day.candidates.ids)
        learned = taste(said, {paper: row for row, paper in enumerate(papers)}, alike)
        near = day.near[list(lines)]
        held = [paper for paper in papers if said[paper] > 0]
        return learned and replace(learned, trust=trust(near, held, len(self.background.texts)))

    @cached_property
    def likeness(self) -> Likeness:
        authors = [one.authors for one in self.documents]
        return Likeness(self.background, self.texts, len(self.vocabulary), authors)

    @cached_property
    def unsigned(self) -> Likeness | None:
        """Likeness of the same papers without their authors; None where no author is known."""
        return self.likeness.unsigned() if any(one.authors for one in self.documents) else None


def _hits(papers: Postings, nodes: Sequence[Node | None]) -> dict[int, dict[int, float]]:
    """By line, the weight of each paper it matches."""
    index = QueryIndex(Query.of(number, node) for number, node in enumerate(nodes) if node is not None)
    hits: dict[int, dict[int, float]] = {}
    for query, paper in index.matches(papers):
        if found := query.find(paper):
            hits.setdefault(query.interest_id, {})[paper.paper_id] = found.weight
    return hits


def _node(line: str) -> Node | None:
    """The line as the language reads it; None where it cannot, so that it speaks as a bag of words only."""
    try:
        return parse(line)
    except InterestError:
        return None
