"""What was chosen for readers, what became of the mails, and what readers said to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin

from digest.mail.rendering.labels import label
from digest.models import Delivery, Digest, Feedback
from digest.picks.evidence import describe_digests
from subscriptions.admin import ReadOnly
from subscriptions.models import Subscriber
from subscriptions.permissions import may_view


class OfSubscriber:
    """Names subscribers by number, and by address only to those who may view subscribers."""

    def get_list_display(self, request: HttpRequest) -> list[str]:
        names = list(super().get_list_display(request))  # type: ignore[misc]
        return names if may_view(request.user, Subscriber) else [name for name in names if name != "address"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        names = list(super().get_search_fields(request))  # type: ignore[misc]
        return names if may_view(request.user, Subscriber) else [name for name in names if "email" not in name]


class MailFilter(admin.SimpleListFilter):
    """Digests with a mail, and those for which nothing matched."""

    title = "mail"
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "has a mail"), ("none", "nothing matched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Digest]) -> QuerySet[Digest]:
        if self.value() is None:
            return queryset
        return queryset.filter(delivery__isnull=self.value() == "none")


@admin.register(Digest)
class DigestAdmin(OfSubscriber, ReadOnly, ModelAdmin):
    list_display = ["subscriber", "address", "issue_date", "papers", "mail"]
    list_filter = [MailFilter, "issue_date"]
    date_hierarchy = "issue_date"
    search_fields = ["subscriber__email"]
    list_select_related = ["subscriber", "delivery"]
    fields = ["subscriber", "issue_date", "created_at", "chosen"]
    readonly_fields = ["chosen"]

    def address(self, digest: Digest) -> str:
        return digest.subscriber.email

    def papers(self, digest: Digest) -> int:
        return len(digest.paper_ids)

    def mail(self, digest: Digest) -> str:
        delivery = getattr(digest, "delivery", None)
        return delivery.get_status_display() if delivery else "nothing matched"

    def chosen(self, digest: Digest) -> str:
        """The picks, each with its reason, as the reader got them."""
        rows = (
            (
                pick["paper"].get_absolute_url(),
                pick["paper"].title,
                pick["points"],
                "; ".join(label(reason) for reason in pick["reasons"]) or "trending",
            )
            for pick in describe_digests([digest])[0]
        )
        items = format_html_join("", '<li><a class="underline" href="{}">{}</a> — {} points: {}</li>', rows)
        return format_html('<ol style="list-style: decimal; padding-left: 1.5rem">{}</ol>', items)


@admin.register(Delivery)
class DeliveryAdmin(OfSubscriber, ReadOnly, ModelAdmin):
    list_display = ["subscriber", "address", "issue_date", "status", "attempts", "not_before", "sent_at", "error"]
    list_filter = ["status", "was_resent"]
    search_fields = ["digest__subscriber__email", "message_id", "error"]
    list_select_related = ["digest__subscriber"]
    date_hierarchy = "not_before"

    def subscriber(self, delivery: Delivery) -> str:
        return str(delivery.digest.subscriber)

    def address(self, delivery: Delivery) -> str:
        return delivery.digest.subscriber.email

    def issue_date(self, delivery: Delivery) -> Any:
        return delivery.digest.issue_date


@admin.register(Feedback)
class FeedbackAdmin(OfSubscriber, ReadOnly, ModelAdmin):
    list_display = ["subscriber", "address", "kind", "paper", "at", "undone_at"]
    list_filter = ["kind"]
    list_select_related = ["subscriber", "paper"]
    search_fields = ["subscriber__email", "paper__title"]

    def address(self, feedback: Feedback) -> str:
        return feedback.subscriber.email
