"""The part of the JSON interface that is one reader's own: settings, digests, saved papers, feedback.

A token of theirs opens it (RFC 6750). Nothing here is cached, or open to another site's scripts.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt

from digest.mail.rendering.labels import why
from digest.models import Digest, Feedback, Paper
from digest.picks.evidence import describe_digests
from digest.web.api import schemas
from digest.web.api.answers import JSON, Problem, as_json, bad, iso, page, paper_values, too_many
from digest.web.api.operations import Operation, View, allowed, operation, with_operations
from digest.web.api.own_schemas import CHANGE, ME
from digest.web.api.own_settings import change, escaped, fault, refuse, settings_of
from digest.web.api.parameters import DIGEST_LIMIT, LIMIT, MAX_NUMBER, OFFSET, PAPER, SAY, refuse_other_parameters
from subscriptions import tokens
from subscriptions.limits import client_network, is_over
from subscriptions.models import Secret, Subscriber

ASKED, ASKED_IN = 300, 600  # times one token may ask in so many seconds; a network twice as often
MAX_BODY = 64_000  # bytes; fifty lines of the longest kind are 25,000 characters
LOOKED_THROUGH = 400  # digests in which a paper that is spoken of may be: more than a year of daily mail
OPPOSITE = {Feedback.Kind.MORE: Feedback.Kind.LESS, Feedback.Kind.LESS: Feedback.Kind.MORE}

_TOKEN = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,200}=*) *", re.IGNORECASE)  # RFC 6750, 2.1


def of_subscriber(**operations: Operation) -> View:
    """An address for the holder of a token: which operation answers which method."""
    allow = allowed(operations)

    @csrf_exempt  # no cookie opens this: a foreign page has nothing to send
    def view(request: HttpRequest) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method or ""
        try:
            if method == "OPTIONS":
                answer = HttpResponse(status=204, headers={"Allow": allow})
            elif method not in operations:
                detail = f"This address takes {allow}."
                raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": allow})
            else:
                answer = _answer(operations[method], request)
        except Problem as problem:
            answer = problem.answer()
        except TooManyFieldsSent:
            answer = Problem(HTTPStatus.BAD_REQUEST, "There are too many parameters.").answer()
        patch_cache_control(answer, no_store=True, private=True)
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return with_operations(view, operations)


def _answer(operation: Operation, request: HttpRequest) -> HttpResponse:
    subscriber = _reader(request)
    refuse_other_parameters(request, operation.parameters)
    return operation(request, subscriber)


def _reader(request: HttpRequest) -> Subscriber:
    """Whose token it is. Raises Problem: a wrong one, a revoked one and one of somebody who left look alike."""
    if is_over("own-api-network", client_network(request), 2 * ASKED, ASKED_IN):
        raise too_many("Your network asked too often. Wait ten minutes.", ASKED_IN)
    header = request.headers.get("Authorization", "")
    if not header:
        raise _unauthorized("This address needs a token, as “Authorization: Bearer TOKEN”.", 'Bearer realm="api"')
    found = _TOKEN.fullmatch(header)
    reader = tokens.holder(found[1], Secret.Kind.API) if found else None
    if reader is None:
        raise _refused_token()
    if is_over("own-api", reader.code, ASKED, ASKED_IN):
        raise too_many("This token asked too often. Wait ten minutes.", ASKED_IN)
    return reader


def _refused_token() -> Problem:
    challenge = 'Bearer realm="api", error="invalid_token"'
    return _unauthorized("This token opens nothing. The preferences make a new one.", challenge)


def _unauthorized(detail: str, challenge: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})


def _body(request: HttpRequest) -> JSON:
    """The JSON object sent. Raises Problem."""
    if request.content_type not in ("application/json", "application/merge-patch+json"):
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    try:
        body = request.body
    except RequestDataTooBig:
        body = b" " * (MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {MAX_BODY} bytes.")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair, escaped, would come through
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


@operation("getMe", "me", ME)
def _read_me(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """Your lines, settings and pause."""
    return as_json(settings_of(reader, timezone.now()))


@operation("changeMe", "me", ME, body=CHANGE, example={"lines": ["diffusion", "-survey"], "hour": 7})
def _change_me(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """Change your lines, settings or pause.

    What is not named stays. All of it is stored, or nothing. The checks are those of the preferences page; each fault
    is one of `errors`, and of a line that cannot be read it names the column and proposes another.
    """
    now = timezone.now()
    try:
        return as_json(settings_of(change(reader, _body(request), now), now))
    except Subscriber.DoesNotExist:  # erased since
        raise _refused_token() from None


@operation("listDigests", "me", schemas.DigestPage, DIGEST_LIMIT, OFFSET)
def _digests(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """What was chosen for you, newest first."""
    limit, offset = DIGEST_LIMIT.read(request), OFFSET.read(request)
    rows = Digest.objects.filter(subscriber=reader)
    part = list(rows[offset : offset + limit])
    results = [_digest(digest, picks) for digest, picks in zip(part, describe_digests(part), strict=True)]
    return as_json(page(request, rows.count(), limit, offset, results))


def _digest(digest: Digest, picks: list[dict[str, Any]]) -> JSON:
    values = [
        {
            "paper": paper_values(pick["paper"]),
            "lane": pick["lane"],
            "points": pick["points"],
            "why": why(pick["reasons"]),
        }
        for pick in picks
    ]
    return {"issue_date": iso(digest.issue_date), "notice": digest.notice, "picks": values}


@operation("listSaved", "me", schemas.SavedPage, LIMIT, OFFSET)
def _saved(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """The papers you saved, newest first."""
    limit, offset = LIMIT.read(request), OFFSET.read(request)
    rows = Feedback.objects.filter(subscriber=reader, kind=Feedback.Kind.SAVE, undone_at=None)
    part = rows.select_related("paper").order_by("-at", "-pk")[offset : offset + limit]
    results = [{"paper": paper_values(row.paper), "saved_on": iso(row.at.date())} for row in part]
    return as_json(page(request, rows.count(), limit, offset, results))


@operation("say", "me", schemas.Said, body=schemas.Said, example={"paper": 1, "say": "save"})
def _say(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """More like this paper, less, or save it.

    Of papers that a mail of yours held. More and less of one paper cannot both hold: the last one does.
    """
    said = _body(request)
    refuse(_faults_of_saying(said))
    paper, kind, now = said["paper"], Feedback.Kind(said["say"]), timezone.now()
    if not _was_mailed(reader, paper):
        refuse([fault("paper", "No mail of yours held a paper of this number.")])
    with transaction.atomic():
        _note(reader, paper, kind, now)
    return as_json({"paper": paper, "say": kind.value})


def _faults_of_saying(said: JSON) -> list[JSON]:
    faults = [fault(escaped(name), "There is: paper, say.") for name in said if name not in ("paper", "say")]
    if type(said.get("paper")) is not int or not 0 < said["paper"] <= MAX_NUMBER:
        faults.append(fault("paper", "“paper” is not the number of a paper."))
    if not isinstance(said.get("say"), str) or said["say"] not in Feedback.Kind.values:
        faults.append(fault("say", f"“say” is none of: {', '.join(Feedback.Kind.values)}."))
    return faults


def _was_mailed(reader: Subscriber, paper: int) -> bool:
    """Whether a digest of the last year held it, and it is still there."""
    held = Digest.objects.filter(subscriber=reader).only("packed_picks")[:LOOKED_THROUGH]
    is_held = any(paper in digest.paper_ids for digest in held.iterator())
    return is_held and Paper.objects.filter(pk=paper).exists()


def _note(reader: Subscriber, paper: int, kind: Feedback.Kind, now: dt.datetime) -> None:
    """More and less of one paper cannot both hold: the last one does."""
    Feedback.objects.update_or_create(
        subscriber=reader, paper_id=paper, kind=kind, defaults={"at": now, "undone_at": None}
    )
    if kind in OPPOSITE:
        _undo(reader, paper, OPPOSITE[kind], now)


@operation("takeBack", "me", None, PAPER, SAY)
def _take_back(request: HttpRequest, reader: Subscriber) -> HttpResponse:
    """Take back what was said of a paper.

    Whether it had been said makes no difference.
    """
    paper = PAPER.read(request)
    say: Any = request.GET.get("say", "")
    if say not in Feedback.Kind.values:
        raise bad("say", f"“say” is none of: {', '.join(Feedback.Kind.values)}.")
    _undo(reader, paper, say, timezone.now())
    return HttpResponse(status=204)


def _undo(reader: Subscriber, paper: int, kind: str, now: dt.datetime) -> None:
    Feedback.objects.filter(subscriber=reader, paper=paper, kind=kind, undone_at=None).update(undone_at=now)


me = of_subscriber(GET=_read_me, PATCH=_change_me)
digests = of_subscriber(GET=_digests)
saved = of_subscriber(GET=_saved)
feedback = of_subscriber(POST=_say, DELETE=_take_back)
