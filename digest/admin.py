"""The operator's view of sources, papers, digests and deliveries, and the preview of a reader's next mail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin, TabularInline

from digest import previewing
from digest.models import Delivery, Digest, Edition, Feedback, Listing, Match, Paper, Source
from subscriptions.admin import ReadOnly
from subscriptions.models import Subscriber


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ["name", "slug", "kind", "is_enabled", "last_success_at", "error_count", "next_check_at"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["name", "slug", "url"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["last_checked_at", "last_success_at", "error_count", "last_error"]
    actions = ["check_now"]

    @admin.action(description="Check at the next look, also when paused")
    def check_now(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        queryset.update(next_check_at=None, error_count=0)


class ListingInline(ReadOnly, TabularInline):
    model = Listing
    fields = ["rank", "paper", "upvotes", "announce_type", "seen_at"]
    extra = 0
    per_page = 50


class PaperListingInline(ReadOnly, TabularInline):
    model = Listing
    fields = ["edition", "rank", "upvotes", "announce_type", "seen_at"]
    extra = 0


@admin.register(Edition)
class EditionAdmin(ReadOnly, ModelAdmin):
    list_display = ["source", "date", "first_seen_at", "last_seen_at"]
    list_filter = ["source"]
    date_hierarchy = "date"
    search_fields = ["source__name", "papers__title"]
    inlines = [ListingInline]


@admin.register(Paper)
class PaperAdmin(ModelAdmin):
    list_display = ["title", "arxiv_id", "upvotes", "first_listed_on", "first_seen_at", "matched_at"]
    search_fields = ["title", "arxiv_id", "doi", "abstract"]
    date_hierarchy = "first_listed_on"
    readonly_fields = ["first_seen_at", "first_listed_on", "changed_at", "matched_at"]
    inlines = [PaperListingInline]


@admin.register(Match)
class MatchAdmin(ReadOnly, ModelAdmin):
    list_display = ["interest", "paper", "weight"]
    search_fields = ["interest__text", "paper__title"]
    list_select_related = ["interest", "paper"]


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
class DigestAdmin(ReadOnly, ModelAdmin):
    list_display = ["subscriber", "issue_date", "papers", "mail"]
    list_filter = [MailFilter, "issue_date"]
    date_hierarchy = "issue_date"
    search_fields = ["subscriber__email"]
    list_select_related = ["subscriber", "delivery"]
    fields = ["subscriber", "issue_date", "created_at", "chosen"]
    readonly_fields = ["chosen"]

    def papers(self, digest: Digest) -> int:
        return len(digest.picks)

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
                "; ".join(reason["line"] for reason in pick["reasons"]) or "trending",
            )
            for pick in digest.picks_with_papers()
        )
        return format_html("<ol>{}</ol>", format_html_join("", '<li><a href="{}">{}</a> — {} points: {}</li>', rows))


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ["reader", "issue_date", "status", "attempts", "not_before", "sent_at", "error"]
    list_filter = ["status", "was_resent"]
    search_fields = ["digest__subscriber__email", "message_id", "error"]
    list_select_related = ["digest__subscriber"]
    date_hierarchy = "not_before"

    def reader(self, delivery: Delivery) -> str:
        return delivery.digest.subscriber.email

    def issue_date(self, delivery: Delivery) -> Any:
        return delivery.digest.issue_date


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, ModelAdmin):
    list_display = ["subscriber", "kind", "paper", "at", "undone_at"]
    list_filter = ["kind"]
    search_fields = ["subscriber__email", "paper__title"]


def preview_urls() -> list[URLPattern]:
    """For config.urls, in front of the admin's own."""
    return [
        path("subscriptions/subscriber/<int:pk>/next-mail/", admin.site.admin_view(next_mail), name="next_mail"),
        path(
            "subscriptions/subscriber/<int:pk>/next-mail/html/",
            admin.site.admin_view(next_mail_html),
            name="next_mail_html",
        ),
    ]


def next_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """A reader's next mail as it would be sent now: headers, text part, and the HTML part in a frame."""
    _check_may_view(request)
    reader = get_object_or_404(Subscriber, pk=pk)
    message = previewing.next_mail(reader, timezone.now())
    values = admin.site.each_context(request) | {"title": f"Next mail of {reader}", "reader": reader}
    if message:
        values |= {"subject": message.subject, "text": message.body, "headers": message.message().items()}
    return render(request, "admin/next_mail.html", values)


def next_mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part alone, which only our own frame may hold, and which may load nothing."""
    _check_may_view(request)
    message = previewing.next_mail(get_object_or_404(Subscriber, pk=pk), timezone.now())
    answer = HttpResponse(message.alternatives[0][0] if message else "Nothing matches.")
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _check_may_view(request: HttpRequest) -> None:
    if not request.user.has_perm("subscriptions.view_subscriber"):
        raise PermissionDenied
