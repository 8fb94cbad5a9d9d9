"""The public lists: the newest day, any day, any week, any month, and the way from one to the next."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from digest.mail.rendering.excerpts import byline, cut
from digest.models import Edition, Paper
from subscriptions.forms import SignupForm

PAGE_SIZE = 60
EXCERPT = 260  # characters


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both in it."""

    kind: str  # day, week, month
    first: dt.date
    last: dt.date

    @classmethod
    def day(cls, date: dt.date) -> Period:
        return cls("day", date, date)

    @classmethod
    def week(cls, date: dt.date) -> Period:
        """The week of ISO 8601 that holds the date: Monday to Sunday."""
        monday = date - dt.timedelta(days=date.weekday())
        return cls("week", monday, monday + dt.timedelta(days=6))

    @classmethod
    def month(cls, date: dt.date) -> Period:
        return cls("month", date.replace(day=1), date.replace(day=monthrange(date.year, date.month)[1]))

    def of(self, date: dt.date) -> Period:
        """The period of the same kind that holds another date."""
        make = {"day": Period.day, "week": Period.week, "month": Period.month}[self.kind]
        return make(date)

    @property
    def name(self) -> str:
        return formats.date_format(self.first, gettext("F Y") if self.kind == "month" else gettext("j F Y"))

    @property
    def title(self) -> str:
        return gettext("the week of %(day)s") % {"day": self.name} if self.kind == "week" else self.name

    @property
    def heading(self) -> str:
        """Of its page."""
        match self.kind:
            case "week":
                return gettext("Papers of the week of %(day)s") % {"day": self.name}
            case "month":
                return gettext("Papers of %(month)s") % {"month": self.name}
        return gettext("Papers of %(day)s") % {"day": self.name}

    @property
    def kinds(self) -> str:
        """What its neighbours are."""
        match self.kind:
            case "week":
                return gettext("Weeks")
            case "month":
                return gettext("Months")
        return gettext("Days")

    def get_absolute_url(self) -> str:
        if self.kind == "month":
            return reverse("digest:month", args=[self.first])
        if self.kind == "week":
            return reverse("digest:week", args=[self.first])
        return reverse("digest:archive", args=[self.first])


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The newest list as the world sees it, with the sign-up beside it."""
    newest = Edition.objects.with_papers().filter(date__lte=timezone.now().date()).aggregate(last=Max("date"))["last"]
    values: dict[str, Any] = {"form": SignupForm(), "papers": [], "period": None}
    if newest:
        values |= _list_of(Period.day(newest), request)
    return render(request, "digest/today.html", values)


@require_safe
def archive(request: HttpRequest, date: dt.date) -> HttpResponse:
    """The list of one date."""
    return _page(request, Period.day(date))


@require_safe
def week(request: HttpRequest, date: dt.date) -> HttpResponse:
    """The papers listed in the week that begins on `date`."""
    return _page(request, Period.week(date))


@require_safe
def month(request: HttpRequest, date: dt.date) -> HttpResponse:
    """The papers listed in a month."""
    return _page(request, Period.month(date))


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Every month and day that has a list."""
    lists = Edition.objects.with_papers().values("date").annotate(papers=Count("papers", distinct=True))
    months: dict[Period, list[dict[str, Any]]] = {}
    for day in lists.order_by("-date"):
        months.setdefault(Period.month(day["date"]), []).append(dict(day))
    return render(request, "digest/calendar.html", {"months": months.items()})


def _page(request: HttpRequest, period: Period) -> HttpResponse:
    values = _list_of(period, request)
    if not values["papers"]:
        raise Http404("No list of those days.")
    return render(request, "digest/archive.html", values)


def _list_of(period: Period, request: HttpRequest) -> dict[str, Any]:
    """A period's papers of all sources, most upvoted first, a page of them, and the periods before and after."""
    papers = Paper.objects.listed(period.first, period.last)
    page = Paginator(papers, PAGE_SIZE).get_page(request.GET.get("page"))
    dates = Edition.objects.with_papers().order_by()
    before = dates.filter(date__lt=period.first).aggregate(last=Max("date"))["last"]
    after = dates.filter(date__gt=period.last).aggregate(first=Min("date"))["first"]
    return {
        "period": period,
        "week": Period.week(period.first),
        "month": Period.month(period.first),
        "page": page,
        "papers": [
            {"paper": paper, "byline": byline(paper.authors), "excerpt": cut(paper.abstract, EXCERPT)} for paper in page
        ],
        "previous": period.of(before) if before else None,
        "next": period.of(after) if after else None,
    }
