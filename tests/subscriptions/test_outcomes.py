"""What servers and providers say, row by row: every row of both tables is met by an answer as it comes in the wild."""

from __future__ import annotations

import datetime as dt
import smtplib

import pytest
from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from botocore.exceptions import NoCredentialsError, NoRegionError
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.outcomes import answers, classify, meanings, replies
from subscriptions.outcomes import meanings as m
from subscriptions.outcomes.classify import Outcome, Party
from subscriptions.outcomes.meanings import Meaning

REPLIES = [
    # --- the session
    (421, "4.7.0 Try again later, closing connection", m.CLOSING),
    (421, "4.3.2 too many connections from your host", m.CLOSING),
    (535, "5.7.8 Authentication credentials invalid", m.KEY),
    (454, "4.7.0 Temporary authentication failure", m.KEY),
    (530, "5.7.0 Must issue a STARTTLS command first", m.KEY),
    # --- about us
    (450, "4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later", m.BUSY),
    (550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more", m.BUSY),
    (450, "4.7.1 <a@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example", m.LATER),
    (451, "4.7.500 Server busy. Please try again later, too many messages", m.THROTTLED),
    (554, "5.7.0 Too many connections from 192.0.2.1", m.THROTTLED),
    (550, "5.4.5 Daily user sending limit exceeded", m.THROTTLED),
    (452, "4.2.2 hourly quota for this sender reached: slow down", m.THROTTLED),
    (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", m.BLOCKLISTED),
    (550, "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list",
     m.BLOCKLISTED),
    (550, "Your IP has a poor reputation", m.BLOCKLISTED),
    (550, "5.7.26 This mail has been blocked because the sender is unknown to us", m.UNPROVEN_SENDER),
    (550, "5.7.515 Access denied, sending domain EXAMPLE.ORG doesn't meet the required level", m.UNPROVEN_SENDER),
    (550, "5.7.1 Email rejected per DMARC policy of example.org", m.UNPROVEN_SENDER),
    (550, "5.7.1 Message rejected: no reverse DNS for 192.0.2.1", m.BLOCKLISTED),
    (550, "5.1.8 Sender's domain does not exist", m.SENDER),
    (550, "5.1.7 Invalid mail from address", m.SENDER),
    (554, "5.7.1 <a@example.org>: Relay access denied", m.SENDER),
    (553, "5.7.1 <b@example.org>: Sender address rejected: not owned by user x", m.SENDER),
    (550, "Sender's domain does not exist", m.SENDER),
    (550, "Invalid sender", m.SENDER),
    # --- about the message
    (552, "5.3.4 Message size exceeds fixed limit", m.TOO_BIG),
    (550, "5.2.3 Length exceeds what the mailbox takes", m.TOO_BIG),
    (552, "too big", m.TOO_BIG),
    (552, "no", m.TOO_BIG),
    (554, "5.7.1 Message rejected as spam by content filter", m.CONTENT),
    (550, "Virus found", m.CONTENT),
    # --- about the mailbox
    (452, "4.2.2 The recipient's inbox is out of storage space", m.FULL),
    (552, "5.2.2 This mailbox cannot take more", m.FULL),
    (552, "Quota exceeded for a@example.org", m.FULL),
    (550, "Requested action not taken: mailbox full", m.FULL),
    (550, "5.1.1 <a@example.org>: Recipient address rejected", m.DEAD),
    (550, "5.1.1\r\n550 5.1.1 The email account that you tried to reach does not exist", m.DEAD),
    (556, "5.1.10 Domain has null MX", m.DEAD),
    (550, "5.2.1 The email account that you tried to reach is disabled", m.DEAD),
    (550, "User unknown in virtual alias table", m.DEAD),
    (550, "Requested action not taken: no such mailbox", m.DEAD),
    (450, "4.1.1 Recipient address rejected: unverified address", m.UNPROVEN),
    (450, "4.2.1 Mailbox busy", m.BUSY),
    (451, "4.3.0 Mail server temporarily rejected message", m.TROUBLE),
    (451, "4.4.1 No route just now", m.TROUBLE),
    (450, "4.7.0 Come back another time", m.PUT_OFF),
    (554, "5.6.0 Lone CR or LF in headers", m.MALFORMED),
    (501, "5.5.4 Bad argument", m.MALFORMED),
    (550, "5.7.1 Delivery not authorised", m.POLICY),
    (550, "5.4.1 Recipient address rejected: Access denied", m.REFUSED),
    (550, "5.1.0 Address rejected", m.REFUSED),
    # --- by the bare code
    (451, "Local error", m.TROUBLE),
    (452, "Insufficient system storage", m.TROUBLE),
    (450, "later", m.BUSY),
    (500, "What?", m.MALFORMED),
    (554, "Transaction failed", m.POLICY),
    (550, "no", m.REFUSED),
    (553, "Mailbox name not allowed", m.REFUSED),
    (550, "<virus@spam.example.org> refused", m.REFUSED),  # the address is no reason
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "expected"), REPLIES, ids=lambda value: str(value)[:40])
def test_each_reply_means_one_thing(code: int, text: str, expected: Meaning) -> None:
    assert classify.read_reply(code, text) is expected


def test_every_row_of_replies_is_met() -> None:
    met = {id(replies.find(code, text)) for code, text, _ in REPLIES}
    assert [row for row in replies.TABLE if id(row) not in met] == []


def test_no_answer_is_in_doubt_only_where_the_whole_message_may_have_left() -> None:
    assert classify.read_reply(0, "", in_doubt=True).outcome is Outcome.UNKNOWN
    assert classify.read_reply(0, "").outcome is Outcome.NO_SERVER
    assert classify.read_reply(-1, "Connection unexpectedly closed").outcome is Outcome.NO_SERVER
    assert classify.read_reply(354, "Go on").outcome is Outcome.UNKNOWN  # no server says this there


def test_only_a_dead_mailbox_suppresses_at_once() -> None:
    """M15: 5.1.x stops at once; a full mailbox scores; what is about us suppresses nobody and calls the operator."""
    constants = [value for value in vars(meanings).values() if isinstance(value, Meaning)]
    assert [one.what for one in constants if one.suppresses] == ["no such mailbox"]
    for one in constants:
        assert not (one.points and one.party is not Party.ADDRESS), one
        assert not (one.opens_circuit and one.party in (Party.ADDRESS, Party.MESSAGE)), one
        assert one.alarms == (one.party in (Party.US, Party.MESSAGE)) or one is m.PUT_OFF, one
    assert m.FULL.points == m.REFUSED.points == 1
    assert m.POLICY.points == m.CONTENT.points == m.BLOCKLISTED.points == 0


@given(st.integers(-1, 999), st.text(max_size=200), st.booleans())
def test_whatever_a_server_says_has_a_meaning(code: int, text: str, in_doubt: bool) -> None:
    meaning = classify.read_reply(code, text, in_doubt=in_doubt)
    assert not (meaning.suppresses and not 500 <= code < 600)
    assert meaning.may_retry or not 400 <= code < 500


def test_a_long_reply_is_read_in_time() -> None:
    assert classify.read_reply(550, "client host " * 5000 + "message " * 5000) is m.REFUSED


# --- providers
ANSWERS: list[tuple[str, int | None, object, Meaning]] = [
    ("Postmark", 401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."}, m.KEY),
    ("Postmark", 503, {"ErrorCode": 100, "Message": "Maintenance"}, m.UNAVAILABLE),
    ("Postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'x'."}, m.INVALID),
    ("Postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'x'."}, m.SENDER),
    ("Postmark", 422, {"ErrorCode": 300, "Message": "HtmlBody is too large"}, m.TOO_BIG),
    ("Postmark", 422, {"ErrorCode": 300, "Message": "Provide either email TextBody or HtmlBody"}, m.MALFORMED),
    ("Postmark", 422, {"ErrorCode": 405, "Message": "Not allowed to send: out of credits"}, m.KEY),
    ("Postmark", 422, {"ErrorCode": 406, "Message": "Found inactive addresses: a@example.org."}, m.DEAD),
    ("Postmark", 422, {"ErrorCode": 412, "Message": "This account is pending approval"}, m.KEY),
    ("Postmark", 200, {"ErrorCode": 429, "Message": "Slow down"}, m.THROTTLED),
    ("Postmark", 403, "<html>Forbidden</html>", m.KEY),
    ("Postmark", 500, {"ErrorCode": 0, "Message": "Internal"}, m.BROKEN),
    ("Amazon SES", 429, {"Error": {"Code": "TooManyRequestsException", "Message": ""}}, m.THROTTLED),
    ("Amazon SES", 400, {"Error": {"Code": "LimitExceededException", "Message": "Daily quota"}}, m.THROTTLED),
    ("Amazon SES", 400, {"Error": {"Code": "SendingPausedException", "Message": "paused"}}, m.KEY),
    ("Amazon SES", 400, {"Error": {"Code": "AccountSuspendedException", "Message": ""}}, m.KEY),
    ("Amazon SES", 403, {"Error": {"Code": "SignatureDoesNotMatch", "Message": ""}}, m.KEY),
    ("Amazon SES", 400, {"Error": {"Code": "MessageRejected", "Message": "Email address is not verified."}}, m.SENDER),
    ("Amazon SES", 400, {"Error": {"Code": "MessageRejected", "Message": "Contains a virus"}}, m.CONTENT),
    ("Amazon SES", 400, {"Error": {"Code": "BadRequestException", "Message": "Message length over 40 MB"}}, m.TOO_BIG),
    ("Amazon SES", 400, {"Error": {"Code": "BadRequestException", "Message": "Missing final '@domain'"}}, m.INVALID),
    ("Amazon SES", 400, {"Error": {"Code": "BadRequestException", "Message": "No such thing"}}, m.MALFORMED),
    ("Amazon SES", 500, {"Error": {"Code": "InternalFailure", "Message": ""}}, m.BROKEN),
    ("Mailgun", 403, {"message": "Domain x is not allowed to send: account disabled"}, m.KEY),
    ("Mailgun", 400, {"message": "'to' parameter is not a valid address. please check documentation"}, m.INVALID),
    ("Mailgun", 400, {"message": "'from' parameter is not valid"}, m.SENDER),
    ("Mailgun", 404, {"message": "Domain not found: x"}, m.KEY),
    ("Mailgun", 420, {"message": "Domain x is not allowed to send: recipient limit exceeded, try again"}, m.THROTTLED),
    ("Mailgun", 401, "Forbidden", m.KEY),
    ("SendGrid", 401, {"errors": [{"message": "Maximum credits exceeded", "field": None}]}, m.KEY),
    ("SendGrid", 403, {"errors": [{"message": "The from address does not match a verified Sender"}]}, m.KEY),
    ("SendGrid", 400, {"errors": [{"message": "Does not contain a valid address.",
                                   "field": "personalizations.0.to.0.email"}]}, m.INVALID),
    ("SendGrid", 400, {"errors": [{"message": "The subject is required", "field": "subject"}]}, m.MALFORMED),
    ("SendGrid", 413, {"errors": [{"message": "Payload Too Large"}]}, m.TOO_BIG),
    ("Brevo", 401, {"code": "unauthorized", "message": "Key not found"}, m.KEY),
    ("Brevo", 400, {"code": "not_enough_credits", "message": "..."}, m.KEY),
    ("Brevo", 400, {"code": "duplicate_parameter", "message": "Idempotency key was used"}, m.ODD),
    ("Brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"}, m.INVALID),
    ("Brevo", 400, {"code": "invalid_parameter", "message": "sender is not valid"}, m.SENDER),
    ("Resend", 401, {"statusCode": 401, "name": "missing_api_key", "message": ""}, m.KEY),
    ("Resend", 429, {"statusCode": 429, "name": "daily_quota_exceeded", "message": ""}, m.THROTTLED),
    ("Resend", 409, {"name": "concurrent_idempotent_requests", "message": ""}, m.TROUBLE),
    ("Resend", 409, {"name": "invalid_idempotent_request", "message": ""}, m.ODD),
    ("Resend", 403, {"name": "validation_error", "message": "The example.org domain is not verified."}, m.SENDER),
    ("Resend", 422, {"name": "validation_error", "message": "Invalid `to` field."}, m.INVALID),
    ("Resend", 422, {"name": "invalid_from_address", "message": "Invalid `from` field."}, m.SENDER),
    ("SparkPost", 408, "", m.TROUBLE),
    ("SparkPost", 429, "", m.THROTTLED),
    ("SparkPost", 422, "", m.MALFORMED),
    ("SparkPost", 503, "", m.UNAVAILABLE),
    ("SparkPost", 502, "", m.BROKEN),
    ("SparkPost", 200, "<html>Log in to the hotel's network</html>", m.BROKEN),
    ("SparkPost", None, "This is not supported", m.MISFIT),
    ("SparkPost", None, "?", m.ODD),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "status", "body", "expected"), ANSWERS, ids=lambda value: str(value)[:40])
