"""How each kind of set is played: who knows what when, and each method's order of the candidates.

Nothing that came later than a day is known on it: word statistics, likes and upvotes are those of before.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digest.relevance.evaluation.baselines import Terms, full_text_search, has_learners
from digest.relevance.evaluation.ours import Day, Desk
from digest.relevance.evaluation.sets import Collection, Document, Libraries, Reader, Stream
from digest.relevance.vectors import Background, Floats, Integers, Text, Vocabulary

SEND_HOUR = dt.timedelta(days=1, hours=8)  # after a list's midnight: the morning after, when its mail goes out
WINDOW = 2000  # papers of the background, as in the mail
REFIT_DAYS = 7  # the background may be so much older than a day: it saves time and never looks ahead
LIKES = (1, 3, 5, 10)
SEED = 4
OURS = "Paper Round"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One order of one method: where (a section of the table), of whom, and what should have come first."""

    section: str
    system: str
    reader: str
    unit: str
    ranked: list[int]
    gains: dict[int, float]


def best_first(scores: Floats, places: Integers) -> list[int]:
    """Places by falling score; equals stay in their order."""
    return [int(place) for place in np.asarray(places)[np.argsort(-np.asarray(scores), kind="stable")]]


def play(judged: Collection | Libraries | Stream) -> Iterator[Judgement]:
    """Every method on every query or day of the set."""
    if isinstance(judged, Collection):
        return _collection(judged)
    if isinstance(judged, Libraries):
        return _libraries(judged)
    return _stream(judged)


def _collection(judged: Collection) -> Iterator[Judgement]:
    vocabulary = Vocabulary()
    texts = [Text.of(one.title, one.text, vocabulary) for one in judged.documents]
    background = Background(texts)
    terms, places = Terms(background, texts, len(vocabulary)), np.arange(len(texts))
    search = full_text_search(judged.documents)
    desk = Desk(judged.documents, texts, vocabulary, background)
    asked_for = list(dict.fromkeys(judged.queries))
    day = desk.day(places, asked_for)
    for number, (query, gains) in enumerate(zip(judged.queries, judged.gains, strict=True)):
        asked = [vocabulary.read(query)]
        orders = {
            OURS: desk.order(day, [asked_for.index(query)]),
            "BM25": best_first(terms.bm25(asked, places)[0], places),
            "tf-idf": best_first(terms.cosine(asked, places)[0], places),
        }
        if search:
            orders["ts_rank_cd"] = best_first(search(query), places)
        orders["random"] = _shuffled(places, number)
        for system, order in orders.items():
            yield Judgement("queries", system, f"query {number}", f"query {number}", order, gains)


def _shuffled(places: Integers, seed: int) -> list[int]:
    return [int(one) for one in np.random.default_rng((SEED, seed)).permutation(places)]


