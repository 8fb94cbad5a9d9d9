"""Add a source: paste an address, look at what it would bring, save. The trial travels signed in the form."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from auditlog import audit
from digest.models import Paper, Source
from digest.papers.ingest import addresses, source_preview
from digest.papers.ingest.source_detection import Duplicate
from digest.papers.ingest.source_preview import Trial
from digest.papers.ingest.storage import NEWS_DAYS
from digest.papers.sources.parsed import SourceError
from subscriptions import limits
from subscriptions.permissions import may_view
from subscriptions.redaction import redact

SALT = "digest.source-trial"
MAX_AGE = dt.timedelta(hours=1)  # of a trial that is saved
TRIALS = 30  # of one user
TRIALS_IN = 600  # seconds
EVERY = {
    900: "15 minutes", 1_800: "30 minutes", 3_600: "hour", 10_800: "3 hours", 21_600: "6 hours",
    43_200: "12 hours", 86_400: "day",
}  # fmt: skip
OFTEN = dt.timedelta(hours=1)  # as long as nobody chooses otherwise


class EveryField(forms.TypedChoiceField):
    """How often a source is checked; a span that somebody set otherwise stays among the choices."""

    def __init__(self, **more: Any) -> None:
        super().__init__(coerce=_span, choices=list(EVERY.items()), widget=UnfoldAdminSelectWidget, **more)

    def prepare_value(self, value: Any) -> Any:
        return str(int(value.total_seconds())) if isinstance(value, dt.timedelta) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != str(data))

    def allow(self, span: dt.timedelta) -> None:
        seconds = int(span.total_seconds())
        if seconds not in EVERY:
            self.choices = sorted([*EVERY.items(), (seconds, str(span))])


def _span(seconds: str) -> dt.timedelta:
    return dt.timedelta(seconds=int(seconds))


class AddressForm(forms.Form):
    address = forms.CharField(
        max_length=addresses.MAX_LENGTH,
        error_messages={"required": f"There is no address: {addresses.EXAMPLE}."},
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class SaveForm(forms.ModelForm):  # type: ignore[type-arg]
    """What may still be chosen once an address was tried."""

    check_every = EveryField(
        label="Checked every", help_text="Where nothing has changed, a check costs next to nothing."
    )

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = ["name", "slug", "check_every"]
        widgets: ClassVar[dict[str, Any]] = {"name": UnfoldAdminTextInputWidget, "slug": UnfoldAdminTextInputWidget}


def add_source(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """GET asks for an address, a POST of one tries it, a POST of the signed trial saves it."""
    if request.method != "POST":
        return _page(model_admin, request, AddressForm(initial={"address": request.GET.get("address", "")}))
    return _save(model_admin, request) if "trial" in request.POST else _try(model_admin, request)


def _try(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _page(model_admin, request, form)
    if limits.is_over("source-trial", str(request.user.pk), TRIALS, TRIALS_IN):
        form.add_error("address", f"That were {TRIALS} trials in {TRIALS_IN // 60} minutes: wait a little.")
        answer = _page(model_admin, request, form, status=429)
        answer["Retry-After"] = str(TRIALS_IN)
        return answer
    now, address = timezone.now(), form.cleaned_data["address"]
    audit.record("try source", now, user=request.user, target=redact(address))
    try:
        tried = source_preview.of(address, now)
    except SourceError as error:
        form.add_error("address", _said(model_admin, request, error))
        return _page(model_admin, request, form)
    proposed = {"name": tried.name, "slug": source_preview.free_slug(tried.name), "check_every": OFTEN}
    return _page(model_admin, request, form, tried=tried, save_form=SaveForm(initial=proposed))


def _save(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    try:
        tried = _tried(request)
        source_preview.check_again(tried)
    except SourceError as error:
        return _page(model_admin, request, _refused(_address_of(request), _said(model_admin, request, error)))
    source = Source(kind=tried.kind, url=tried.url, next_check_at=timezone.now())
    form = SaveForm(request.POST, instance=source)
    if not (form.is_valid() and _saved(model_admin, request, form)):
        return _page(model_admin, request, AddressForm(initial={"address": tried.url}), tried=tried, save_form=form)
    coming = "its papers come with the next look, within some minutes"
    off = "nothing is fetched while FETCH_SOURCES is off"
    messages.success(request, f"“{source}” is added: {coming if settings.FETCH_SOURCES else off}.")
    done: HttpResponse = model_admin.response_post_save_add(request, source)
    return done


def _refused(address: str, why: str) -> AddressForm:
    form = AddressForm({"address": address})
    form.full_clean()
    form.errors["address"] = form.error_class([why])
    return form


def _saved(model_admin: ModelAdmin, request: HttpRequest, form: SaveForm) -> bool:
    """Write the source and its line in the admin's history, unless another took its slug in this moment."""
    try:
        with transaction.atomic():
            model_admin.save_model(request, form.instance, form, change=False)
            model_admin.log_addition(request, form.instance, [{"added": {}}])
            audit.record("add source", timezone.now(), user=request.user, target=f"source {form.instance.slug}")
    except IntegrityError:
        form.add_error("slug", "Another source took this slug a moment ago.")
        return False
    return True


def _page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    form: AddressForm,
    *,
    tried: Trial | None = None,
    save_form: SaveForm | None = None,
    status: int = 200,
) -> HttpResponse:
    values = model_admin.admin_site.each_context(request) | {
        "title": "Add source",
        "opts": Source._meta,
        "form": form,
        "tried": tried,
        "save_form": save_form,
        "news_days": NEWS_DAYS,
        "every": EVERY[int(OFTEN.total_seconds())],
        "has_view_permission": model_admin.has_view_permission(request),
        "may_view_papers": may_view(request.user, Paper),
    }
    if tried is None:  # else it stands below the papers, and the browser would go there
        form.fields["address"].widget.attrs["autofocus"] = True
    else:
        values["signed"] = signing.dumps({"by": request.user.pk, "trial": tried.as_json()}, salt=SALT, compress=True)
    return render(request, "admin/digest/source/add.html", values, status=status)


def _tried(request: HttpRequest) -> Trial:
    """The trial that was shown to this user. SourceError where it is another's, too old, or was changed."""
    try:
        found = signing.loads(request.POST["trial"], salt=SALT, max_age=MAX_AGE)
    except signing.SignatureExpired as error:
        raise SourceError("The trial is more than an hour old: try the address again.") from error
    except signing.BadSignature as error:
        raise SourceError("The form of the trial was changed on its way: try the address again.") from error
    if found["by"] != request.user.pk:
        raise SourceError("The trial was somebody else's: try the address yourself.")
    return Trial.of_json(found["trial"])


def _address_of(request: HttpRequest) -> str:
    """The address of a trial that cannot be saved, "" where that is not to be trusted either."""
    try:
        return str(signing.loads(request.POST["trial"], salt=SALT)["trial"]["url"])
    except signing.BadSignature:
        return ""


def _said(model_admin: ModelAdmin, request: HttpRequest, error: SourceError) -> str:
    """The error as the field shows it; a duplicate with a link to what is there."""
    if not isinstance(error, Duplicate):
        return str(error)
    if not model_admin.has_view_permission(request):
        return f"{error} “{error.source}”."
    link = reverse("admin:digest_source_change", args=[error.source.pk])
    return format_html('{} <a class="underline" href="{}">{}</a>.', str(error), link, error.source.name)
