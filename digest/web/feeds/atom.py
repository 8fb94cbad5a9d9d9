"""Atom feeds: the newest list, and whatever an interest line finds. Valid XML whatever a title holds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Atom1Feed
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import conditional_page, require_safe

from digest.models import Edition, Listing, Paper
from digest.papers.search import index
from digest.picks.explanation.find_paper import named_papers
from digest.relevance.matching.queries import Query
from subscriptions.interests.parser import InterestError, parse
from subscriptions.limits import SEARCHES_IN, is_searching_too_much
from subscriptions.links import absolute
from subscriptions.workload import Refused, computing

FEED_SIZE = 60
MOST_AUTHORS = 50  # an entry; a collaboration of 3,000 would outweigh all the rest of the feed
MAX_AGE = 300  # seconds a reader or a proxy may keep a feed without asking
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)  # when a feed without entries changed

# What XML 1.0 cannot carry: controls, halves of surrogate pairs, U+FFFE, U+FFFF. C1 controls it only advises against,
# and overrides of the reading direction would reach into what stands beside a title.
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text without the characters that XML 1.0 cannot carry."""
    return _NOT_XML.sub("", text)


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _lines(texts: Iterable[str]) -> list[str]:
    """Those that have something to show: Atom allows no author and no category without a name."""
    return [line for text in texts if (line := _line(text))]


class _CleanXml(SimplerXMLGenerator):
    """Cleans at the exit, text and attributes, so that no field can be forgotten."""

    def characters(self, content: str) -> None:
        super().characters(clean(content))

    def startElement(self, name: str, attrs: Any) -> None:
        super().startElement(name, {key: clean(value) for key, value in attrs.items()})  # type: ignore[arg-type]


class Atom(Atom1Feed):
    """Django's Atom with each author, a summary that is text, and our own page beside the paper's."""

    def write(self, outfile: Any, encoding: str) -> None:
        handler = _CleanXml(outfile, encoding, short_empty_elements=True)
        handler.startDocument()
        handler.startElement("feed", self.root_attributes())
        self.add_root_elements(handler)
        self.write_items(handler)
        handler.endElement("feed")

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item | {"description": None})  # Django's summary says it is HTML
        for name in item["authors"]:
            handler.startElement("author", {})  # type: ignore[arg-type]
            handler.addQuickElement("name", name)
            handler.endElement("author")
        if item["description"]:
            handler.addQuickElement("summary", item["description"], {"type": "text"})
        if item["page"] != item["link"]:
            handler.addQuickElement("link", None, {"rel": "related", "type": "text/html", "href": item["page"]})

    def latest_post_date(self) -> dt.datetime:
        """When the list or an entry changed last. Django would say "now" of an empty feed, at every request."""
        moments: list[dt.datetime] = [self.feed["changed"], *(item["updateddate"] for item in self.items)]
        return max(moments)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one feed shows: `page` is the same for people, `address` its own, `changed` when its list did."""

    title: str
    page: str
    address: str
    papers: list[Paper] = field(default_factory=list)
    changed: dt.datetime = EPOCH


if TYPE_CHECKING:
    _Feed = Feed[Paper, Shown]
else:
    _Feed = Feed  # takes no type arguments at run time


class PaperFeed(_Feed):
    """Papers as Atom entries. A kind of feed says which, in `get_object`."""

    feed_type = Atom
    language = "en"

    def title(self, shown: Shown) -> str:
        return shown.title

    def link(self, shown: Shown) -> str:
        return shown.page

    def feed_url(self, shown: Shown) -> str:
        return shown.address

    def feed_guid(self, shown: Shown) -> str:
        return shown.address

    def author_name(self) -> str:
        """Atom asks for an author: the site stands in for entries that have none."""
        return str(settings.SITE_NAME)

    def feed_extra_kwargs(self, obj: Shown) -> dict[str, Any]:
        return {"changed": obj.changed}

    def items(self, shown: Shown) -> list[Paper]:
        return shown.papers

    def item_title(self, item: Paper) -> str:
        return _line(item.title) or f"Paper {item.pk}"

    def item_description(self, item: Paper) -> str:
        return item.abstract

    def item_link(self, item: Paper) -> str:
        return item.link

    def item_guid(self, item: Paper) -> str:
        """A tag of RFC 4151: it stays when the site moves to https, or the paper to another address."""
        host = urlsplit(settings.SITE_URL).hostname
        return f"tag:{host},{item.first_seen_at:%Y-%m-%d}:{item.get_absolute_url()}"

    def item_pubdate(self, item: Paper) -> dt.datetime:
        return item.first_seen_at

    def item_updateddate(self, item: Paper) -> dt.datetime:
        return max(item.first_seen_at, item.changed_at)

    def item_categories(self, item: Paper) -> list[str]:
        return _lines(item.categories)

    def item_extra_kwargs(self, item: Paper) -> dict[str, Any]:
        return {"authors": _lines(item.authors[:MOST_AUTHORS]), "page": absolute(item.get_absolute_url())}


class NewestFeed(PaperFeed):
    """The newest list, as the first page shows it."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Shown:
        title, page = f"{settings.SITE_NAME}: the newest papers", absolute(reverse("digest:today"))
        address = absolute(reverse("digest:feed_papers"))
        lists = Edition.objects.with_papers().filter(date__lte=timezone.now().date())
        date = lists.aggregate(newest=Max("date"))["newest"]
        if date is None:
            return Shown(title, page, address)
        changed = Listing.objects.filter(edition__date=date).aggregate(last=Max("seen_at"))["last"]
        return Shown(title, page, address, list(Paper.objects.listed(date, date)[:FEED_SIZE]), changed or EPOCH)


