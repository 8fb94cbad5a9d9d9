"""Import subscribers in the admin: choose a file, look at what would become of each row, import the good ones.

Nothing is kept on the way: the file travels in the form. Larger files are for `manage.py import_subscribers`.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import io
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from auditlog import audit
from subscriptions import tasks
from subscriptions.imports import report, store
from subscriptions.imports.sheet import Options, Sheet, read
from subscriptions.imports.store import Decision
from subscriptions.models import Subscriber, Suppression

MAX_BYTES = 1_500_000  # in the form it takes a third more, and Django reads 2.5 MB of that
MAX_ROWS = 5_000  # what a request has time for
LINES = 200  # shown of what would become of the rows


class ImportForm(forms.Form):
    """A file, or the one that was looked at before, and what the operator says about it."""

    file = forms.FileField(required=False, label="CSV file", widget=UnfoldAdminFileFieldWidget)
    content = forms.CharField(required=False, widget=forms.HiddenInput)
    interests = forms.CharField(
        required=False, label="Interests for rows without any", widget=UnfoldAdminTextInputWidget,
        help_text="Separate lines with a semicolon.",
    )  # fmt: skip
    interests_from = forms.CharField(
        required=False, label="Take interests from the column", widget=UnfoldAdminTextInputWidget,
        help_text="Such as TAGS. Empty: the column interests or topics.",
    )  # fmt: skip
    confirmed = forms.BooleanField(
        required=False, label="I hold their consent", widget=UnfoldBooleanWidget,
        help_text="Mail them without asking again. Otherwise each is asked to confirm first.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        given["raw"] = self._raw(given)
        if len(given["raw"]) > MAX_BYTES:
            raise forms.ValidationError(f"The file has over {MAX_BYTES / 1e6} MB: use manage.py import_subscribers.")
        if not given["raw"]:
            raise forms.ValidationError("Choose a CSV file.")
        return given

    @staticmethod
    def _raw(given: dict[str, Any]) -> bytes:
        if given.get("file"):
            return bytes(given["file"].read(MAX_BYTES + 1))
        try:
            return base64.b64decode(given.get("content", ""), validate=True)
        except binascii.Error as error:
            raise forms.ValidationError("Choose the file again.") from error

    def sheet(self) -> Sheet:
        """Return what the file holds. Call after is_valid()."""
        values = self.cleaned_data
        return read(values["raw"], Options(values["interests"], values["interests_from"]))


def import_page(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """GET asks for a file. A POST says what would become of it, imports the good rows, or returns the others."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if not form.is_valid():
        return _page(model_admin, request, form)
    sheet = form.sheet()
    if reason := _refusal(sheet):
        form.add_error(None, reason)
        return _page(model_admin, request, form)
    if "rejected" in request.POST:
        return _rejected(sheet)
    now, confirmed = timezone.now(), form.cleaned_data["confirmed"]
    if "store" not in request.POST:
        decisions = _decisions(sheet, now, confirmed=confirmed, dry_run=True)
        return _page(model_admin, request, form, sheet=sheet, decisions=decisions)
    with transaction.atomic():
        counts = store.counted(_decisions(sheet, now, confirmed=confirmed, dry_run=False))
        audit.record("import subscribers", now, user=request.user, detail=report.summary(sheet, counts))
    tasks.soon()
    messages.success(request, f"Imported: {report.summary(sheet, counts)}")
    if sheet.rejected:
        return _page(model_admin, request, form, sheet=sheet)
    return redirect("admin:subscriptions_subscriber_changelist")


def _decisions(sheet: Sheet, now: dt.datetime, *, confirmed: bool, dry_run: bool) -> list[Decision]:
    return [one for chunk in store.store(sheet, now, confirmed=confirmed, dry_run=dry_run) for one in chunk]


def _refusal(sheet: Sheet) -> str:
    """Return why nothing of the file may be imported; "" when it may."""
    if sheet.broken:
        return str(sheet.broken)
    if Suppression.objects.under_lost_keys().exists():
        return "Suppressions cannot be compared with the file: their key is not configured. See manage.py doctor."
    if len(sheet.rows) > MAX_ROWS:
        return f"The file has over {MAX_ROWS:,} rows: use manage.py import_subscribers."
    return ""


def _rejected(sheet: Sheet) -> HttpResponse:
    out = io.StringIO(newline="")
    report.write_rejected(sheet, out)
    headers = {"Content-Disposition": 'attachment; filename="rows-to-correct.csv"', "Cache-Control": "no-store"}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _page(
    model_admin: ModelAdmin, request: HttpRequest, form: ImportForm, *, sheet: Sheet | None = None,
    decisions: list[Decision] | None = None,
) -> HttpResponse:  # fmt: skip
    values = model_admin.admin_site.each_context(request) | {
        "title": "Import subscribers", "opts": Subscriber._meta, "form": form, "sheet": sheet,
        "is_dry_run": decisions is not None,
    }  # fmt: skip
    if sheet:
        lines = list(report.line_by_line(sheet, decisions or ()))
        values |= {
            "recognised": report.recognised(sheet), "lines": lines[:LINES], "more": max(0, len(lines) - LINES),
            "summary": report.summary(sheet, store.counted(decisions)) if decisions is not None else "",
            "content": base64.b64encode(form.cleaned_data["raw"]).decode(),
        }  # fmt: skip
    answer = render(request, "admin/import_subscribers.html", values, status=422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"
    return answer
