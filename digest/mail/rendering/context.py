"""The words of a digest: what the templates of the mail, and the pages that show picks, need of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from digest import links
from digest.mail.rendering.excerpts import byline, excerpt, in_order, joined, mark, mark_excerpt, plain, shorten, wrap
from digest.mail.rendering.labels import close_to, label, where
from digest.mail.rendering.listing_labels import listed
from digest.models import Digest, Paper
from digest.picks.evidence import INTERESTS, OVERFLOW, TRENDING
from subscriptions import links as reader_links
from subscriptions.models import Subscriber

SUBJECT = 88  # characters of the best paper's title
REASONS = 3  # beside a paper; all of them are on the web copy
TEASERS, TEASER = 3, 60  # papers after the first in the line that mailboxes show beside the subject; characters
FULL_OF_MANY = 5  # papers of a week, or of a pause, that are shown whole; of the others title, authors and reason

HEADINGS = {
    INTERESTS: _("For you"),
    TRENDING: _("Trending anyway"),
    OVERFLOW: _("Also matched, beyond the number you asked for"),
}
FAINT = "faint"  # the kind of what hardly counts
TRENDING_REASON: dict[str, Any] = {"kind": "trending", "line": "", "words": []}  # where no line asked for it
FULL, BRIEF, TITLE = "paper", "brief", "title"  # the templates emails/_paper, _brief, _title


@dataclass(frozen=True, slots=True)
class Lane:
    """A heading of the mail, and what stands under it: (how much of it is shown, pick), best first."""

    name: str
    picks: tuple[tuple[str, Any], ...]

    @property
    def heading(self) -> str:
        return str(HEADINGS.get(self.name, self.name.capitalize()))


def lanes(picks: Iterable[dict[str, Any]], *, of_many_days: bool) -> list[Lane]:
    """The picks under their headings: known lanes in their order, then what else there is."""
    by_name: dict[str, list[dict[str, Any]]] = {name: [] for name in HEADINGS}
    for pick in picks:
        by_name.setdefault(pick["lane"], []).append(pick)
    return [
        Lane(name, tuple(zip(_kinds(name, len(held), of_many_days), held, strict=True)))
        for name, held in by_name.items()
        if held
    ]


def _kinds(lane: str, count: int, of_many_days: bool) -> list[str]:
    """How much is shown of each paper under a heading."""
    if lane not in (INTERESTS, TRENDING):
        return [TITLE] * count
    full = min(count, FULL_OF_MANY) if of_many_days else count
    return [FULL] * full + [BRIEF] * (count - full)


def show(picks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What templates need of each pick (with its Paper), in order."""
    return [_shown(pick) for pick in picks]


def _shown(pick: dict[str, Any]) -> dict[str, Any]:
    paper: Paper = pick["paper"]
    reasons = pick["reasons"]
    title, abstract = plain(paper.title), plain(paper.abstract)
    in_abstract = in_order(spans(reasons, "abstract"))
    pieces = excerpt(abstract, in_abstract)
    return fixed(paper) | {
        "lane": pick["lane"],
        "title": mark(title, spans(reasons, "title")),
        "excerpt": mark_excerpt(abstract, pieces, in_abstract),
        "excerpt_text": joined(abstract, pieces),
        "excerpt_lines": wrap(joined(abstract, pieces)),
        "reasons": [reason_words(reason) for reason in reasons],
        # The mail says what matters; the web copy, where all points add up, also what hardly does.
        "spoken": [reason_words(reason) for reason in spoken(reasons) or [TRENDING_REASON]],
        "points": pick["points"],
        "trend": pick["trend"],
    }


def fixed(paper: Paper) -> dict[str, Any]:
    """What is the same for all readers."""
    return {
        "paper": paper,
        "title_text": plain(paper.title),
        "byline": plain(byline(paper.authors)),
        "page": f"{settings.SITE_URL}{paper.get_absolute_url()}",
    }


