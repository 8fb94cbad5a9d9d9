"""All that is held of a reader, for the reader (GDPR 15 and 20). Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from digest.models import Digest, Paper
from digest.picks.evidence import describe_digests
from subscriptions.models import MailRequest, Subscriber, Suppression
from subscriptions.preferences import settings_of

BESIDE_SETTINGS = ("paused_until", "paused_at", "pasted")
OF_READER = (
    "email", "code", "token_version", "confirm_version", "latest_signup", "status", "created_at", "confirmed_at",
    "next_digest_at", "bounce_score", "bounced_at", "stopped_at",
)  # fmt: skip
NOTICES = ("notice", "notices_sent", "last_notice_at")
DELIVERY = (
    "status", "attempts", "doubts", "not_before", "claim", "claimed_until", "was_resent", "message_id", "error",
    "sent_at",
)  # fmt: skip


def held(reader: Subscriber) -> dict[str, Any]:
    """Every row that names the reader, as what JSON can hold; papers by number, title and address."""
    digests = list(Digest.objects.filter(subscriber=reader).select_related("delivery").order_by("issue_date"))
    said = list(reader.feedback.order_by("at", "pk"))
    papers = _papers({paper for digest in digests for paper in digest.paper_ids} | {row.paper_id for row in said})
    return {
        "reader": _columns(reader, OF_READER),
        "settings": settings_of(reader) | _columns(reader, BESIDE_SETTINGS),
        "notices": _columns(reader, NOTICES),
        "interests": list(
            reader.interest_lines.order_by("position").values(
                "typed", "interest__text", "interest__is_mute", "interest__is_pin"
            )
        ),
        "secrets": list(reader.secrets.order_by("kind").values("kind", "made_at")),
        "consents": list(reader.consents.order_by("at", "pk").values("kind", "at", "page", "origin", "wording")),
        "feedback": [_columns(row, ("paper_id", "kind", "at", "undone_at")) for row in said],
        "digests": [_digest(*one) for one in zip(digests, describe_digests(digests), strict=True)],
        "requests": list(
            MailRequest.objects.filter(address__iexact=reader.email).values("kind", "requested_at", "details")
        ),
        "pending_signups": list(
            reader.pending_signups.order_by("number").values("number", "preferences", "pasted", "asked_at")
        ),
        "suppression": Suppression.objects.reason_for(reader.email),
        "papers": papers,
    }


def _digest(digest: Digest, picks: list[dict[str, Any]]) -> dict[str, Any]:
    delivery = getattr(digest, "delivery", None)
    return _columns(digest, ("issue_date", "created_at", "notice", "is_catch_up")) | {
        "picks": [pick | {"paper": pick["paper"].pk} for pick in picks],
        "delivery": _columns(delivery, DELIVERY) if delivery else None,
    }


def _papers(ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """The papers that the numbers elsewhere mean."""
    wanted = sorted(ids)
    found: dict[int, dict[str, str]] = {}
    for start in range(0, len(wanted), 500):
        for paper in Paper.objects.filter(pk__in=wanted[start : start + 500]).defer("abstract"):
            found[paper.pk] = {"title": paper.title, "url": paper.link}
    return found


def _columns(row: Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