def _libraries(judged: Libraries) -> Iterator[Judgement]:
    """Half of each library, drawn once, is what should be found; of the other half some are known."""
    vocabulary = Vocabulary()
    texts = [Text.of(one.title, one.text, vocabulary) for one in judged.documents]
    background = Background(texts)
    terms, places = Terms(background, texts, len(vocabulary)), np.arange(len(texts))
    desk = Desk(judged.documents, texts, vocabulary, background)
    day = desk.day(places, [])
    for number, liked in enumerate(judged.liked):
        drawn = _shuffled(np.array(sorted(liked)), number)
        known, gains = drawn[: len(drawn) // 2], dict.fromkeys(drawn[len(drawn) // 2 :], 1.0)
        for section, some in [(_likes(count), known[:count]) for count in LIKES] + [("half the library", known)]:
            if not some or (section != "half the library" and len(some) < int(section.split()[0])):
                continue
            rest = np.setdiff1d(places, some)
            orders = {OURS: desk.order(day, [], some, refused=some)}
            orders |= _learned(terms, np.array(some), rest, rest)
            orders["random"] = _shuffled(rest, number)
            for system, order in orders.items():
                yield Judgement(section, system, f"reader {number}", f"reader {number}", order, gains)


def _likes(count: int) -> str:
    return f"{count} like{'s' if count > 1 else ''}"


def _learned(terms: Terms, liked: Integers, others: Integers, among: Integers) -> dict[str, list[int]]:
    """The usual methods that learn from likes; `others` are their negatives."""
    orders = {"tf-idf centroid": best_first(terms.centroid(liked, among), among)}
    if has_learners():
        orders["logistic regression"] = best_first(terms.logistic(liked, others, among), among)
        orders["linear SVM"] = best_first(terms.svm(liked, others, among), among)
    return orders


class _Week:
    """A background and the papers of the days it serves: those, the days' own, and all that readers liked before.

    The later days' papers lie on the desk, but nothing is learned from them and no reader sees them early.
    """

    def __init__(self, stream: Stream, texts: Sequence[Text], vocabulary: Vocabulary, first: int, last: int) -> None:
        start = max(0, first - WINDOW)
        liked = {place for reader in stream.readers for place, _ in reader.likes if place < start}
        self.pool = [*range(start, last), *sorted(liked)]
        self.here = {place: number for number, place in enumerate(self.pool)}
        self.background = Background(texts[start:first])
        held = [texts[place] for place in self.pool]
        self.terms = Terms(self.background, held, len(vocabulary))
        documents = [stream.documents[place] for place in self.pool]
        self.desk = Desk(documents, held, vocabulary, self.background)
        self.signed = _signed(documents, held, first - start) if any(one.authors for one in documents) else None

    def numbers(self, places: Iterable[int]) -> Integers:
        return np.array([self.here[place] for place in places if place in self.here], np.int64)


def _signed(documents: Sequence[Document], texts: Sequence[Text], known: int) -> Terms:
    """The papers with their authors as words more, as arxiv-sanity-lite reads them; the first are the background."""
    names = Vocabulary()
    width = max((int(row.max()) + 1 for text in texts for row in text if len(row)), default=0)
    written = [np.array([width + names[name] for name in one.authors], np.int64) for one in documents]
    held = [Text(text.title, np.append(text.abstract, more)) for text, more in zip(texts, written, strict=True)]
    return Terms(Background(held[:known]), held, width + len(names))


class _Calendar:
    """The papers of a stream by day, and what was known before each."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.vocabulary = stream, Vocabulary()
        self.texts = [Text.of(one.title, one.text, self.vocabulary) for one in stream.documents]
        self.dates = [one.date for one in stream.documents]
        self._begins, self._ends = "", ""

    def places(self, date: str) -> range:
        return range(bisect_left(self.dates, date), bisect_right(self.dates, date))

    def week(self, date: str) -> _Week:
        """What was known before the day, or some days earlier; days must be asked in order."""
        if date >= self._ends:
            first = bisect_left(self.dates, date)
            days = REFIT_DAYS if first > WINDOW // 2 else 1
            self._ends = (dt.date.fromisoformat(date) + dt.timedelta(days=days)).isoformat()
            self._week = _Week(self.stream, self.texts, self.vocabulary, first, bisect_left(self.dates, self._ends))
        return self._week

    def upvotes(self, date: str) -> dict[int, int]:
        """Of the day's papers, as last seen by the send hour; 0 where nobody had looked."""
        sent_at = dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC) + SEND_HOUR
        seen = {}
        for place in self.places(date):
            before = [votes for at, votes in self.stream.upvotes.get(place, ()) if at <= sent_at]
            seen[place] = before[-1] if before else 0
        return seen


def known_before(reader: Reader, date: str, dates: Sequence[str]) -> list[int]:
    """The reader's likes that had become known when the day began, of papers of earlier days, oldest first."""
    begins = dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC)
    return [place for place, at in reader.likes if at < begins and dates[place] < date]