def spans(reasons: Iterable[dict[str, Any]], field: str) -> Iterator[Sequence[int]]:
    """Where the words of all reasons stand in the title or the abstract."""
    return (span for reason in reasons for span in reason.get(field, ()))


def spoken(reasons: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reasons that the mail names."""
    return [reason for reason in reasons if reason.get("kind") != FAINT][:REASONS]


def reason_words(reason: dict[str, Any]) -> dict[str, Any]:
    """A reason with its places in words: "in the title and abstract"."""
    line = plain(label(reason))
    return reason | {
        "line": line,
        "close_to": plain(close_to(reason)),
        "where": where(reason),
        # Words that stand in the line itself tell the reader nothing new.
        "as": [plain(word) for word in reason["words"] if word.casefold() not in line.casefold()],
    }


def digest_context(digest: Digest, subscriber: Subscriber, picks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the templates of the mail and the web copy share."""
    shown = show(picks)
    places = listed(pick["paper"] for pick in picks)
    for item in shown:
        item["listed"] = places[item["paper"].pk]
    return {
        **frame(digest, subscriber, len([item for item in shown if item["lane"] != OVERFLOW])),
        "items": shown,
        "for_you": [item for item in shown if item["lane"] == INTERESTS],
        "trending": [item for item in shown if item["lane"] == TRENDING],
        "overflow": [item for item in shown if item["lane"] == OVERFLOW],
        "preheader": preheader(shown),
        "left_out": len(digest.paper_ids) - len(picks),
        "web_copy": links.web_copy(digest),
        "feedback": links.feedback(digest),
        "preferences": reader_links.preferences(subscriber),
        "unsubscribe": reader_links.unsubscribe(subscriber),
    }


def frame(digest: Digest, subscriber: Subscriber, count: int) -> dict[str, Any]:
    """What stands around the papers, without what is one reader's own."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "issue_date": digest.issue_date,
        "is_weekly": is_weekly(subscriber),
        "is_catch_up": digest.is_catch_up,
        "week_start": digest.issue_date - dt.timedelta(days=6),
        "notice": plain(digest.notice),
        "frequency": subscriber.get_frequency_display(),
        "count": count,
        "site_page": f"{settings.SITE_URL}/",
    }


def is_weekly(subscriber: Subscriber) -> bool:
    return bool(subscriber.frequency == Subscriber.Frequency.WEEKLY)


def of_many_days(digest: Digest, subscriber: Subscriber) -> bool:
    return digest.is_catch_up or is_weekly(subscriber)


def preheader(shown: Sequence[dict[str, Any]]) -> str:
    """What mailboxes show beside the subject: the papers after the first, or what the only one says."""
    if len(shown) == 1:
        return shorten(shown[0]["excerpt_text"], 2 * TEASER)
    return " · ".join(teaser(item["title_text"]) for item in shown[1 : 1 + TEASERS])


def teaser(title: str) -> str:
    return shorten(title, TEASER)


def subject(shown: Sequence[dict[str, Any]], *, weekly: bool = False, catch_up: bool = False) -> str:
    """The best paper's title, and how many more there are. No control character can come through."""
    count = sum(item["lane"] != OVERFLOW for item in shown)
    return subject_of(shown[0]["title_text"] if shown else "", count, weekly=weekly, catch_up=catch_up)


def subject_of(title: str, count: int, *, weekly: bool, catch_up: bool = False) -> str:
    """The subject over `count` papers, of which this is the first."""
    if not title:
        return gettext("Nothing for you this week") if weekly else gettext("Nothing for you today")
    title = " ".join("".join(ch for ch in title if ch.isprintable()).split())
    said = shorten(title, SUBJECT)
    if count > 1:
        said = ngettext("%(title)s + %(count)s more", "%(title)s + %(count)s more", count - 1) % {
            "title": said, "count": count - 1,
        }  # fmt: skip
    if catch_up:
        return gettext("While you were away: %(subject)s") % {"subject": said}
    return gettext("Your week: %(subject)s") % {"subject": said} if weekly else said