class SearchFeed(PaperFeed):
    """The papers an interest line finds, newest first. Raises InterestError, SearchedTooMuch."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Shown:
        line = request.GET.get("q", "").strip()
        named = named_papers(line)
        query = Query.of(0, parse(line)) if named is None else None
        if is_searching_too_much(request):
            raise SearchedTooMuch
        if query is not None:
            named = [paper for paper, _, _ in index.find(query, FEED_SIZE, deadline=kwargs["deadline"]).found]
        typed = urlencode({"q": line})
        return Shown(
            f"{settings.SITE_NAME}: {line}",
            f"{absolute(reverse('digest:search'))}?{typed}",
            f"{absolute(reverse('digest:feed_search'))}?{typed}",
            named or [],
        )


class SearchedTooMuch(Exception):
    """The visitor's network has asked for too many searches."""


TEXT = "text/plain; charset=utf-8"


def _answer(feed: PaperFeed, request: HttpRequest) -> HttpResponse:
    if not isinstance(feed, SearchFeed):
        return feed(request)
    with computing(request) as deadline:
        return feed(request, deadline=deadline)


def _view(feed: PaperFeed) -> Callable[[HttpRequest], HttpResponse]:
    """The feed as a view: 304 to who has it already, 422 and a sentence to a line that cannot be read."""

    @require_safe
    @conditional_page
    def view(request: HttpRequest) -> HttpResponse:
        try:
            answer = _answer(feed, request)
        except Refused as refused:
            answer = HttpResponse("Too many searches. Please wait a while.\n", status=refused.status, content_type=TEXT)
            answer["Retry-After"] = str(refused.seconds)
            return answer
        except index.TooMuchWork:
            return HttpResponse("Its words are in very many papers: add a rarer one.\n", status=422, content_type=TEXT)
        except InterestError as error:
            return HttpResponse(f"{error}\n", status=422, content_type=TEXT)
        except SearchedTooMuch:
            answer = HttpResponse("Too many searches. Please wait a while.\n", status=429, content_type=TEXT)
            answer["Retry-After"] = str(SEARCHES_IN)
            return answer
        patch_cache_control(answer, public=True, max_age=MAX_AGE)
        return answer

    return view


papers = _view(NewestFeed())
search = _view(SearchFeed())