def _stream(stream: Stream) -> Iterator[Judgement]:
    calendar = _Calendar(stream)
    wanted: dict[str, dict[str, dict[int, float]]] = {}
    for reader in stream.readers:
        for place, _ in reader.likes:
            wanted.setdefault(calendar.dates[place], {}).setdefault(reader.name, {})[place] = 1.0
    for date in sorted(wanted):
        if len(calendar.places(date)) > 1:
            yield from _one_day(calendar, date, wanted[date])


def _one_day(calendar: _Calendar, date: str, wanted: dict[str, dict[int, float]]) -> Iterator[Judgement]:
    readers = [reader for reader in calendar.stream.readers if reader.name in wanted]
    week = calendar.week(date)
    votes = {week.here[place]: count for place, count in calendar.upvotes(date).items()}
    among = week.numbers(calendar.places(date))
    lines = list(dict.fromkeys(line for reader in readers for line in reader.lines))
    day = week.desk.day(among, lines, votes)
    quiet = replace(day, scale=replace(day.scale, trend=0.0))
    for number, reader in enumerate(readers):
        sections = dict(_of_reader(calendar, week, day, quiet, reader, date, lines))
        plain = {
            "upvotes": best_first(np.array([votes[place] for place in among]), among),
            "random": _shuffled(among, calendar.places(date).start * 1000 + number),
        }
        for section, orders in sections.items():
            for system, order in (orders | plain).items():
                ranked = [week.pool[place] for place in order]
                yield Judgement(section, system, reader.name, f"{reader.name} {date}", ranked, wanted[reader.name])


def _of_reader(
    calendar: _Calendar, week: _Week, day: Day, quiet: Day, reader: Reader, date: str, lines: list[str]
) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """For each section of the table that the day counts in, the order of each method."""
    known, among = known_before(reader, date, calendar.dates), day.candidates.ids
    asked, desk = [lines.index(line) for line in reader.lines], week.desk
    if asked:
        words = [np.concatenate([calendar.vocabulary.read(line) for line in reader.lines])]
        yield (
            "lines alone",
            {
                f"{OURS}: lines": desk.order(day, asked),
                f"{OURS}: lines, no trend": desk.order(quiet, asked),
                "BM25": best_first(week.terms.bm25(words, among)[0], among),
                "tf-idf": best_first(week.terms.cosine(words, among)[0], among),
            },
        )
    for section, some in _sections(reader, known):
        start = max(0, calendar.places(date).start - WINDOW)
        shown = [place for place in range(start, calendar.places(date).start) if place not in set(some)]
        liked_on = {calendar.dates[place] for place in some}
        liked = week.numbers(some)
        passed = week.numbers(place for place in shown if calendar.dates[place] in liked_on)
        orders = {
            f"{OURS}: likes": desk.order(day, [], liked, passed),
            f"{OURS}: likes, no trend": desk.order(quiet, [], liked, passed),
        }
        if desk.unsigned and week.signed:
            orders[f"{OURS}: likes, no authors"] = desk.order(day, [], liked, passed, likeness=desk.unsigned)
            if has_learners():
                svm = week.signed.svm(liked, week.numbers(shown), among)
                orders["linear SVM, authors too"] = best_first(svm, among)
        if asked:
            orders[f"{OURS}: lines"] = desk.order(day, asked)
            orders[f"{OURS}: lines and likes"] = desk.order(day, asked, liked, passed)
            orders[f"{OURS}: lines and likes, no trend"] = desk.order(quiet, asked, liked, passed)
        yield section, orders | _learned(week.terms, liked, week.numbers(shown), among)


def _sections(reader: Reader, known: list[int]) -> Iterator[tuple[str, list[int]]]:
    """The sections a day counts in, with the likes that each lets be known."""
    if len(known) >= 5:
        yield "5 or more earlier likes", known
    if reader.lines:
        return
    for count in LIKES:
        if len(known) >= count:
            yield _likes(count), known[:count]
    if len(known) >= len(reader.likes) // 2 > 0:
        yield "half the likes", known[: len(reader.likes) // 2]
