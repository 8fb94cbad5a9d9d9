"""Providers' HTTP answers and what they mean: one table, read from the top, the first row that fits counts.

Names and numbers are those of each provider's documentation of errors (docs/providers.md has the addresses). A 5xx
without more is in doubt: the provider may have taken the mail before it failed. 503 says by its definition that it
has not (RFC 9110 15.6.4).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from subscriptions.outcomes.meanings import (
    BROKEN,
    CONTENT,
    DEAD,
    INVALID,
    KEY,
    MALFORMED,
    MISFIT,
    ODD,
    SENDER,
    THROTTLED,
    TOO_BIG,
    TROUBLE,
    UNAVAILABLE,
    Meaning,
    Outcome,
)

MAX_WAIT = dt.timedelta(days=1)
LONGEST = 2000  # characters of an answer that are read


class Row(NamedTuple):
    """`provider` is Anymail's name for it, "" for any; `status` fits the HTTP status, `code` the provider's own code or
    name for the error (whole), `words` any place of its message.
    """

    provider: str
    status: str
    code: str
    words: str
    meaning: Meaning


TABLE = (
    # --- Postmark: ErrorCode
    Row("Postmark", r"", r"10", r"", KEY),
    Row("Postmark", r"", r"100", r"", UNAVAILABLE),  # maintenance
    Row("Postmark", r"", r"300", r"'(To|Cc|Bcc)'", INVALID),
    Row("Postmark", r"", r"300", r"'From'", SENDER),
    Row("Postmark", r"", r"300", r"too (large|big)|exceed", TOO_BIG),
    Row("Postmark", r"", r"400|401|405|412|413|1101|1235", r"", KEY),  # signature, credits, pending, stream
    Row("Postmark", r"", r"406", r"", DEAD),  # inactive: bounced hard, complained or suppressed by hand
    Row("Postmark", r"", r"429", r"", THROTTLED),
    # --- Amazon SES v2: the exception's name
    Row("Amazon SES", r"", r"TooManyRequestsException|Throttling(Exception)?|LimitExceededException", r"", THROTTLED),
    Row("Amazon SES", r"", r"(AccountSuspended|(Account)?SendingPaused|MailFromDomainNotVerified|NotFound)Exception",
        r"", KEY),
    Row("Amazon SES", r"", r"(UnrecognizedClient|AccessDenied|ExpiredToken|InvalidSignature)(Exception)?"
        r"|InvalidClientTokenId|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|NotAuthorized",
        r"", KEY),
    Row("Amazon SES", r"", r"MessageRejected(Exception)?", r"not verified|failed the check", SENDER),
    Row("Amazon SES", r"", r"MessageRejected(Exception)?", r"", CONTENT),
    Row("Amazon SES", r"", r"BadRequestException|ValidationException", r"too long|size|length", TOO_BIG),
    Row("Amazon SES", r"", r"BadRequestException|ValidationException", r"address|domain|local part", INVALID),
    # --- Mailgun: words only
    Row("Mailgun", r"40[03]", r"", r"not allowed to send|disabled|not verified|activate|authorized recipient|suspended",
        KEY),
    Row("Mailgun", r"400", r"", r"'?to'? parameter is not a valid|not a valid address", INVALID),
    Row("Mailgun", r"400", r"", r"'?from'? parameter", SENDER),
    Row("Mailgun", r"404", r"", r"", KEY),  # no such domain in this region
    Row("Mailgun", r"420|429", r"", r"", THROTTLED),
    # --- SendGrid: words, field by field
    Row("SendGrid", r"40[013]", r"", r"maximum credits|authorization|permission|verified sender|match a verified", KEY),
    Row("SendGrid", r"400", r"", r"^(?>.*?personalizations).*(email|address)|not contain a valid address", INVALID),
    # --- Brevo: code
    Row("Brevo", r"", r"unauthorized|account_under_validation|not_enough_credits|permission_denied", r"", KEY),
    Row("Brevo", r"", r"duplicate_(parameter|request)", r"", ODD),  # the key was used: that try was taken
    Row("Brevo", r"400", r"invalid_parameter|missing_parameter", r"sender|ip", SENDER),
    Row("Brevo", r"400", r"invalid_parameter|missing_parameter", r"email|\bto\b", INVALID),
    # --- Resend: name
    Row("Resend", r"", r"missing_api_key|restricted_api_key|invalid_api_key|invalid_access", r"", KEY),
    Row("Resend", r"", r"(daily|monthly)_quota_exceeded|rate_limit_exceeded", r"", THROTTLED),
    Row("Resend", r"409", r"concurrent_idempotent_requests", r"", TROUBLE),  # the first try is still at work
    Row("Resend", r"409", r"invalid_idempotent_request", r"", ODD),  # the key was used, for a mail not quite the same
    Row("Resend", r"403", r"validation_error|invalid_from_address", r"", SENDER),
    Row("Resend", r"4(00|22)", r"", r"`?\bto`? ?(field|address|parameter)?|recipient", INVALID),
    Row("Resend", r"4(00|22)", r"", r"`?\bfrom`?", SENDER),
    Row("Resend", r"50[024]", r"", r"", dataclasses.replace(BROKEN, outcome=Outcome.TEMPORARY)),  # it knows the key
    # --- any provider
    Row("", r"401|402|403|404|407", r"", r"", KEY),
    Row("", r"408", r"", r"", TROUBLE),
    Row("", r"413", r"", r"", TOO_BIG),
    Row("", r"425|429", r"", r"", THROTTLED),
    Row("", r"4\d\d", r"", r"", MALFORMED),
    Row("", r"503", r"", r"", UNAVAILABLE),
    Row("", r"5\d\d", r"", r"", BROKEN),
    Row("", r"2\d\d", r"", r"", BROKEN),  # a page instead of JSON: something stands between, and took or lost it
    Row("", r"", r"", r"not supported|cannot send", MISFIT),
)  # fmt: skip

_CODE_NAMES = ("ErrorCode", "code", "name", "Code", "error_code")
_WORD_NAMES = ("Message", "message", "errors", "error", "ErrorMessage")
_TABLE = [(re.compile(row.code), re.compile(row.words, re.I | re.S), re.compile(row.status), row) for row in TABLE]


def find(provider: str, status: int | None, code: str, words: str) -> Row | None:
    """The row for a provider's refusal; None where nothing is known."""
    for codes, says, statuses, row in _TABLE:
        is_this = row.provider in ("", provider) and (not row.status or statuses.fullmatch(str(status or "")))
        if is_this and (not row.code or codes.fullmatch(code)) and says.search(words):
            return row
    return None