def test_each_answer_of_a_provider_means_one_thing(
    provider: str, status: int | None, body: object, expected: Meaning
) -> None:
    assert classify.read_answer(provider, status, body) is expected


def test_a_failure_of_a_provider_that_knows_our_key_is_simply_tried_again() -> None:
    meaning = classify.read_answer("Resend", 500, {"name": "application_error", "message": "Unexpected"})
    assert (meaning.outcome, meaning.opens_circuit) == (Outcome.TEMPORARY, True)


def test_every_row_of_answers_is_met() -> None:
    asked = [*ANSWERS, ("Resend", 500, {}, m.BROKEN)]
    met = {id(answers.find(provider, status, *answers.said(body))) for provider, status, body, _ in asked}
    assert [row for row in answers.TABLE if id(row) not in met] == []


DATE = {"Date": "Mon, 16 Mar 2026 08:00:00 GMT"}


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"Retry-After": "30"}, 30),
    ({"retry-after": "0"}, None),  # no wait at all
    ({"Retry-After": "99999999999"}, None),
    ({"Retry-After": "9999999"}, 86400),
    ({"Retry-After": "Mon, 16 Mar 2026 08:02:00 GMT", **DATE}, 120),
    ({"Retry-After": "Mon, 16 Mar 2026 08:02:00 GMT"}, None),  # by which clock?
    ({"Retry-After": "Mon, 16 Mar 2026 07:00:00 GMT", **DATE}, None),
    ({"ratelimit-reset": "7"}, 7),
    ({"X-RateLimit-Reset": "1773648060", **DATE}, 60),
    ({"X-RateLimit-Reset": "1773648060000", **DATE}, 60),
    ({"x-sib-ratelimit-reset": "12"}, 12),
    ({"Retry-After": "soon"}, None),
    ({}, None),
])  # fmt: skip
def test_the_wait_that_is_asked_for(headers: dict[str, str], seconds: int | None) -> None:
    wait = classify.read_answer("SendGrid", 429, "", headers).wait
    assert wait == (None if seconds is None else dt.timedelta(seconds=seconds))


