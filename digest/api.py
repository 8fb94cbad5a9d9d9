"""The JSON interface, version 1: what the pages show, for programs. It reads only; openapi.json describes it.

Any site's script may ask (all of it is public), and whatever is wrong is said as a problem of RFC 9457.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page

from digest import links, previewing
from digest.models import Edition, Listing, Paper
from subscriptions.interests.parser import InterestError
from subscriptions.limits import SEARCHES_IN, is_searching_too_much
from subscriptions.links import absolute

METHODS = "GET, HEAD, OPTIONS"
DEFAULT_LIMIT, MAX_LIMIT = 50, 100
MAX_OFFSET = 10_000  # a database walks over every row it skips; who wants older papers asks by date
MAX_AGE = 60  # seconds
SCHEMA = Path(__file__).with_name("openapi.json").read_bytes()

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,6}")

View = Callable[..., HttpResponse]
JSON = dict[str, Any]


class Problem(Exception):
    """What is wrong with a request, in a sentence; `more` goes into the answer beside it."""

    def __init__(self, status: HTTPStatus, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more

    def answer(self) -> HttpResponse:
        values = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value}
        answer = _json(values | {"detail": self.detail} | self.more, self.status, "application/problem+json")
        if self.status is HTTPStatus.TOO_MANY_REQUESTS:
            answer["Retry-After"] = str(SEARCHES_IN)
        return answer


def _json(values: JSON, status: int = 200, content_type: str = "application/json") -> HttpResponse:
    """Half a surrogate pair, which a list of authors in SQLite may hold, has no UTF-8: it becomes "?"."""
    text = json.dumps(values, ensure_ascii=False)
    return HttpResponse(text.encode("utf-8", "replace"), status=status, content_type=content_type)


def endpoint(*parameters: str) -> Callable[[View], View]:
    """A read-only address that takes these parameters and no other."""

    def decorate(view: View) -> View:
        conditional = conditional_page(view)

        @csrf_exempt  # nothing is ever written; a POST shall read our 405, not Django's page about cookies
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                if request.method == "OPTIONS":
                    return _open(HttpResponse(status=204))
                _refuse_other_methods(request)
                _refuse_other_parameters(request, parameters)
                answer = conditional(request, *args, **kwargs)
                patch_cache_control(answer, public=True, max_age=MAX_AGE)
            except Problem as problem:
                answer = problem.answer()
            except TooManyFieldsSent:
                answer = Problem(HTTPStatus.BAD_REQUEST, "There are too many parameters.").answer()
            return _open(answer)

        return wrapped

    return decorate


def _open(answer: HttpResponse) -> HttpResponse:
    """Other sites' scripts may ask and read."""
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Access-Control-Expose-Headers"] = "ETag"
    if answer.status_code in (204, 405):
        answer["Allow"] = answer["Access-Control-Allow-Methods"] = METHODS
        answer["Access-Control-Allow-Headers"] = "*"
        answer["Access-Control-Max-Age"] = "86400"
    return answer


def _refuse_other_methods(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This address can only be read, with {METHODS}.")


def _refuse_other_parameters(request: HttpRequest, known: tuple[str, ...]) -> None:
    """A parameter passed over in silence would bring a wrong answer that looks right."""
    for name, values in request.GET.lists():
        if name not in known:
            there = f"there is: {', '.join(known)}" if known else "this address takes none"
            raise Problem(HTTPStatus.BAD_REQUEST, f"There is no parameter “{name}”; {there}.", parameter=name)
        if len(values) > 1:
            raise Problem(HTTPStatus.BAD_REQUEST, f"“{name}” is given {len(values)} times: once only.", parameter=name)


def _bad(name: str, detail: str, **more: object) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, parameter=name, **more)


def _number(request: HttpRequest, name: str, default: int, lowest: int, highest: int) -> int:
    text = request.GET.get(name, str(default))
    if not _NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
        raise _bad(name, f"“{name}” is not a whole number from {lowest} to {highest}.")
    return int(text)


def _place(request: HttpRequest) -> tuple[int, int]:
    """Which part of a list is asked for: how many, after how many."""
    limit = _number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    return limit, _number(request, "offset", 0, 0, MAX_OFFSET)


def _date(request: HttpRequest) -> dt.date | None:
    text = request.GET.get("date")
    if text is None:
        return None
    try:
        # Python would also read 20260316 and 2026-W12-1.
        return dt.date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise _bad("date", "“date” is not a day written as YYYY-MM-DD, such as 2026-03-16.") from None


