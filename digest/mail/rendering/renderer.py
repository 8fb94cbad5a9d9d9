"""The plain way: Django's templates, CSS written into the elements, Django's own message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.charset import QP, Charset
from functools import cache
from typing import Any, TypeVar

import css_inline
from anymail.message import AnymailMessage
from django.conf import settings
from django.template.loader import get_template
from django.utils.html import format_html_join
from django.utils.translation import override

from digest.mail.rendering import context
from digest.mail.rendering.headers import headers
from digest.models import Digest
from digest.picks.evidence import Evidence, describe_digests, describe_picks

MAX_HTML_BYTES = 80_000  # Gmail clips near 102 kB and hides the footer
EXTENSIONS = {"html": "html", "text": "txt"}  # by template engine

Pick = TypeVar("Pick")

_charset = Charset("utf-8")
_charset.body_encoding = QP  # safe for any relay: lines stay short whatever an abstract holds


@cache
def inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def compose(digest: Digest, now: dt.datetime, found: Evidence | None = None) -> AnymailMessage:
    """The digest's mail in the reader's language, unsent. The same digest gives the same Message-ID each time.

    `found` says what the reasons refer to where the database does not know it: in a preview.
    """
    with override(digest.subscriber.language):
        return _compose(digest, now, found)


def _compose(digest: Digest, now: dt.datetime, found: Evidence | None) -> AnymailMessage:
    subscriber = digest.subscriber
    picks = describe_picks(digest.picks, found) if found else describe_digests([digest])[0]
    values, html = _html(digest, picks)
    while len(html.encode()) > MAX_HTML_BYTES and len(picks) > 1:
        picks = fewer(picks)
        values, html = _html(digest, picks)
    message = AnymailMessage(
        subject=context.subject(values["items"], weekly=values["is_weekly"], catch_up=values["is_catch_up"]),
        body=_render("text", values),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[subscriber.email],
        headers=headers(digest, subscriber, now),
    )
    message.attach_alternative(html, "text/html")
    message.encoding = _charset
    message.tags = ["digest"]
    message.metadata = {"digest": str(digest.pk)}
    return message


def fewer(picks: Sequence[Pick]) -> list[Pick]:
    """For a mail that is too large: three quarters of them; the rest is on the web copy."""
    return list(picks[: len(picks) * 3 // 4])


def _html(digest: Digest, picks: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    values = context.digest_context(digest, digest.subscriber, picks)
    return values, inliner().inline(_render("html", values))


def _render(engine: str, values: dict[str, Any]) -> str:
    """The whole part: its papers, each from its own template, under their headings."""
    shown = {
        "lanes": [
            {"heading": lane.heading, "papers": [_paper(engine, kind, item, values) for kind, item in lane.picks]}
            for lane in context.lanes(values["items"], of_many_days=values["is_weekly"] or values["is_catch_up"])
        ]
    }
    return render(engine, "digest", values | shown)


def _paper(engine: str, kind: str, item: dict[str, Any], values: dict[str, Any]) -> str:
    said = [render(engine, "_reason", {"reason": reason}) for reason in item["spoken"]]
    why = format_html_join("", "{}", ((one,) for one in said)) if engine == "html" else "".join(said)
    return render(engine, f"_{kind}", {"item": item, "why": why, "feedback": values["feedback"]})


def render(engine: str, name: str, values: dict[str, Any]) -> str:
    """Render emails/<name> by the engine "html", which escapes and marks as safe, or "text", which does neither."""
    return get_template(f"emails/{name}.{EXTENSIONS[engine]}", using=engine).render(values)
