"""The Hugging Face papers listing saved as text: some header lines, then title and abstract in turn.

Each title and each abstract is one line; blank lines between them mean nothing. No ids, links or authors
are in such a page, so the order of the lines is all there is: a line too many or too few would give every
paper after it the wrong abstract, and is an error that names the line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from digest.papers.sources.collect import PassedOver, collected
from digest.papers.sources.fragments import title_line
from digest.papers.sources.parsed import ParsedEdition, ParsedListing, SourceError
from digest.papers.sources.plain_text import abstract_line, decoded, one_line, quoted
from subscriptions.delimited import LINE_END

# Of 6,141 papers of the daily lists the longest title has 168 characters and none ends with a full stop;
# the shortest abstract has 165.
PROSE = 200  # longer lines are abstracts, if the order of the lines allows it
LONGEST_TITLE = 300  # longer lines are abstracts, whatever the order says
LONGEST_HEADER = 12  # lines
SENTENCE_END = re.compile(r"(?:[.\u2026\u3002\uff0e]|\.\.\.)[\"'\u2019\u201d)\]]*$")
SENTENCE_BREAK = re.compile(r"[a-z0-9)\]][.?!] [A-Z]")

# Lines that are known to stand above the papers. A header needs none of them; where one is, the papers
# begin below it.
FURNITURE = re.compile(
    r"new|subscribe|sign ?up|log ?in|(?:hugging ?face )?(?:daily|trending) papers|by ?@?ak\b.{0,60}"
    r"|get trending papers in your e-?mail inbox.{0,40}",
    re.IGNORECASE,
)
# The page's button, glued to the first title when the page was copied without its line breaks; not the
# beginning of "Subscribers ..." or "Subscribe to ...".
GLUED_BUTTON = re.compile(r"^Subscribe(?=[a-ce-qt-z]?[A-Z0-9\"'\u201c\u2018$(\[\\])")

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DATES = tuple(
    re.compile(rf"(?<![\w.]){pattern}(?!\d)", re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})",
        rf"{MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? {MONTH}(?:,? (?P<year>\d{{4}}))?",
    )
)
LEAP_YEAR_OF_NO_YEAR = 4  # "Feb 29" has no year but exists; no page is as old as the year 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank, and where it stands in the file."""

    number: int
    text: str

    @property
    def is_prose(self) -> bool:
        """Whether it reads like an abstract rather than a title."""
        words = len(self.text.split())
        ends = bool(SENTENCE_END.search(self.text)) and (words >= 4 or not self.text.isascii())
        return len(self.text) > PROSE or ends or (words >= 25 and bool(SENTENCE_BREAK.search(self.text)))

    @property
    def is_furniture(self) -> bool:
        return bool(FURNITURE.fullmatch(self.text)) or any(date.fullmatch(self.text) for date in DATES)


def parse(page: bytes | str) -> ParsedEdition:
    """The papers of the saved text, dated by its header where that says a day."""
    lines = _lines(decoded(page))
    start = _first_title(lines)
    pairs = _pairs(lines[start:])
    listings, warnings = collected(pairs, _listing, "paper")
    date, month_day = _date(lines[:start])
    notes = _strangers(lines[:start])
    return ParsedEdition(listings=listings, date=date, month_day=month_day, warnings=(*notes, *warnings))


def _lines(text: str) -> list[Line]:
    numbered = enumerate(LINE_END.split(text), start=1)
    # The bound is far above what a listing keeps: whether a line is an abstract is judged on all of it.
    return [Line(number, line) for number, raw in numbered if (line := one_line(raw, 100_000))]


def _first_title(lines: Sequence[Line]) -> int:
    """Where the header ends: the first title that has an abstract below it."""
    shortest = _shortest_abstract(lines)
    for index in range(_below_furniture(lines), len(lines) - 1):
        title, abstract = lines[index], lines[index + 1]
        if len(title.text) > LONGEST_TITLE:
            raise SourceError(
                f"line {title.number}: an abstract has no title above it: is the page's top missing? Save all of it"
            )
        if abstract.is_prose and len(abstract.text) >= shortest and not title.is_prose:
            return index
    raise SourceError(
        "the text holds no papers (no line reads like an abstract below its title): "
        "save the papers page as text again, or use the API's JSON"
    )


def _below_furniture(lines: Sequence[Line]) -> int:
    below = 0
    for index, line in enumerate(lines[:LONGEST_HEADER]):
        if len(line.text) > LONGEST_TITLE:
            break
        if line.is_furniture:
            below = index + 1
    return below


def _shortest_abstract(lines: Sequence[Line]) -> float:
    # A header may hold a sentence of its own ("Chosen by people who read."). It is told from the first
    # abstract by its length: less than a tenth of what is usual on the page.
    return median([len(line.text) for line in lines if line.is_prose] or [0]) / 10


def _strangers(header: Sequence[Line]) -> list[str]:
    # A first title whose abstract is missing looks like a header line. Nothing can tell, so the log shall.
    strangers = [line for line in header if not line.is_furniture]
    return [f"line {line.number} taken for a header: {quoted(line.text)}" for line in strangers[:LONGEST_HEADER]]


def _pairs(lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    """Title and abstract in turn; SourceError at the first line that stands in the wrong place."""
    pairs = []
    for index in range(0, len(lines), 2):
        title, *rest = lines[index : index + 2]
        abstract = rest[0] if rest else None
        _check_title(title, abstract)
        pairs.append((title, _checked_abstract(title, abstract)))
    return pairs


def _check_title(title: Line, below: Line | None) -> None:
    # A title may end with a full stop; but then an abstract follows it.
    if len(title.text) > LONGEST_TITLE or (title.is_prose and not (below and below.is_prose)):
        raise SourceError(
            f"line {title.number}: two abstracts in a row ({quoted(title.text)} is where a title should be): "
            "put the missing title in, or take the line out"
        )


def _checked_abstract(title: Line, abstract: Line | None) -> Line:
    if abstract is None or not abstract.is_prose:
        raise SourceError(
            f"line {title.number}: the title {quoted(title.text)} has no abstract below it: "
            "was the page cut off? Save all of it, or take the line out"
        )
    return abstract


def _listing(pair: tuple[Line, Line], rank: int) -> ParsedListing:
    text = pair[0].text
    title = title_line(GLUED_BUTTON.sub("", text) if rank == 1 else text)
    if not title:
        raise PassedOver(f"line {pair[0].number} is no title ({quoted(text)})")
    return ParsedListing(title=title, abstract=abstract_line(pair[1].text), rank=rank)


def _date(header: Sequence[Line]) -> tuple[dt.date | None, tuple[int, int] | None]:
    """The header's date: a full one, or else a month and day."""
    found = [match for line in header for date in DATES if (match := date.search(line.text))]
    found.sort(key=lambda match: match["year"] is None)
    day = next((day for match in found if (day := _day(match))), None)
    if day is None or day.year != LEAP_YEAR_OF_NO_YEAR:
        return day, None
    return None, (day.month, day.day)


def _day(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    month = int(parts["number"]) if "number" in parts else MONTHS.index(parts["month"][:3].lower()) + 1
    try:
        return dt.date(int(parts["year"] or LEAP_YEAR_OF_NO_YEAR), month, int(parts["day"]))
    except ValueError:  # the 30th of February, the year 0
        return None