def _page(request: HttpRequest, count: int, limit: int, offset: int, results: list[JSON]) -> JSON:
    """One part of a list, and where its neighbours are."""
    after, before = offset + limit, max(offset - limit, 0)
    return {
        "count": count,
        "next": _at_offset(request, after) if after < count and after <= MAX_OFFSET else None,
        "previous": _at_offset(request, before) if offset else None,
        "results": results,
    }


def _at_offset(request: HttpRequest, offset: int) -> str:
    query = request.GET.copy()
    query["offset"] = str(offset)
    return absolute(f"{request.path}?{query.urlencode()}")


def _iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None


def _paper(paper: Paper) -> JSON:
    return {
        "id": paper.pk,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": paper.authors,
        "categories": paper.categories,
        "arxiv_id": paper.arxiv_id or None,
        "doi": paper.doi or None,
        "upvotes": paper.upvotes,
        "published_on": _iso(paper.published_on),
        "first_listed_on": _iso(paper.first_listed_on),
        "link": links.to_read(paper),
        "pdf": paper.pdf_link or None,
        "page": absolute(paper.get_absolute_url()),
    }


def _listing(listing: Listing) -> JSON:
    edition = listing.edition
    return {
        "source": edition.source.slug,
        "source_name": edition.source.name,
        "date": _iso(edition.date),
        "rank": listing.rank,
        "upvotes": listing.upvotes,
    }


@endpoint("date", "q", "limit", "offset")
def papers(request: HttpRequest) -> HttpResponse:
    """All papers, newest first; those of a date; or the recent ones an interest line finds, best first."""
    limit, offset = _place(request)
    date = _date(request)
    if "q" in request.GET:
        if is_searching_too_much(request):
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"Too many searches: wait {SEARCHES_IN // 60} minutes.")
        found = _found(request.GET["q"].strip(), date)
        count, part = len(found), found[offset : offset + limit]
    else:
        rows = (
            Paper.objects.listed(date, date)
            if date
            else Paper.objects.known().order_by("-first_listed_on", "-upvotes", "pk")
        )
        count, part = rows.count(), list(rows[offset : offset + limit])
    return _json(_page(request, count, limit, offset, [_paper(paper) for paper in part]))


def _found(line: str, date: dt.date | None) -> list[Paper]:
    """What the search page finds; with a date, those of them that were listed on it."""
    try:
        found: list[Paper] = [item["paper"] for item in previewing.search(line, timezone.now())]
    except InterestError as error:
        detail = f"{error.message}, at character {error.position + 1}."
        raise _bad("q", detail, position=error.position, suggestion=error.suggestion) from error
    if date is None:
        return found
    listed = set(Listing.objects.filter(edition__date=date, paper__in=found).values_list("paper", flat=True))
    return [paper for paper in found if paper.pk in listed]


@endpoint()
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper, and where and when it was listed."""
    listings = Listing.objects.select_related("edition__source").order_by("edition__date", "pk")
    papers = Paper.objects.prefetch_related(Prefetch("listings", listings))
    found = papers.filter(pk=pk).first()
    if found and found.merged_into_id:
        found = papers.filter(pk=found.merged_into_id).first()
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no paper of this number.")
    return _json(_paper(found) | {"listings": [_listing(listing) for listing in found.listings.all()]})


@endpoint("limit", "offset")
def editions(request: HttpRequest) -> HttpResponse:
    """Each source's lists, newest first, and how many papers each holds."""
    limit, offset = _place(request)
    rows = Edition.objects.with_papers().select_related("source").order_by("-date", "source__slug")
    part = list(rows[offset : offset + limit])
    results = [
        {
            "source": edition.source.slug,
            "source_name": edition.source.name,
            "date": _iso(edition.date),
            "papers": edition.size,
        }
        for edition in part
    ]
    return _json(_page(request, rows.count(), limit, offset, results))


@endpoint()
def schema(request: HttpRequest) -> HttpResponse:
    """This interface described in OpenAPI 3.1."""
    return HttpResponse(SCHEMA, content_type="application/json")


@endpoint()
def nothing(request: HttpRequest) -> HttpResponse:
    """Every other address below api/: a program gets a problem, not a page."""
    raise Problem(HTTPStatus.NOT_FOUND, "There is nothing at this address; /api/v1/openapi.json says what there is.")
