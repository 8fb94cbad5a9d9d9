"""The JSON interface, version 1: what the pages show, for programs. It reads only; openapi.py describes it.

A subscriber's own part of it is in own.py.

Any site's script may ask (all of it is public), and whatever is wrong is said as a problem of RFC 9457.
"""

from __future__ import annotations

import datetime as dt
from functools import wraps
from http import HTTPStatus

from django.core.exceptions import TooManyFieldsSent
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page

from digest.models import Edition, Listing, Paper
from digest.picks.explanation.find_paper import named_papers
from digest.picks.preview import digest_preview
from digest.web.api import schemas
from digest.web.api.answers import JSON, Problem, as_json, bad, iso, page, paper_values, too_many
from digest.web.api.operations import Operation, View, operation, with_operations
from digest.web.api.parameters import DATE, LIMIT, LINE, OFFSET, refuse_other_parameters
from digest.web.api.parameters import date as date_of
from subscriptions.interests.parser import InterestError
from subscriptions.limits import SEARCHES_IN, is_searching_too_much
from subscriptions.links import absolute
from subscriptions.workload import Refused, computing

METHODS = "GET, HEAD, OPTIONS"
MAX_AGE = 60  # seconds


def endpoint(operation: Operation) -> View:
    """A read-only address."""
    conditional = conditional_page(operation)

    @csrf_exempt  # nothing is ever written; a POST shall read our 405, not Django's page about cookies
    @wraps(operation.view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            if request.method == "OPTIONS":
                return _open(HttpResponse(status=204))
            _refuse_other_methods(request)
            refuse_other_parameters(request, operation.parameters)
            answer = conditional(request, *args, **kwargs)
            patch_cache_control(answer, public=True, max_age=MAX_AGE)
        except Problem as problem:
            answer = problem.answer()
        except Refused as refused:
            answer = _refusal(refused).answer()
        except TooManyFieldsSent:
            answer = Problem(HTTPStatus.BAD_REQUEST, "There are too many parameters.").answer()
        return _open(answer)

    return with_operations(wrapped, {"GET": operation})


def _open(answer: HttpResponse) -> HttpResponse:
    """Other sites' scripts may ask and read."""
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Access-Control-Expose-Headers"] = "ETag"
    if answer.status_code in (204, 405):
        answer["Allow"] = answer["Access-Control-Allow-Methods"] = METHODS
        answer["Access-Control-Allow-Headers"] = "*"
        answer["Access-Control-Max-Age"] = "86400"
    return answer


def _refusal(refused: Refused) -> Problem:
    detail = "Your network asked for too much. Wait ten minutes." if refused.status == 429 else "Busy: try again soon."
    return Problem(HTTPStatus(refused.status), detail, {"Retry-After": str(refused.seconds)})


def _refuse_other_methods(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This address can only be read, with {METHODS}.")


def _listing(listing: Listing) -> JSON:
    edition = listing.edition
    return {
        "source": edition.source.slug,
        "source_name": edition.source.name,
        "date": iso(edition.date),
        "rank": listing.rank,
        "upvotes": listing.upvotes,
    }


@endpoint
@operation("listPapers", "papers", schemas.PaperPage, DATE, LINE, LIMIT, OFFSET, is_limited=True)
def papers(request: HttpRequest) -> HttpResponse:
    """Papers: all, those of a date, or those an interest line finds.

    Without `date` and `q`: all papers, newest list first, most upvoted first. With `date`: the list of that date, most
    upvoted first; an empty one where there was none. With `q`: at most the 50 best of the last 30 days, best first;
    with `date` too, those of them that were listed on it.
    """
    limit, offset = LIMIT.read(request), OFFSET.read(request)
    date = date_of(request)
    if "q" in request.GET:
        if is_searching_too_much(request):
            raise too_many(f"Too many searches: wait {SEARCHES_IN // 60} minutes.", SEARCHES_IN)
        with computing(request):
            found = _found(request.GET["q"].strip(), date)
        count, part = len(found), found[offset : offset + limit]
    else:
        rows = (
            Paper.objects.listed(date, date)
            if date
            else Paper.objects.known().order_by("-first_listed_on", "-upvotes", "pk")
        )
        count, part = rows.count(), list(rows[offset : offset + limit])
    return as_json(page(request, count, limit, offset, [paper_values(paper) for paper in part]))


def _found(line: str, date: dt.date | None) -> list[Paper]:
    """What the search page finds; with a date, those of them that were listed on it."""
    try:
        named = named_papers(line)
        found: list[Paper] = (
            named if named is not None else [item["paper"] for item in digest_preview.search(line, timezone.now())]
        )
    except InterestError as error:
        detail = f"{error.message}, at character {error.position + 1}."
        raise bad("q", detail, position=error.position, suggestion=error.suggestion) from error
    if date is None:
        return found
    listed = set(Listing.objects.filter(edition__date=date, paper__in=found).values_list("paper", flat=True))
    return [paper for paper in found if paper.pk in listed]


@endpoint
@operation("getPaper", "papers", schemas.ListedPaper)
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper, and where and when it was listed."""
    listings = Listing.objects.select_related("edition__source").order_by("edition__date", "pk")
    papers = Paper.objects.prefetch_related(Prefetch("listings", listings))
    found = papers.filter(pk=pk).first()
    if found and found.merged_into_id:
        found = papers.filter(pk=found.merged_into_id).first()
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no paper of this number.")
    return as_json(paper_values(found) | {"listings": [_listing(listing) for listing in found.listings.all()]})


@endpoint
@operation("listEditions", "editions", schemas.EditionPage, LIMIT, OFFSET)
def editions(request: HttpRequest) -> HttpResponse:
    """Each source's lists, newest first."""
    limit, offset = LIMIT.read(request), OFFSET.read(request)
    rows = Edition.objects.with_papers().select_related("source").order_by("-date", "source__slug")
    part = list(rows[offset : offset + limit])
    results = [
        {
            "source": edition.source.slug,
            "source_name": edition.source.name,
            "date": iso(edition.date),
            "papers": edition.size,
        }
        for edition in part
    ]
    return as_json(page(request, rows.count(), limit, offset, results))


@endpoint
@operation("getIndex", "description", schemas.Index)
def index(request: HttpRequest) -> HttpResponse:
    """What there is, by its addresses."""
    names = {
        "papers": "api_papers",
        "editions": "api_editions",
        "me": "api_me",
        "description": "api_schema",
        "feed": "feed_papers",
    }
    return as_json({name: absolute(reverse(f"digest:{view}")) for name, view in names.items()})


@endpoint
@operation("", "", None)
def nothing(request: HttpRequest) -> HttpResponse:
    """Every other address below api/: a program gets a problem, not a page."""
    raise Problem(HTTPStatus.NOT_FOUND, "There is nothing at this address; /api/v1/openapi.json says what there is.")