def read_answer(provider: str, status: int | None, body: object, headers: Mapping[str, str] | None = None) -> Meaning:
    """What a refusal over HTTP means. `body` is the parsed JSON, or text where it is none."""
    code, words = said(body)
    words = words[:LONGEST]
    row = find(provider, status, code, words)
    meaning = row.meaning if row else ODD
    wait = wait_said(headers or {})
    return dataclasses.replace(meaning, wait=wait) if wait and meaning.may_retry else meaning


def said(body: object) -> tuple[str, str]:
    """The provider's code for the error and its words, from any of the shapes that errors come in."""
    if not isinstance(body, Mapping):
        return "", str(body or "")
    inner = body.get("Error")
    if isinstance(inner, Mapping):  # as botocore gives it
        return str(inner.get("Code", "")), str(inner.get("Message", ""))
    code = next((str(body[name]) for name in _CODE_NAMES if isinstance(body.get(name), str | int)), "")
    words = next((body[name] for name in _WORD_NAMES if body.get(name)), "")
    return code, words if isinstance(words, str) else json.dumps(words)


def wait_said(headers: Mapping[str, str]) -> dt.timedelta | None:
    """How long to wait, from Retry-After (RFC 9110 10.2.3) or the reset headers of rate limits; at most a day."""
    names = {name.lower(): text.strip() for name, text in headers.items()}
    for name in ("retry-after", "ratelimit-reset", "x-sib-ratelimit-reset", "x-ratelimit-reset"):
        if text := names.get(name):
            seconds = _seconds(text, names.get("date", ""))
            if seconds is not None and seconds >= 0:
                return min(dt.timedelta(seconds=seconds), MAX_WAIT)
    return None


def _seconds(text: str, date: str) -> float | None:
    """Seconds from now; a moment (epoch seconds, milliseconds, or a date) is taken from the answer's own Date."""
    if re.fullmatch(r"\d{1,7}", text):
        return float(text)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        now = parsedate_to_datetime(date).timestamp()
        if re.fullmatch(r"\d{10}|\d{13}", text):
            return int(text) / (1000 if len(text) == 13 else 1) - now
        return parsedate_to_datetime(text).timestamp() - now
    return None


def body_of(response: Any) -> object:
    """The JSON of a requests.Response, its text where it has none, or the mapping that botocore made of it."""
    if response is None or isinstance(response, Mapping):
        return response
    try:
        return response.json()
    except ValueError:
        return response.text[:2000]
