"""A reader's own Atom feed: the papers of their last digests, each with its reason, behind a secret address.

The secret opens this and nothing else, so nothing in the feed leads further: no signed link, no preferences.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, override
from django.views.decorators.http import require_safe

from digest.mail.rendering.excerpts import cut
from digest.mail.rendering.labels import why
from digest.models import Digest, Paper
from digest.picks.evidence import describe_digests
from digest.web.feeds.atom import FEED_SIZE, PaperFeed, Shown
from subscriptions import tokens
from subscriptions.keyed_hashes import lasting_key
from subscriptions.limits import client_network, is_over
from subscriptions.links import absolute
from subscriptions.models import Secret, Subscriber

DIGESTS = 30  # looked at; a month of daily mail
ASKED, ASKED_IN = 60, 600  # times one feed may be read in so many seconds; a network ten times as often
EXCERPT = 600  # characters of the abstract


@dataclass(frozen=True, slots=True)
class Picked:
    """In which digest a paper was, and why."""

    issue_date: dt.date
    at: dt.datetime
    reason: str


class OwnFeed(PaperFeed):
    """The picks of a reader's last digests, newest issue first, the best of each first. One object a request.

    It speaks the reader's language, and says so (xml:lang); papers' own words stay as they are.
    """

    def __init__(self, reader: Subscriber) -> None:
        self.reader, self.language = reader, reader.language
        self.picked: dict[int, Picked] = {}
        digests = list(Digest.objects.filter(subscriber=reader)[:DIGESTS])
        for digest, picks in zip(digests, describe_digests(digests), strict=True):
            for pick in picks:
                picked = Picked(digest.issue_date, digest.created_at, why(pick["reasons"]))
                self.picked.setdefault(pick["paper"].pk, picked)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Shown:
        address = absolute(reverse("digest:feed_mine", args=[kwargs["secret"]]))
        wanted = list(self.picked)[:FEED_SIZE]
        there = Paper.objects.in_bulk(wanted)  # a paper deleted since is left out
        papers = [there[number] for number in wanted if number in there]
        return Shown(
            gettext("%(site)s: your papers") % {"site": settings.SITE_NAME},
            absolute("/"),
            address,
            papers,
            self.reader.created_at,
        )

    def feed_guid(self, shown: Shown) -> str:
        """Not the address: that changes with the secret, and the feed stays the same."""
        return _tag(self.reader, self.reader.created_at.date(), "feed")

    def item_guid(self, item: Paper) -> str:
        """Not the public feeds' id of this paper, nor another reader's: their entries give no reason, or another."""
        return _tag(self.reader, self.picked[item.pk].issue_date, f"paper/{item.pk}")

    def item_description(self, item: Paper) -> str:
        why = gettext("Why: %(reason)s") % {"reason": self.picked[item.pk].reason}
        return f"{why}\n\n{cut(item.abstract, EXCERPT)}".strip()

    def item_pubdate(self, item: Paper) -> dt.datetime:
        return self.picked[item.pk].at

    def item_updateddate(self, item: Paper) -> dt.datetime:
        return max(self.picked[item.pk].at, item.changed_at)


def _tag(reader: Subscriber, date: dt.date, name: str) -> str:
    """A tag of RFC 4151 that is this reader's alone and tells nobody who that is."""
    mac = salted_hmac("paper-round.own-feed", reader.code, secret=lasting_key(), algorithm="sha256")
    who = mac.hexdigest()[:16]
    return f"tag:{urlsplit(settings.SITE_URL).hostname},{date:%Y-%m-%d}:/mine/{who}/{name}"


@require_safe
def mine(request: HttpRequest, secret: str) -> HttpResponse:
    """The feed of whoever has this secret. A wrong one, a revoked one and one of somebody who left look alike."""
    answer = _limited(request, secret) or _feed(request, secret)
    patch_cache_control(answer, no_store=True, private=True)
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _limited(request: HttpRequest, secret: str) -> HttpResponse | None:
    by_network = is_over("own-feed-network", client_network(request), 10 * ASKED, ASKED_IN)
    if not by_network and not is_over("own-feed", secret, ASKED, ASKED_IN):
        return None
    answer = HttpResponse("Asked too often. Please wait a while.\n", status=429, content_type="text/plain")
    answer["Retry-After"] = str(ASKED_IN)
    return answer


def _feed(request: HttpRequest, secret: str) -> HttpResponse:
    reader = tokens.holder(secret, Secret.Kind.FEED)
    if reader is None:
        return HttpResponse("There is no feed at this address.\n", status=404, content_type="text/plain")
    with override(reader.language):
        return OwnFeed(reader)(request, secret=secret)
