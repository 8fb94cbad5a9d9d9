"""What a reader says of a paper, from a link in the mail: more, less, save, or mute a word or an author of it.

The link opens a page that says what it will do; a POST does it, and each has an Undo for some days. The mail may have
been forwarded: the page tells only of the papers of its mail, and later changes are made in the preferences.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core import signing
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from digest import links
from digest.mail.rendering.excerpts import byline
from digest.models import Digest, Feedback, Paper
from digest.web.pages.mute_choices import Mute, author_mutes, mute_of, word_mutes
from subscriptions import edit_interests
from subscriptions.interests import canonical
from subscriptions.interests.parser import InterestError, parse
from subscriptions.language import speak_to
from subscriptions.limits import limited
from subscriptions.links import UNDO, UNDO_DAYS, preferences
from subscriptions.models import Subscriber

MUTE = "mute"
SAID_SHOWN = 8  # of what was said last
OPPOSITE = {Feedback.Kind.MORE: Feedback.Kind.LESS, Feedback.Kind.LESS: Feedback.Kind.MORE}
View = Callable[..., HttpResponse]


def _private(view: View) -> View:
    """Pages behind a token are neither cached nor indexed."""

    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        answer = view(request, token)
        patch_cache_control(answer, no_store=True, private=True)
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@limited("feedback", most=200, seconds=600)
@_private
def feedback(request: HttpRequest, token: str) -> HttpResponse:
    """Says what the link will do (`paper`, `say`); a POST does it, `undo` takes it back."""
    try:
        digest = links.feedback_on(token)
        paper = _paper(digest, request.GET.get("paper", ""))
        say = request.GET.get("say", "")
        kind = None if say == MUTE else Feedback.Kind(say)
    except (signing.BadSignature, ObjectDoesNotExist, ValueError):
        return render(request, "subscriptions/bad_link.html", status=404)
    speak_to(request, digest.subscriber)
    values = _values(digest, paper, say)
    if kind is None:
        return _mute(request, digest.subscriber, values)
    return _say(request, digest.subscriber, kind, values)


def _paper(digest: Digest, number: str) -> Paper:
    """A paper of this digest. Raises ValueError, Paper.DoesNotExist."""
    if not number.isascii() or not number.isdecimal() or int(number) not in digest.paper_ids:
        raise ValueError("no paper of this mail")
    return Paper.objects.get(pk=int(number))


def _values(digest: Digest, paper: Paper, say: str) -> dict[str, Any]:
    return {
        "digest": digest,
        "paper": paper,
        "byline": byline(paper.authors),
        "say": say,
        "web_copy": links.web_copy(digest),
        "preferences": preferences(digest.subscriber),
    }


def _say(request: HttpRequest, reader: Subscriber, kind: Feedback.Kind, values: dict[str, Any]) -> HttpResponse:
    now, paper = timezone.now(), values["paper"]
    if request.method == "POST":
        if "take_back" in request.POST:
            _take_back(_undoable(values["digest"], now), request.POST["take_back"], now)
        elif "undo" in request.POST:
            _undoable(values["digest"], now).filter(paper=paper, kind=kind).update(undone_at=now)
        else:
            _note(reader, paper, kind, now)
    undoable = _undoable(values["digest"], now)
    values |= {
        "is_said": reader.feedback.filter(paper=paper, kind=kind, undone_at=None).exists(),
        "can_undo": undoable.filter(paper=paper, kind=kind).exists(),
        "is_done": request.method == "POST",
        "kind": kind,
        "days": UNDO_DAYS,
        "others": undoable.exclude(paper=paper, kind=kind).select_related("paper").order_by("-at", "-pk")[:SAID_SHOWN],
    }
    return render(request, "digest/feedback.html", values)


def _undoable(digest: Digest, now: dt.datetime) -> QuerySet[Feedback]:
    """What was said of the papers of this digest in the last days, and not taken back."""
    said = digest.subscriber.feedback.filter(undone_at=None, at__gte=now - UNDO)
    return said.filter(paper__in=digest.paper_ids)


def _note(reader: Subscriber, paper: Paper, kind: Feedback.Kind, now: dt.datetime) -> None:
    """Note it, once. More and less of one paper cannot both hold: the last one does."""
    if reader.feedback.filter(paper=paper, kind=kind, undone_at=None).exists():
        return  # said again, it does not become younger: the undo ends when it said it would
    Feedback.objects.update_or_create(
        subscriber=reader, paper=paper, kind=kind, defaults={"at": now, "undone_at": None}
    )
    if kind in OPPOSITE:
        reader.feedback.filter(paper=paper, kind=OPPOSITE[kind], undone_at=None).update(undone_at=now)


def _take_back(rows: QuerySet[Feedback], number: str, now: dt.datetime) -> None:
    if number.isascii() and number.isdecimal() and len(number) < 16:
        rows.filter(pk=int(number)).update(undone_at=now)


def _mute(request: HttpRequest, reader: Subscriber, values: dict[str, Any]) -> HttpResponse:
    """Which words or authors to mute; a POST with one adds the line, its `undo` takes it away again."""
    error = done = undo = undone = ""
    if request.method == "POST" and "undo" in request.POST:
        undone, error = _unmute(reader, request.POST["undo"])
    elif request.method == "POST":
        done, undo, error = _add(reader, request.POST.get("line", ""))
    held = set(reader.interest_lines.values_list("interest__key", flat=True))
    paper = values["paper"]
    values |= {
        "error": error,
        "done": done,
        "undo": undo,
        "undone": undone,
        "days": UNDO_DAYS,
        "words": _offered(held, word_mutes(paper.title, reader.lines())),
        "authors": _offered(held, author_mutes(paper.authors)),
    }
    return render(request, "digest/mute.html", values, status=422 if error else 200)


def _add(reader: Subscriber, text: str) -> tuple[str, str, str]:
    """(what is muted now, the token that takes it back, what is wrong), each "" where there is none."""
    mute = mute_of(text)
    if mute is None:
        return "", "", gettext("That cannot be muted: type a word, or a few words that stand side by side.")
    try:
        is_new = edit_interests.add(reader, mute.line)
    except (edit_interests.TooManyLines, InterestError) as error:
        return "", "", str(error)
    return mute.shown, links.mute_undo(reader, mute.line) if is_new else "", ""


def _unmute(reader: Subscriber, token: str) -> tuple[str, str]:
    """(what is no longer muted, what is wrong)."""
    try:
        line = links.muted_line(token, reader)
    except signing.BadSignature:
        return "", gettext("This cannot be undone here any more. Take the line out in your preferences.")
    mute = mute_of(line)
    return mute.shown if mute and edit_interests.remove(reader, line) else "", ""


def _offered(held: set[str], mutes: list[Mute]) -> list[tuple[Mute, bool]]:
    """Each with whether it is muted already."""
    return [(mute, canonical.key(parse(mute.line)) in held) for mute in mutes]
