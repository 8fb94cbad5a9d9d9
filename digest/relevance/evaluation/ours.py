"""Our ranking on judged papers, through the same functions the mail is made with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from digest.relevance.evaluation import sets
from digest.relevance.matching.match import Document
from digest.relevance.matching.postings import Postings
from digest.relevance.matching.queries import Query, QueryIndex
from digest.relevance.ranking.closeness import Nearness, is_prose, terms_of
from digest.relevance.ranking.exclusions import kept_out
from digest.relevance.ranking.rank import Candidate, Day, Hit, Line, Scale, Wishes, rank
from digest.relevance.ranking.taste import MORE, PASSED_OVER, Likeness, Taste, taste, trust
from digest.relevance.vectors import Background, Floats, Integers, Text, Vocabulary
from subscriptions.interests.language import Node, is_mute, is_pin
from subscriptions.interests.parser import InterestError, parse

# A mail leaves out what is too far from the reader; here every paper gets its place.
EVERYTHING: dict[str, float] = {"close_enough": -np.inf, "to_taste": -np.inf, "least": -np.inf}


class Desk:
    """Papers, known by their place, and the lines and readers they are ranked for."""

    def __init__(
        self, documents: Sequence[sets.Document], texts: Sequence[Text], vocabulary: Vocabulary, background: Background
    ) -> None:
        self.documents, self.texts, self.vocabulary, self.background = documents, texts, vocabulary, background
        self.nearness = Nearness(background, texts, vocabulary)
        self._near: dict[str, Floats] = {}

    def day(
        self, among: Integers, lines: Sequence[str], upvotes: dict[int, int] | None = None, scale: Scale | None = None
    ) -> Day:
        """The candidates with the lines' matches; a line's number stands for its interest."""
        votes = upvotes or {}
        candidates = {
            int(place): Candidate(int(place), votes.get(int(place), 0), self.documents[place].rank) for place in among
        }
        nodes = [_node(line) for line in lines]
        papers = Postings(
            [Document(int(place), self.documents[place].title, self.documents[place].text) for place in among]
        )
        day = Day(candidates, self._hits(papers, nodes), scale=scale or Scale(**EVERYTHING))
        asked = [terms_of(line, node) for line, node in zip(lines, nodes, strict=True)]
        near = self.nearness.to(asked) if lines else np.zeros((0, len(self.texts)))
        for line, place in kept_out(nodes, papers):
            near[line, place] = 0.0
        self._near = dict(zip(lines, near, strict=True))
        return replace(day, close={line: row[day.papers] for line, row in self._near.items()})

    def _hits(self, papers: Postings, nodes: Sequence[Node | None]) -> dict[int, list[Hit]]:
        index = QueryIndex(Query.of(number, node) for number, node in enumerate(nodes) if node is not None)
        hits: dict[int, list[Hit]] = {}
        for query, paper in index.matches(papers):
            if found := query.find(paper):
                hit = Hit(paper.paper_id, found.weight)
                hits.setdefault(query.interest_id, []).append(hit)
        return hits

    def order(
        self,
        day: Day,
        lines: Sequence[int],
        liked: Iterable[int] = (),
        passed: Iterable[int] = (),
        refused: Iterable[int] = (),
        likeness: Likeness | None = None,
    ) -> list[int]:
        """The candidates, best first, for a reader of these lines who liked and passed over these papers."""
        typed = list(day.close)
        wishes = Wishes(tuple(_line(number, typed[number]) for number in lines), 2 * len(day.papers), 50)
        learned = self._taste(day, liked, passed, [typed[n] for n in lines], likeness or self.likeness)
        picks = rank(wishes, day, refused, learned)
        return [pick.paper for pick in picks]

    def _taste(
        self, day: Day, liked: Iterable[int], passed: Iterable[int], lines: Sequence[str], likeness: Likeness
    ) -> Taste | None:
        said = {int(paper): PASSED_OVER for paper in passed} | {int(paper): MORE for paper in liked}
        if not said:
            return None
        papers = list(said)
        alike = likeness.to_candidates(np.array(papers), np.array(day.papers))
        learned = taste(said, {paper: row for row, paper in enumerate(papers)}, alike)
        near = np.array([self._near[line] for line in lines])
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


def _line(number: int, typed: str) -> Line:
    node = _node(typed)
    mute, pin = (node is not None and asks(node) for asks in (is_mute, is_pin))
    return Line(number, typed, mute, is_prose(typed), pin)


def _node(line: str) -> Node | None:
    """The line as the language reads it; None where it cannot, so that it speaks as a bag of words only."""
    try:
        return parse(line)
    except InterestError:
        return None
