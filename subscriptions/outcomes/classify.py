"""What an error while sending means: whom it concerns, whether to try again, wait, or never mail the address again.

One place for all ways out: `replies` is the table of SMTP's replies, `answers` that of the providers' HTTP interfaces,
`events` says what their later reports of bounces mean, `meanings` has the words.
"""

from __future__ import annotations

import dataclasses
import smtplib
from typing import Any

import requests
import urllib3.exceptions
from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.exceptions import ImproperlyConfigured

from subscriptions.outcomes.answers import body_of, read_answer
from subscriptions.outcomes.meanings import (
    DEAD,
    IN_DOUBT,
    INVALID,
    KEY,
    MISFIT,
    TOO_BIG,
    UNREACHED,
    Meaning,
    Outcome,
    Party,
)
from subscriptions.outcomes.replies import read_reply

__all__ = ["Meaning", "Outcome", "Party", "of", "read", "read_answer", "read_reply", "read_sender_reply", "text_of"]

# Before these a connection stood, so nothing of the mail can have left.
_NOT_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)
_BOTO_NOT_CONNECTED = {
    "EndpointConnectionError", "ConnectTimeoutError", "SSLError", "ProxyConnectionError", "NoRegionError",
    "InvalidEndpointDiscoveryConfigurationError",
}  # fmt: skip
_BOTO_KEY = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"}


def of(error: BaseException) -> Outcome:
    """What to do with the mail whose sending raised this."""
    return read(error).outcome


def read(error: BaseException) -> Meaning:
    """The meaning of what a backend raised once its connection was open (RFC 5321 4.2.1, 4.5.3.2.6)."""
    if isinstance(error, smtplib.SMTPException | UnicodeError):
        return _of_smtp(error)
    if isinstance(error, AnymailError):
        return _of_anymail(error)
    if isinstance(error, ImproperlyConfigured):
        return KEY
    # A connection lost or timed out in the middle: the final dot may have been on its way.
    return _of_boto(error) or IN_DOUBT


def _of_smtp(error: BaseException) -> Meaning:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = [(code, _text(reply)) for code, reply in error.recipients.values()]
        return read_reply(*max(replies, default=(550, "")))
    if isinstance(error, smtplib.SMTPSenderRefused):
        return read_sender_reply(error.smtp_code, _text(error.smtp_error))
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return KEY
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return dataclasses.replace(UNREACHED, what="the server does not greet us")
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code == -1:
            return UNREACHED
        return read_reply(error.smtp_code, _text(error.smtp_error))
    if isinstance(error, smtplib.SMTPNotSupportedError | UnicodeError):
        return INVALID
    return IN_DOUBT


def read_sender_reply(code: int, text: str) -> Meaning:
    """What a refusal in answer to MAIL FROM means."""
    meaning = read_reply(code, text)
    if meaning is TOO_BIG:
        return meaning  # MAIL FROM names the size: this mail's, not every mail's
    # Our own address or account: true of every mail, so none is burnt.
    return dataclasses.replace(meaning, outcome=Outcome.NO_SERVER, party=Party.US, opens_circuit=True,
                               suppresses=False, points=0)  # fmt: skip


def _of_anymail(error: AnymailError) -> Meaning:
    if isinstance(error, AnymailRecipientsRefused):
        refusal: Meaning = _of_response(error)
        return refusal if refusal in (DEAD, INVALID) else INVALID
    if isinstance(error, AnymailInvalidAddress):
        return INVALID
    if isinstance(error, AnymailUnsupportedFeature | AnymailSerializationError) or type(error) is AnymailError:
        return MISFIT  # raised before anything leaves
    if error.response is not None:
        return _of_response(error)
    if isinstance(error, requests.RequestException) and _never_connected(error):
        return UNREACHED
    return _of_boto(error.__cause__) or _of_response(error)


def _of_response(error: AnymailError) -> Meaning:
    status, headers = error.status_code, getattr(error.response, "headers", None)
    if isinstance(error.response, dict):
        details = error.response.get("ResponseMetadata", {})
        status, headers = details.get("HTTPStatusCode"), details.get("HTTPHeaders")
    if status is None and error.response is None:
        return IN_DOUBT
    return read_answer(error.esp_name or "", status, body_of(error.response), headers)


def _never_connected(error: requests.RequestException) -> bool:
    cause: Any = error.__cause__
    inner = cause.args[0] if getattr(cause, "args", None) else None
    reason = getattr(inner, "reason", inner)
    return isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or isinstance(
        reason, _NOT_CONNECTED
    )


def _of_boto(cause: BaseException | None) -> Meaning | None:
    """The meaning of an error of botocore's, by name: botocore is only there where Amazon SES is used."""
    name = type(cause).__name__
    if name in _BOTO_NOT_CONNECTED:
        return UNREACHED
    return KEY if name in _BOTO_KEY else None


def text_of(error: BaseException) -> str:
    """The server's own words, for the Delivery row."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_text(reply)}" for code, reply in error.recipients.values())[:1000]
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:1000]
    return (str(error) or type(error).__name__)[:1000]


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
