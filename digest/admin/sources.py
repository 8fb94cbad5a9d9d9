"""Where papers come from, how each source is doing, and the pages that could not be read."""

from __future__ import annotations

import datetime as dt
import zlib
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.csrf import csrf_protect
from unfold.admin import ModelAdmin

from auditlog import audit
from digest.admin.add_source import EveryField, add_source
from digest.models import KeptPage, Source
from digest.papers.ingest import failed_pages, source_detection, source_schedule
from digest.papers.sources.parsed import SourceError
from subscriptions.admin import ReadOnly
from subscriptions.permissions import may_view

HEALTH = ["state", "last_read", "streak", "last_error", "last_warning", "next_check", "usual", "pages_kept"]


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The address may move, but not onto another source's."""

    check_every = EveryField(label="Checked every", help_text="After failures less often.")

    class Meta:
        labels: ClassVar[dict[str, str]] = {"url": "Address"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(every := self.fields.get("check_every"), EveryField):
            every.allow(self.instance.check_every)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if url and "url" in self.changed_data:
            try:
                source_detection.refuse_duplicate(url, but=self.instance)
            except source_detection.Duplicate as error:
                raise forms.ValidationError(f"{error} “{error.source}”.") from error
        return url


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    form = SourceForm
    list_display = ["name", "kind", "state", "last_read", "next_check"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["name", "slug", "url"]
    fieldsets = [
        (None, {"fields": ["name", "url", "is_enabled", "check_every", "kind", "slug"]}),
        ("How it is doing", {"fields": HEALTH}),
    ]
    # A slug stands in readers' interests, as source:slug, and a kind goes with the address it was tried at.
    readonly_fields = ["kind", "slug", *HEALTH]
    actions = ["check_now", "try_kept_pages"]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        hidden = set() if may_view(request.user, KeptPage) else {"pages_kept"}
        return [
            (title, {"fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in self.fieldsets
        ]

    @method_decorator(csrf_protect)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return add_source(self, request)

    def save_model(self, request: HttpRequest, obj: Source, form: forms.ModelForm[Source], change: bool) -> None:
        if change and "url" in form.changed_data:
            # What the old address said of its page, and its failures, are nothing to the new one.
            obj.etag = obj.last_modified = obj.last_error = ""
            obj.error_count, obj.next_check_at = 0, timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description="state")
    def state(self, source: Source) -> str:
        if not source.url:
            return "read from files"
        if not source.is_enabled:
            return "switched off"
        if source.is_paused:
            return f"paused after {source.error_count} failures"
        if source.error_count:
            return f"failed {source.error_count} time{'' if source.error_count == 1 else 's'} in a row"
        return "well" if source.last_success_at else "not read yet"

    @admin.display(description="last read", ordering="last_success_at")
    def last_read(self, source: Source) -> dt.datetime | str:
        return source.last_success_at or "never"

    @admin.display(description="next check", ordering="next_check_at")
    def next_check(self, source: Source) -> dt.datetime | str:
        is_checked = source.url and source.is_enabled and not source.is_paused
        return source.next_check_at or "at the next look" if is_checked else "none"

    @admin.display(description="failures in a row")
    def streak(self, source: Source) -> str:
        if source.is_paused:
            return f"{source.error_count}: paused. Mend what the last error says, then use the action “Check now”."
        return str(source.error_count) if source.error_count else "none"

    @admin.display(description="usually lists")
    def usual(self, source: Source) -> str:
        """The habit by weekday, and whether the source is late by it."""
        now = timezone.now()
        numbers = source_schedule.usual(source_schedule.sizes_of(source, now.date()), now.date())
        days = zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), numbers, strict=True)
        known = ", ".join(f"{day} {number:.0f}" for day, number in days if number is not None)
        late = next((f" Late: it {gap.what}" for gap in source_schedule.gaps(now) if gap.source == source), "")
        return f"{known} papers.{late}" if known else f"Not known before three weeks have passed.{late}"

    @admin.display(description="pages that could not be read")
    def pages_kept(self, source: Source) -> str:
        number = source.kept_pages.count()
        if not number:
            return "none"
        link = f"{reverse('admin:digest_keptpage_changelist')}?source__id__exact={source.pk}"
        return format_html('<a class="underline" href="{}">{} kept</a>, to be tried again after a mend', link, number)

    @admin.action(description="Check now (at the next look), also when paused", permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        number, now = queryset.update(next_check_at=None, error_count=0), timezone.now()
        for source in queryset:
            audit.record("check source", now, user=request.user, target=f"source {source.slug}")
        self.message_user(request, f"{number} source{'' if number == 1 else 's'} will be checked at the next look.")

    @admin.action(description="Try the kept pages again", permissions=["change"])
    def try_kept_pages(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            read, unread, fault = 0, 0, ""
            now = timezone.now()
            audit.record("retry pages", now, user=request.user, target=f"source {source.slug}")
            try:
                for page, said in failed_pages.retry([source], now):
                    if page.pk is None:  # deleted: it was read
                        read += 1
                    else:
                        unread, fault = unread + 1, said
            except SourceError as error:
                unread, fault = unread + 1, f"stopped: {error}"
            level, words = _tried_again(read, unread, fault)
            self.message_user(request, f"{source}: {words}", level)


def _tried_again(read: int, unread: int, fault: str) -> tuple[int, str]:
    """What came of a source's kept pages, and how loudly to say it."""
    if not read and not unread:
        return messages.INFO, "no pages are kept."
    said = f"{read} of {read + unread} kept pages could be read"
    return (messages.WARNING, f"{said}; the last one {fault}") if unread else (messages.SUCCESS, f"{said}.")


@admin.register(KeptPage)
class KeptPageAdmin(ReadOnly, ModelAdmin):
    list_display = ["url", "source", "date", "error", "fetched_at", "download"]
    list_filter = ["source"]
    list_select_related = ["source"]
    search_fields = ["url", "error", "source__name"]
    fields = ["source", "url", "date", "is_backfill", "error", "fetched_at", "download"]
    readonly_fields = ["download"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeptPage]:
        rows: QuerySet[KeptPage] = super().get_queryset(request)
        return rows.defer("content")  # up to some megabytes each

    def get_urls(self) -> list[URLPattern]:
        raw = path("<int:pk>/raw/", self.admin_site.admin_view(self.raw), name="digest_keptpage_raw")
        return [raw, *super().get_urls()]

    @admin.display(description="as it was served")
    def download(self, page: KeptPage) -> str:
        return format_html(
            '<a class="underline" href="{}">Download</a>', reverse("admin:digest_keptpage_raw", args=[page.pk])
        )

    def raw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page, for a text editor: a foreign page is never shown as a page of ours."""
        page = get_object_or_404(KeptPage.objects.select_related("source"), pk=pk)
        if not self.has_view_permission(request, page):
            raise PermissionDenied
        name = f"{page.source.slug}-{page.fetched_at:%Y-%m-%d-%H%M}.txt"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return HttpResponse(zlib.decompress(page.content), content_type="text/plain", headers=headers)
