"""A digest -> the mail: subject, text part, HTML part and the headers that bulk mail must carry.

The parts come from the templates `emails/digest.txt` and `.html`, which a designer can edit; the words of a pick
(title and excerpt with marks, reason, links) are made here, once for both parts and for the web copy.
"""

from __future__ import annotations

import datetime as dt
import email.utils
from collections.abc import Sequence
from email.charset import QP, Charset
from email.utils import parseaddr
from functools import cache
from typing import Any

import css_inline
from anymail.message import AnymailMessage
from django.conf import settings
from django.template.loader import get_template
from django.utils.crypto import salted_hmac

from digest import links
from digest.excerpts import byline, cut, mark, shorten
from digest.models import Digest, Paper
from digest.ranking import INTERESTS, TRENDING
from subscriptions import links as reader_links
from subscriptions.models import Subscriber

MAX_HTML_BYTES = 90_000  # Gmail clips near 102 kB and hides the footer
SUBJECT = 88  # characters of the best paper's title
REASONS = 3  # beside a paper; all of them are on the web copy

_charset = Charset("utf-8")
_charset.body_encoding = QP  # safe for any relay: lines stay short whatever an abstract holds


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def show(picks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the templates need of each pick (with its Paper), in order."""
    return [_shown(pick) for pick in picks]


def _shown(pick: dict[str, Any]) -> dict[str, Any]:
    paper: Paper = pick["paper"]
    excerpt = cut(paper.abstract)
    reasons = pick["reasons"]
    return {
        "paper": paper,
        "lane": pick["lane"],
        "title": mark(paper.title, [span for reason in reasons for span in reason.get("title", ())]),
        "excerpt": mark(excerpt, [span for reason in reasons for span in reason.get("abstract", ())]),
        "excerpt_text": excerpt,
        "byline": byline(paper.authors),
        "reasons": [_reason(reason) for reason in reasons],
        # The mail says what matters; the web copy, where all points add up, also what hardly does.
        "spoken": [_reason(reason) for reason in reasons if reason.get("kind") != "faint"],
        "points": pick["points"],
        "trend": pick["trend"],
        "page": f"{settings.SITE_URL}{paper.get_absolute_url()}",
    }


def _reason(reason: dict[str, Any]) -> dict[str, Any]:
    """A reason with its places in words: "in the title and abstract"."""
    fields = [field for field in ("title", "abstract") if reason.get(field)]
    line = reason["line"].casefold()
    return reason | {
        "where": f"in the {' and '.join(fields)}" if fields else "",
        # Words that stand in the line itself tell the reader nothing new.
        "as": [word for word in reason["words"] if word.casefold() not in line],
    }


def context(digest: Digest, subscriber: Subscriber, picks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the three templates and the web copy share."""
    shown = show(picks)
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "issue_date": digest.issue_date,
        "notice": digest.notice,
        "frequency": subscriber.get_frequency_display(),
        "items": shown,
        "for_you": [item for item in shown if item["lane"] == INTERESTS],
        "trending": [item for item in shown if item["lane"] == TRENDING],
        "reasons_shown": REASONS,
        "web_copy": links.web_copy(digest),
        "preferences": reader_links.preferences(subscriber),
        "unsubscribe": reader_links.unsubscribe(subscriber),
        "left_out": len(digest.picks) - len(picks),
    }


def compose(digest: Digest, now: dt.datetime) -> AnymailMessage:
    """The digest's mail, unsent. The same digest gives the same Message-ID each time."""
    subscriber = digest.subscriber
    picks = digest.picks_with_papers()
    values = context(digest, subscriber, picks)
    html = _html(values)
    while len(html.encode()) > MAX_HTML_BYTES and len(picks) > 1:
        picks = picks[: len(picks) * 3 // 4]
        values = context(digest, subscriber, picks)
        html = _html(values)
    message = AnymailMessage(
        subject=subject(values["items"]),
        body=get_template("emails/digest.txt", using="text").render(values),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[subscriber.email],
        headers=headers(digest, subscriber, now),
    )
    message.attach_alternative(html, "text/html")
    message.encoding = _charset
    message.tags = ["digest"]
    message.metadata = {"digest": str(digest.pk)}
    return message


def _html(values: dict[str, Any]) -> str:
    return _inliner().inline(get_template("emails/digest.html", using="html").render(values))


def subject(items: Sequence[dict[str, Any]]) -> str:
    """The best paper's title, and how many more there are. No control character can come through."""
    if not items:
        return f"{settings.SITE_NAME}: nothing today"
    title = " ".join("".join(ch for ch in items[0]["paper"].title if ch.isprintable()).split())
    more = len(items) - 1
    return shorten(title, SUBJECT) + (f" + {more} more" if more else "")


def headers(digest: Digest, subscriber: Subscriber, now: dt.datetime) -> dict[str, str]:
    """List headers of RFC 2369, 2919 and 8058, and the stable Message-ID."""
    domain = sender_domain()
    unsubscribe = reader_links.unsubscribe(subscriber)
    return {
        "Message-ID": message_id(digest),
        "Date": email.utils.format_datetime(now),
        "List-Id": f"{settings.SITE_NAME} <digest.{domain}>",
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Help": f"<{settings.SITE_URL}/>",
        "Precedence": "bulk",
        "Feedback-ID": f"digest:{domain}",
    }


def message_id(digest: Digest) -> str:
    """The same for each try at the same reader and date, so that a repeat can be recognised."""
    name = f"{digest.subscriber.code}/{digest.issue_date.isoformat()}"
    mac = salted_hmac("paper-round.message-id", name, algorithm="sha256").hexdigest()[:32]
    return f"<{digest.issue_date:%Y%m%d}.{mac}@{sender_domain()}>"


def sender_domain() -> str:
    """The domain our digests come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
