"""Signing up, confirming, preferences, leaving. Links in mail ask on GET and act on POST."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from subscriptions import language, links, mail_requests, proof_of_work, signup, tasks
from subscriptions.forms import PauseForm, PreferencesForm, SignupForm
from subscriptions.interests import abbreviations, examples
from subscriptions.limits import limited
from subscriptions.models import Subscriber
from subscriptions.preferences import save, settings_of
from subscriptions.token_views import for_reader

EMBEDDED = ("email", "interests", "frequency", "hour", "weekday", "time_zone")  # what a form elsewhere may send
MAX_NAMED = 10_000  # characters


@require_http_methods(["GET", "HEAD", "POST"])
@limited("signup", most=20, seconds=3600)
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form; a POST signs up and answers the same for every address."""
    form = SignupForm(request.POST if request.method == "POST" else None, initial=_named(request))
    now = timezone.now()
    if request.method == "POST" and form.is_valid() and not form.is_mended and _has_worked(request, form, now):
        if not form.is_from_machine:
            page = f"{links.absolute(request.path)}"
            address, pasted = form.cleaned_data["email"], form.cleaned_data["papers"]
            mail_requests.ask_to_sign_up(address, form.preferences(), page=page, now=now, pasted=pasted)
            tasks.soon()
        return redirect("subscriptions:check_inbox")
    return render(request, "subscriptions/signup.html", {"form": form}, status=422 if form.errors else 200)


def _has_worked(request: HttpRequest, form: SignupForm, now: dt.datetime) -> bool:
    """Whether the browser has done the work that a burst of sign-ups asks for; the form says so if not."""
    if not proof_of_work.is_wanted(now) or proof_of_work.accept(request.POST.get("proof", ""), now):
        return True
    form.add_error(None, proof_of_work.explanation())
    return False


def _named(request: HttpRequest) -> dict[str, str]:
    """The interests that a link names. Never an address: what stands in a link stands in logs."""
    lines = request.GET.get("interests", "")[:MAX_NAMED]
    return {"interests": lines} if lines else {}


@csrf_exempt  # a form on another site has no token of ours; what it sends is shown, and nothing is stored
@require_http_methods(["GET", "HEAD", "POST"])
@limited("embed", most=120, seconds=600)
def embed(request: HttpRequest) -> HttpResponse:
    """GET: the form for other sites. POST, from there: our own form, filled in, to look at and go on."""
    if request.method != "POST":
        return render(request, "subscriptions/embed.html", {"action": links.absolute(request.path)})
    typed = {name: request.POST[name][:MAX_NAMED] for name in EMBEDDED if request.POST.get(name)}
    answer = render(request, "subscriptions/signup.html", {"form": SignupForm(initial=typed), "from_elsewhere": True})
    patch_cache_control(answer, no_store=True, private=True)
    return answer


@require_safe
def interests_help(request: HttpRequest) -> HttpResponse:
    """The interest language, by examples that are tested."""
    values = {
        "sections": examples.SECTIONS,
        "habits": examples.HABITS,
        "mends": examples.MENDS,
        "abbreviations": [form.shown for form in abbreviations.table()],
    }
    return render(request, "subscriptions/interests_help.html", values)


def check_inbox(request: HttpRequest) -> HttpResponse:
    """What comes next."""
    return render(request, "subscriptions/check_inbox.html", {"days": links.CONFIRM_DAYS})


@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(links.CONFIRM)
def confirm(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Asks "is it you?"; yes starts the mail."""
    version, number = links.confirmed_by(token)
    if version != reader.confirm_version:
        return render(request, "subscriptions/used_link.html", status=410)
    if request.method == "POST":
        page = links.absolute("/confirm/")
        if not signup.confirm_by_link(reader, version, number, page=page, now=timezone.now()):
            return render(request, "subscriptions/bad_link.html", status=410)
        messages.success(request, _("You are in. Here is everything you can change."))
        return redirect(links.access(reader))
    lines = reader.lines()
    if number:
        asked = reader.pending_signups.filter(number=number).first()
        if asked is None:
            return render(request, "subscriptions/bad_link.html", status=410)
        lines = list(signup.show(reader, asked).lines)
    return render(request, "subscriptions/confirm.html", {"reader": reader, "lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(links.ACCESS)
def preferences(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """Everything a reader can change, with no password."""
    now = timezone.now()
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=initial_preferences(reader))
    if request.method == "POST" and form.is_valid() and not form.is_mended:
        save(reader, form.preferences(), now)
        language.speak_to(request, reader)  # it may be another now
        messages.success(request, _("Saved."))
        return redirect(request.path)
    context = {
        "form": form,
        "reader": reader,
        "token": token,
        "now": now,
        "pause_form": PauseForm(zone=reader.time_zone, now=now),
        "is_paused": reader.is_paused(now),
        "local_pause": _local(reader.paused_until, reader),
        "local_next": _local(reader.next_digest_at, reader),
        "unsubscribe": links.unsubscribe(reader),
    }
    return render(request, "subscriptions/preferences.html", context, status=422 if form.errors else 200)


def _local(moment: dt.datetime | None, reader: Subscriber) -> dt.datetime | None:
    """On the reader's clock."""
    return moment and moment.astimezone(ZoneInfo(reader.time_zone))


def initial_preferences(subscriber: Subscriber) -> dict[str, Any]:
    """Return what the form shows before anything is changed."""
    return settings_of(subscriber) | {"interests": "\n".join(subscriber.lines())}


@require_POST
@for_reader(links.ACCESS)
def pause(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """No mail for so many days, or until a day; or, with `resume`, mail again."""
    now = timezone.now()
    form = PauseForm(request.POST, zone=reader.time_zone, now=now)
    if reader.status == Subscriber.Status.ACTIVE:
        if "resume" in request.POST:
            reader.pause(None, now)
            messages.success(request, _("Mail comes again."))
        elif form.is_valid() and (until := form.ends_at()):
            reader.pause(until, now)
            messages.success(request, _("Paused. You can resume at any time."))
        else:
            faults = [str(fault) for of_field in form.errors.values() for fault in of_field]
            messages.error(request, faults[0] if faults else _("Name the day on which mail should come again."))
    return redirect("subscriptions:preferences", token)


@csrf_exempt  # a mail client's one-click POST (RFC 8058) has no cookie and no CSRF token
@require_http_methods(["GET", "HEAD", "POST"])
@for_reader(links.UNSUBSCRIBE)
def unsubscribe(request: HttpRequest, token: str, reader: Subscriber) -> HttpResponse:
    """GET asks, POST acts, with an undo; the same POST serves people and RFC 8058. No redirect."""
    if request.method != "POST":
        return render(request, "subscriptions/unsubscribe.html", {"reader": reader})
    page, now = links.absolute("/unsubscribe/"), timezone.now()
    _, version = links.read_token(token, links.UNSUBSCRIBE)
    # A link that was made void still lets its reader leave, but neither come back nor see anything.
    is_current = version == reader.token_version
    can_undo = is_current and signup.can_come_back(reader, now)
    # The body is read last: an active reader leaves however a provider garbles it.
    if can_undo and reader.status == Subscriber.Status.UNSUBSCRIBED and "undo" in request.POST:
        if signup.confirm(reader, page=page, now=now):
            return render(request, "subscriptions/resubscribed.html", {"preferences": links.preferences(reader)})
    else:
        signup.leave(reader, page=page, now=now)
        can_undo = is_current and signup.can_come_back(reader, now)
    values = {"token": token if can_undo else "", "days": links.UNDO_DAYS}
    return render(request, "subscriptions/unsubscribed.html", values)
