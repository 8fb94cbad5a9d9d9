"""What an error while sending means: try again, never again, or nobody can know. One table for all backends."""

from __future__ import annotations

import enum
import smtplib

from anymail.exceptions import AnymailError, AnymailRecipientsRefused


class Outcome(enum.Enum):
    TEMPORARY = "temporary"  # this mail again, later
    PERMANENT = "permanent"  # this mail never again
    UNKNOWN = "unknown"  # the server may have it: UNKNOWN_DELIVERIES decides
    NO_SERVER = "no server"  # nothing was handed over, and no other mail will get through now


def of(error: BaseException) -> Outcome:
    """The meaning of what a backend raised once its connection was open (RFC 5321 4.2.1, 4.5.3.2.6)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return _by_reply(max(codes, default=550))
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Outcome.NO_SERVER  # our own address or account: true of every mail, so none is burnt
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_reply(error.smtp_code)
    if isinstance(error, smtplib.SMTPNotSupportedError | AnymailRecipientsRefused | UnicodeError):
        return Outcome.PERMANENT
    if isinstance(error, AnymailError):
        return _by_status(getattr(error, "status_code", None))
    # A connection lost or timed out in the middle: the final dot may have been on its way.
    return Outcome.UNKNOWN


def _by_reply(code: int) -> Outcome:
    if code in (-1, 421):
        return Outcome.NO_SERVER
    return Outcome.TEMPORARY if 400 <= code < 500 else Outcome.PERMANENT


def _by_status(status: int | None) -> Outcome:
    if status is None or status >= 500:
        return Outcome.UNKNOWN
    if status in (401, 402, 403):
        return Outcome.NO_SERVER  # the key or the account: true of every mail
    return Outcome.TEMPORARY if status in (408, 429) else Outcome.PERMANENT


def text_of(error: BaseException) -> str:
    """The server's own words, for the Delivery row."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_text(reply)}" for code, reply in error.recipients.values())[:1000]
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:1000]
    return (str(error) or type(error).__name__)[:1000]


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
