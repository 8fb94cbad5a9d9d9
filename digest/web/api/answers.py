"""What every answer of the JSON interface is made of: problems of RFC 9457, parts of lists, papers as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from digest.models import Paper
from subscriptions.links import absolute
from subscriptions.visible import in_json

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
MAX_OFFSET = 10_000  # a database walks over every row it skips; who wants older papers asks by date

JSON = dict[str, Any]


class Problem(Exception):
    """What is wrong with a request, in a sentence; `more` goes into the answer beside it."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more

    def answer(self) -> HttpResponse:
        values = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value}
        answer = as_json(values | {"detail": self.detail} | self.more, self.status, "application/problem+json")
        for name, value in self.headers.items():
            answer[name] = value
        return answer


def too_many(detail: str, seconds: int) -> Problem:
    """Somebody asked too often, and may ask again after so long."""
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(seconds)})


def as_json(values: JSON, status: int = 200, content_type: str = "application/json") -> HttpResponse:
    """Half a surrogate pair, which a list of authors in SQLite may hold, has no UTF-8: it becomes "?"."""
    text = in_json(json.dumps(values, ensure_ascii=False))
    return HttpResponse(text.encode("utf-8", "replace"), status=status, content_type=content_type)


def bad(name: str, detail: str, **more: object) -> Problem:
    """A parameter whose value cannot be read."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, None, parameter=name, **more)


def page(request: HttpRequest, count: int, limit: int, offset: int, results: list[JSON]) -> JSON:
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


def iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None


def paper_values(paper: Paper) -> JSON:
    """A paper as every list shows it."""
    return {
        "id": paper.pk,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": paper.authors,
        "categories": paper.categories,
        "arxiv_id": paper.arxiv_id or None,
        "doi": paper.doi or None,
        "upvotes": paper.upvotes,
        "published_on": iso(paper.published_on),
        "first_listed_on": iso(paper.first_listed_on),
        "link": paper.link,
        "pdf": paper.pdf_link or None,
        "page": absolute(paper.get_absolute_url()),
    }
