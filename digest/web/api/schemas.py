"""The answers of the API as types: what the views build, and what its description says of them."""

from __future__ import annotations

from typing import (
    Annotated,
    NotRequired,  # that of Python 3.11 cannot be read by pydantic
)

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from digest.models import Feedback
from digest.web.api.parameters import DIGEST_LIMIT, LIMIT, MAX_NUMBER

Date = Annotated[str, Field(json_schema_extra={"format": "date"})]
Link = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Count = Annotated[int, Field(ge=0)]
SourceSlug = Annotated[str, Field(description="The source's short name, as in a `source:` interest.")]
EditionDate = Annotated[Date, Field(description="The list's own date.")]
Suggestion = Annotated[str, Field(description="A line that can be read, or empty.")]


class Index(TypedDict):
    papers: Link
    editions: Link
    me: Link
    description: Link
    feed: Link


class Paper(TypedDict):
    """A paper, once, whatever lists it."""

    id: int
    title: Annotated[str, Field(description="Plain text, never HTML.")]
    abstract: Annotated[str, Field(description="Plain text, never HTML; empty where the source gives none.")]
    authors: list[str]
    categories: Annotated[list[str], Field(description="As the source writes them, such as cs.CL.")]
    arxiv_id: Annotated[str | None, Field(description="Without the version.")]
    doi: Annotated[str | None, Field(description="Without a resolver in front.")]
    upvotes: Count
    published_on: Annotated[Date | None, Field(description="The paper's own date.")]
    first_listed_on: Annotated[Date, Field(description="The date of the first list that held it.")]
    link: Annotated[Link, Field(description="Where to read the paper.")]
    pdf: Link | None
    page: Annotated[Link, Field(description="The paper's page on this site.")]


class Listing(TypedDict):
    """A paper's place in one source's list."""

    source: SourceSlug
    source_name: str
    date: EditionDate
    rank: Annotated[int, Field(ge=1, description="Its place in that list.")]
    upvotes: Annotated[Count | None, Field(description="As that list counted them; null where it does not.")]


class ListedPaper(Paper):
    """A paper with its listings, oldest first."""

    listings: list[Listing]


class Edition(TypedDict):
    """One source's list for one date."""

    source: SourceSlug
    source_name: str
    date: EditionDate
    papers: Annotated[Count, Field(description="How many papers the list holds.")]


class Pick(TypedDict):
    paper: Paper
    lane: Annotated[str, Field(json_schema_extra={"enum": ["interests", "trending"]})]
    points: float
    why: Annotated[str, Field(description="Why it was chosen, in words.")]


class Digest(TypedDict):
    """What one mail held, best first."""

    issue_date: Date
    notice: Annotated[str, Field(description="What the mail said first, such as that a source was late.")]
    picks: list[Pick]


class Saved(TypedDict):
    paper: Paper
    saved_on: Date


class Said(TypedDict):
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    paper: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    say: Annotated[str, Field(json_schema_extra={"enum": Feedback.Kind.values})]


class Page(TypedDict):
    count: Annotated[Count, Field(description="How many there are in all.")]
    next: Annotated[
        Link | None,
        Field(description="The next part; null after the last, or where it would lie beyond the greatest `offset`."),
    ]
    previous: Link | None


class PaperPage(Page):
    """A part of a list of papers."""

    results: Annotated[list[Paper], Field(max_length=LIMIT.maximum)]


class EditionPage(Page):
    """A part of the lists."""

    results: Annotated[list[Edition], Field(max_length=LIMIT.maximum)]


class DigestPage(Page):
    """A part of your digests."""

    results: Annotated[list[Digest], Field(max_length=DIGEST_LIMIT.maximum)]


class SavedPage(Page):
    """A part of what you saved."""

    results: Annotated[list[Saved], Field(max_length=LIMIT.maximum)]


class Fault(TypedDict):
    pointer: Annotated[str, Field(description="Where in the body: a JSON pointer (RFC 6901) as a URI fragment.")]
    detail: str
    line: NotRequired[Annotated[int, Field(ge=1, description="Of a line that cannot be read: its number, from 1.")]]
    column: NotRequired[Annotated[int, Field(ge=1, description="Where in the line, in characters from 1.")]]
    suggestion: NotRequired[Suggestion]


class Problem(TypedDict):
    """RFC 9457."""

    type: Annotated[str, Field(json_schema_extra={"const": "about:blank"})]
    title: Annotated[str, Field(description="The status in words.")]
    status: int
    detail: Annotated[str, Field(description="What is wrong, in a sentence.")]
    parameter: NotRequired[Annotated[str, Field(description="The parameter at fault, where there is one.")]]
    position: NotRequired[Annotated[int, Field(ge=0, description="Where in `q` the mistake is, in characters from 0.")]]
    suggestion: NotRequired[Suggestion]
    errors: NotRequired[Annotated[list[Fault], Field(description="Each thing that is wrong with the body.")]]
