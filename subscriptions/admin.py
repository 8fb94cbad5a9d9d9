"""The operator's view of readers and what they want. The preview of a reader's mail is in digest.admin."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from subscriptions.models import Consent, Interest, InterestLine, Subscriber, Suppression


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


class ConsentInline(ReadOnly, TabularInline):
    model = Consent
    fields = ["kind", "at", "page"]
    extra = 0


@admin.register(Subscriber)
class SubscriberAdmin(ModelAdmin):
    list_display = ["email", "status", "frequency", "hour", "time_zone", "next_digest_at", "paused_until"]
    list_filter = ["status", "frequency", "time_zone"]
    search_fields = ["email", "interest_lines__typed"]
    readonly_fields = [
        "email",
        "next_digest_at", "notices_sent", "last_notice_at", "created_at", "confirmed_at",
    ]  # fmt: skip
    inlines = [LineInline, ConsentInline]
    change_form_outer_after_template = "admin/subscriber_preview_link.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # readers add themselves, and say yes themselves

    def save_model(
        self, request: HttpRequest, obj: Subscriber, form: forms.ModelForm[Subscriber], change: bool
    ) -> None:
        now = timezone.now()
        mailed = obj.status == Subscriber.Status.ACTIVE
        until = obj.paused_until if obj.is_paused(now) else None
        obj.next_digest_at = obj.choose_next_digest_at(until or now) if mailed else None
        super().save_model(request, obj, form, change)


@admin.register(Interest)
class InterestAdmin(ReadOnly, ModelAdmin):
    list_display = ["text", "is_mute", "readers", "matched_at"]
    list_filter = ["is_mute"]
    search_fields = ["text", "lines__typed"]

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
        self.instance.reason, self.instance.at = Suppression.Reason.BY_HAND, timezone.now()
        saved: Suppression = super().save(commit)
        return saved

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"])
        if Suppression.objects.reason_for(address):
            raise forms.ValidationError("This address is suppressed already.")
        return address


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin):
    form = SuppressionForm
    list_display = ["address_hash", "reason", "at"]
    list_filter = ["reason"]

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
