"""The operator's view of readers and what they want. The preview of a reader's mail is in digest.admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from auditlog import audit
from subscriptions import bounces, keyed_hashes, signup, tasks, transitions
from subscriptions.erasure import erase, erase_all
from subscriptions.import_page import import_page
from subscriptions.models import Consent, Interest, InterestLine, Subscriber, Suppression
from subscriptions.models.subscribers import ENDS
from subscriptions.models.suppressions import current_key_id
from subscriptions.permissions import may_view


class ReadOnly:
    """Rows that only the service writes."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class LineInline(ReadOnly, TabularInline):
    model = InterestLine
    fields = ["position", "typed", "interest"]
    extra = 0
    hide_title = True


class ConsentInline(ReadOnly, TabularInline):
    """The proof of what was agreed to: nobody changes it."""

    model = Consent
    fields = ["kind", "at", "page", "origin"]
    extra = 0
    hide_title = True
    can_delete = False


Status = Subscriber.Status
WHY = {
    Suppression.Reason.BOUNCED: "the mailbox is dead, or has refused too often",
    Suppression.Reason.LEFT: "they left the service that the list was moved from",
    Suppression.Reason.COMPLAINED: "the reader called a mail spam",
    Suppression.Reason.BY_HAND: "staff suppressed the address",
}


class SubscriberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Offers and accepts only the statuses that staff may set; see subscriptions.transitions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:  # not for those who may only view
            offered = {self.instance.status, *transitions.targets(self.instance)}
            kept = [choice for choice in Status.choices if choice[0] in offered]
            self.fields["status"].widget.choices = kept

    def clean_status(self) -> str:
        status = str(self.cleaned_data["status"])
        if refusal := transitions.refusal(Subscriber.objects.get(pk=self.instance.pk), status):
            raise forms.ValidationError(refusal)
        return status