@given(st.text(), st.text())
def test_no_header_of_a_provider_breaks_anything(text: str, date: str) -> None:
    wait = answers.wait_said({"Retry-After": text, "Date": date})
    assert wait is None or dt.timedelta(0) <= wait <= answers.MAX_WAIT


# --- exceptions
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), m.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"5.1.1 no")}), m.DEAD),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"later")}), m.BUSY),
        (smtplib.SMTPRecipientsRefused({"a": (421, b"bye")}), m.CLOSING),
        (smtplib.SMTPRecipientsRefused({}), m.REFUSED),
        (smtplib.SMTPDataError(421, b"bye"), m.CLOSING),
        (smtplib.SMTPDataError(-1, b""), m.UNREACHED),
        (smtplib.SMTPSenderRefused(552, b"5.3.4 Message size exceeds fixed limit", "x"), m.TOO_BIG),
        (smtplib.SMTPAuthenticationError(535, b"no"), m.KEY),
        (smtplib.SMTPServerDisconnected("gone"), m.IN_DOUBT),
        (TimeoutError("slow"), m.IN_DOUBT),
        (ConnectionResetError("reset"), m.IN_DOUBT),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), m.INVALID),
        (UnicodeEncodeError("ascii", "x", 0, 1, "no"), m.INVALID),
        (AnymailRecipientsRefused(), m.INVALID),
        (AnymailInvalidAddress("x"), m.INVALID),
        (AnymailUnsupportedFeature("x"), m.MISFIT),
        (AnymailAPIError("odd"), m.IN_DOUBT),
        (ImproperlyConfigured("no key"), m.KEY),
        (NoCredentialsError(), m.KEY),
        (NoRegionError(), m.UNREACHED),
    ],
)
def test_each_error_means_one_thing(error: Exception, expected: Meaning) -> None:
    assert classify.read(error) is expected
    assert classify.of(error) is expected.outcome


@pytest.mark.parametrize("code", [550, 450, 452, 553])
def test_a_refused_sender_burns_no_mail_and_no_address(code: int) -> None:
    meaning = classify.read(smtplib.SMTPSenderRefused(code, b"5.1.1 no such user here", "x"))
    assert (meaning.outcome, meaning.party, meaning.suppresses) == (Outcome.NO_SERVER, Party.US, False)
    assert meaning.opens_circuit
    assert meaning.points == 0


@pytest.mark.parametrize("code", [421, 554])
def test_a_server_that_does_not_greet_us_burns_no_mail(code: int) -> None:
    assert classify.of(smtplib.SMTPConnectError(code, b"go away")) is Outcome.NO_SERVER


def test_an_answer_with_a_status_alone() -> None:
    error = AnymailRequestsAPIError("x")
    error.status_code = 429
    assert classify.of(error) is Outcome.TEMPORARY
    error.status_code = 422
    assert classify.of(error) is Outcome.PERMANENT