@admin.register(Subscriber)
class SubscriberAdmin(ModelAdmin):
    form = SubscriberForm
    list_display = ["email", "status", "frequency", "hour", "time_zone", "next_digest_at", "paused_until"]
    list_filter = ["status", "frequency", "time_zone"]
    search_fields = ["email", "interest_lines__typed"]
    readonly_fields = [
        "email", "next_digest_at", "mailbox", "notice", "notices_sent", "last_notice_at", "created_at", "confirmed_at",
    ]  # fmt: skip
    actions = ["resend_confirmations"]
    actions_list = ["import_subscribers"]
    fieldsets = [
        (None, {"fields": ["email", "status", "mailbox", "language"]}),
        (
            "Mail",
            {
                "description": "The hour is the reader’s own; moments here are UTC.",
                "fields": [
                    ("frequency", "weekday"), ("hour", "time_zone"), ("max_papers", "trending_share"),
                    "empty_mail", "next_digest_at", "paused_until",
                ]
            },
        ),
        (
            "Sign-up",
            {
                "fields": [
                    ("created_at", "confirmed_at"), "notice", ("notices_sent", "last_notice_at"), "token_version",
                ]
            },
        ),
    ]  # fmt: skip
    inlines = [LineInline, ConsentInline]
    change_form_outer_after_template = "admin/reader_mails.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # readers add themselves, and say yes themselves

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subscriptions.add_subscriber")

    @action(description="Import", url_path="import", permissions=["import"])  # type: ignore[untyped-decorator]
    def import_subscribers(self, request: HttpRequest) -> HttpResponse:
        """The button above the list."""
        return import_page(self, request)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*self.search_fields] if may_view(request.user, InterestLine) else ["email"]

    def get_fieldsets(self, request: HttpRequest, obj: Subscriber | None = None) -> Any:
        if may_view(request.user, Suppression):
            return self.fieldsets
        (_, first), *others = super().get_fieldsets(request, obj)
        return [(None, {"fields": [name for name in first["fields"] if name != "mailbox"]}), *others]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Subscriber | None:
        found: Subscriber | None = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        # Lock the row: who unsubscribes while staff save the form must not come back to life.
        return Subscriber.objects.select_for_update().filter(pk=found.pk).first()

    def save_model(
        self, request: HttpRequest, obj: Subscriber, form: forms.ModelForm[Subscriber], change: bool
    ) -> None:
        now = timezone.now()
        mailed = obj.status == Status.ACTIVE
        if mailed and "status" in form.changed_data:
            obj.bounce_score, obj.bounced_at = 0.0, None  # staff say that the mailbox works
        if obj.status == Status.UNSUBSCRIBED and "status" in form.changed_data:
            transitions.unsubscribe(Subscriber.objects.get(pk=obj.pk), now)
            obj.notice, obj.notices_sent = Subscriber.Notice.NONE, 0
        if "status" in form.changed_data:
            obj.stopped_at = now if obj.status in ENDS else None
            obj.confirm_version += 1  # a confirmation link mailed before does not undo what staff decided
        until = obj.paused_until if obj.is_paused(now) else None
        obj.next_digest_at = obj.choose_next_digest_at(until or now) if mailed else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        subscriber: Subscriber = form.instance
        before = subscriber.interest_ids()
        super().save_related(request, form, formsets, change)
        if subscriber.status == Status.ACTIVE:
            Interest.objects.want(subscriber.interest_ids())
        Interest.objects.drop(before)

    def delete_model(self, request: HttpRequest, obj: Subscriber) -> None:
        erase(obj)  # the admin's own history is forgotten too

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        erase_all(Subscriber.objects.filter(pk__in=queryset.values("pk")))

    def get_urls(self) -> list[URLPattern]:
        resend = self.admin_site.admin_view(self.resend_confirmation)
        return [path("<int:pk>/resend-confirmation/", resend, name="resend_confirmation"), *super().get_urls()]

    @method_decorator(require_POST)
    def resend_confirmation(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button on a subscriber's page."""
        subscriber = get_object_or_404(Subscriber, pk=pk)
        if not self.has_change_permission(request, subscriber):
            raise PermissionDenied
        self.resend_confirmations(request, Subscriber.objects.filter(pk=pk))
        return redirect("admin:subscriptions_subscriber_change", pk)

    @admin.action(description="Resend confirmation", permissions=["change"])
    def resend_confirmations(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        now, sent = timezone.now(), 0
        for subscriber in queryset:
            if signup.resend_confirmation(subscriber, now):
                audit.record("resend confirmation", now, user=request.user, target=str(subscriber))
                sent += 1
        if sent:
            tasks.soon()
            messages.success(request, f"Confirmation mails queued: {sent}.")
        if refused := len(queryset) - sent:
            messages.warning(
                request, f"Not sent: {refused}. Active, complained or suppressed subscribers get none,"
                " and everybody else only a few in 30 days.",
            )  # fmt: skip

    @admin.display(description="Mailbox")
    def mailbox(self, reader: Subscriber) -> str:
        """Whether the address may be mailed, what is counted against it, and how to lift that."""
        row = Suppression.objects.for_address(reader.email).order_by("at").last()
        if row is None:
            return bounces.in_words(reader.bounce_score, reader.bounced_at, timezone.now())
        by_reader = "do not " if row.reason in signup.FOR_GOOD else ""
        return format_html(
            "Suppressed on {}: {}. The reader’s signing up and confirming anew {}lift that. If they ask you to: delete"
            ' <a class="underline" href="{}">the suppression</a>, then set the status to active.',
            f"{row.at:%-d %B %Y}", WHY[Suppression.Reason(row.reason)], by_reader,
            reverse("admin:subscriptions_suppression_change", args=[row.pk]),
        )  # fmt: skip


@admin.register(Interest)
class InterestAdmin(ReadOnly, ModelAdmin):
    list_display = ["text", "is_mute", "readers", "matched_at"]
    list_filter = ["is_mute"]
    search_fields = ["text", "lines__typed"]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False  # it would take away subscribers' lines, and goes by itself with the last of them

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interest]:
        rows: QuerySet[Interest] = super().get_queryset(request)
        return rows.annotate(reader_count=Count("lines"))

    @admin.display(ordering="reader_count")
    def readers(self, interest: Interest) -> int:
        return int(interest.reader_count)  # type: ignore[attr-defined]


class SuppressionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Takes an address and keeps its hash alone."""

    address = forms.EmailField(help_text="Never mailed again. Only a keyed hash of it is stored.")

    class Meta:
        model = Suppression
        fields: ClassVar[list[str]] = []

    def save(self, commit: bool = True) -> Suppression:
        self.instance.address_hash = Suppression.hash_of(self.cleaned_data["address"])
        self.instance.key_id = current_key_id()
        self.instance.reason, self.instance.at = Suppression.Reason.BY_HAND, timezone.now()
        saved: Suppression = super().save(commit)
        return saved

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"])
        if Suppression.objects.reason_for(address):
            raise forms.ValidationError("This address is suppressed already.")
        return address


class LostKeyFilter(admin.SimpleListFilter):
    """Finds what `doctor` counts: rows that have no effect until their key is configured again."""

    title = "key"
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("lost", "Not configured")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        return queryset & Suppression.objects.under_lost_keys() if self.value() == "lost" else queryset


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    form = SuppressionForm
    list_display = ["address_hash", "reason", "at", "has_effect"]
    list_filter = ["reason", LostKeyFilter]
    search_fields = ["address_hash"]
    search_help_text = "A whole e-mail address, or the beginning of a hash."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        if "@" in search_term:
            hashes = keyed_hashes.address_hashes(search_term.strip())
            return queryset.filter(address_hash__in=hashes), False
        found: tuple[QuerySet[Suppression], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @admin.display(boolean=True, description="Key is configured")
    def has_effect(self, row: Suppression) -> bool:
        return not row.is_under_lost_key

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
