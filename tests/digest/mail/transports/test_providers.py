"""What leaves for six providers, and what their refusals become: Anymail's own code against a stand-in on loopback."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs

import environ
import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core.mail import get_connection

from config import environment
from digest.mail.messages import Answer as Said
from digest.mail.messages import Letter
from digest.mail.rendering import compose
from digest.mail.transports.providers import http_batches, resend
from digest.mail.transports.providers.calls import Outgoing
from digest.models import Delivery, Paper
from digest.picks.selection.select import select_due
from subscriptions.outcomes import classify
from subscriptions.outcomes import meanings as m
from subscriptions.outcomes.classify import Outcome
from subscriptions.outcomes.meanings import Meaning
from tests.conftest import MORNING, make_reader
from tests.esp import Answer, Esp, Left, left, left_in_batch

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SIX = ("postmark", "mailgun", "sendgrid", "amazon_ses", "brevo", "resend")
BATCHED = ("postmark", "mailgun", "brevo", "resend")
NO_CHOICE = ("amazon_ses", "brevo", "resend")  # tracking is the account's there, off or on


@pytest.fixture
def esp() -> Iterator[Esp]:
    with Esp() as server:
        yield server


def use(provider: str, esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch, **more: str) -> Any:
    """Settings as the environment gives them, and the backend, opened."""
    for name, text in {**esp.environment(provider), **more}.items():
        monkeypatch.setenv(name, text)
    settings.EMAIL_BACKEND, settings.ANYMAIL = environment.anymail_settings(environ.Env())
    connection = get_connection()
    connection.open()
    return connection


@pytest.fixture
def waiting(papers: list[Paper]) -> list[Delivery]:
    for number in range(3):
        make_reader(f"reader{number}@example.org", "diffusion")
    select_due(MORNING)
    return list(Delivery.objects.select_related("digest__subscriber").order_by("pk"))


def letter_of(delivery: Delivery) -> Letter:
    data = compose(delivery.digest, MORNING).message().as_bytes(linesep="\r\n") + b"\r\n"
    return Letter(delivery.pk, "papers@localhost", delivery.digest.subscriber.email, data)


def hand_over(letters: list[Letter], connection: Any) -> list[Said]:
    return list(http_batches.send_batch([(letter.key, letter) for letter in letters], connection))


def holds_all_of(mail: Left, delivery: Delivery, data: dict[str, str]) -> None:
    """Everything a reader and a mailbox provider need is there, whatever way it took."""
    message = compose(delivery.digest, MORNING)
    html = next(str(one.content) for one in message.alternatives)
    assert mail.to == delivery.digest.subscriber.email
    assert "papers@localhost" in mail.sender
    assert mail.subject == message.subject
    assert mail.text.strip() == message.body.strip()
    assert mail.html.strip() == html.strip()
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Message-ID"):
        assert mail.headers[name.lower()] == message.extra_headers[name]
    assert mail.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail.data == data
    assert mail.tags == ["digest"]


# --- what leaves
@pytest.mark.parametrize("provider", SIX)
def test_a_composed_digest(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    message = compose(waiting[0].digest, MORNING)
    connection.send_messages([message])
    (posted,) = esp.posted
    mail = left(provider, posted)
    holds_all_of(mail, waiting[0], {"digest": str(waiting[0].digest_id)})
    assert mail.tracked == ([] if provider in NO_CHOICE else [False, False])
    assert message.anymail_status.message_id


@pytest.mark.parametrize("provider", SIX)
def test_a_letter_alone(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    (answer,) = hand_over([letter_of(waiting[0])], connection)
    assert (answer.key, answer.code, bool(answer.message_id)) == (waiting[0].pk, 250, True)
    (posted,) = esp.posted
    mail = left(provider, posted)
    holds_all_of(mail, waiting[0], {"delivery": str(waiting[0].pk)})
    assert mail.tracked == ([] if provider in NO_CHOICE else [False, False])


@pytest.mark.parametrize("provider", BATCHED)
def test_many_composed_digests_in_one_call(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    mails = [(one.pk, compose(one.digest, MORNING)) for one in waiting]
    answers = list(http_batches.send_batch(mails, connection))
    assert [answer.key for answer in answers] == [one.pk for one in waiting]
    assert all(answer.is_taken for answer in answers)
    (posted,) = esp.posted
    for mail, delivery in zip(left_in_batch(provider, posted), waiting, strict=True):
        holds_all_of(mail, delivery, {"digest": str(delivery.digest_id)})


@pytest.mark.parametrize("provider", SIX)
def test_many_letters_in_as_few_calls_as_can_be(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    answers = hand_over([letter_of(one) for one in waiting], connection)
    assert [answer.key for answer in answers] == [one.pk for one in waiting]
    assert all(answer.is_taken and answer.message_id for answer in answers)
    if provider in BATCHED:
        assert len({answer.message_id for answer in answers}) == 3  # so that a report finds its own
        (posted,) = esp.posted
        mails = left_in_batch(provider, posted)
    else:
        mails = [left(provider, posted) for posted in esp.posted]
    for mail, delivery in zip(mails, waiting, strict=True):
        holds_all_of(mail, delivery, {"delivery": str(delivery.pk)})


@pytest.mark.parametrize("provider", ["brevo", "mailgun"])
def test_what_a_call_shares_holds_nobodys_links(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    hand_over([letter_of(one) for one in waiting], connection)
    (posted,) = esp.posted
    if provider == "brevo":
        shared = {name: value for name, value in posted.json.items() if name != "messageVersions"}
    else:
        shared = {
            name: value for name, value in parse_qs(posted.body.decode()).items() if name != "recipient-variables"
        }
    for delivery in waiting:
        assert delivery.digest.subscriber.code not in str(shared)


def test_the_keys_of_each_provider_go_where_they_belong(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {
        "postmark": ("x-postmark-server-token", "pm-token"),
        "mailgun": ("authorization", "Basic YXBpOm1nLWtleQ=="),
        "sendgrid": ("authorization", "Bearer sg-key"),
        "brevo": ("api-key", "bv-key"),
        "resend": ("authorization", "Bearer re-key"),
    }
    for provider, (header, text) in named.items():
        with monkeypatch.context() as patched:
            connection = use(provider, esp, settings, patched)
            hand_over([letter_of(one) for one in waiting], connection)
        assert esp.posted[-1].headers[header] == text


def test_a_batch_is_cut_to_the_providers_limits(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("postmark", esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    size = Outgoing.of(1, letters[0]).size
    for most, most_bytes, calls in ((2, 10**9, 2), (99, size + 10, 3), (99, 10, 3), (3, 10**9, 1)):
        esp.posted.clear()
        batch = http_batches.BATCHES["postmark"]._replace(most=most, most_bytes=most_bytes)
        monkeypatch.setitem(http_batches.BATCHES, "postmark", batch)
        assert [one.code for one in hand_over(letters, connection)] == [250] * 3
        assert len(esp.posted) == calls
    assert http_batches.batch_size() == 3
    assert hand_over([], connection) == []


def test_one_by_one_if_the_operator_wants_keys_for_each(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("resend", esp, settings, monkeypatch)
    settings.PROVIDER_BATCHES = False
    hand_over([letter_of(one) for one in waiting], connection)
    assert [posted.path for posted in esp.posted] == ["/emails"] * 3
    assert http_batches.batch_size() == 1


# --- keys
def test_resend_recognises_a_repeat_by_the_message_id(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("resend", esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    for part in ([letters[0]], [letters[0]], [letters[1]], letters, letters, letters[:2]):
        hand_over(part, connection)
    keys = [posted.headers[resend.KEY.lower()] for posted in esp.posted]
    assert keys[0] == keys[1] == compose(waiting[0].digest, MORNING).extra_headers["Message-ID"]
    assert keys[3] == keys[4]
    assert len(set(keys)) == 4
    assert all(1 <= len(key) <= 256 for key in keys)


def test_brevo_gets_a_uuid_of_the_message_id(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("brevo", esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    for part in ([letters[0]], [letters[0]], letters, letters):
        hand_over(part, connection)
    keys = [posted.json["headers"]["idempotencyKey"] for posted in esp.posted]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert [str(uuid.UUID(key)) for key in keys] == keys


@pytest.mark.parametrize("count", [1, 3])
def test_resend_is_asked_again_with_the_same_key_when_in_doubt(
    count: int, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("resend", esp, settings, monkeypatch)
    esp.script = [Answer(drop=True)]
    answers = hand_over([letter_of(one) for one in waiting[:count]], connection)
    assert all(answer.is_taken for answer in answers)
    first, second = esp.posted
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_key_of_a_whole_call_does_not_make_each_letter_safe_to_repeat(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("resend", esp, settings, monkeypatch)
    esp.script = [Answer(500, b"oops")] * 2
    answers = hand_over([letter_of(one) for one in waiting], connection)
    assert all(answer.in_doubt for answer in answers)
    esp.script = [Answer(500, b"oops")]
    (alone,) = hand_over([letter_of(waiting[0])], connection)
    assert (alone.in_doubt, alone.meaning.outcome) == (False, Outcome.TEMPORARY)


def test_a_mail_composed_again_is_the_same_to_resend(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same key with another mail would be refused; only its Date differs."""
    connection = use("resend", esp, settings, monkeypatch)
    for hours in (0, 5):
        connection.send_messages([compose(waiting[0].digest, MORNING + dt.timedelta(hours=hours))])
    assert esp.posted[0].body == esp.posted[1].body


# --- what they refuse
NO_USER: dict[str, Answer] = {
    "postmark": Answer(422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as "
                             "inactive. Found inactive addresses: reader0@example.org. Inactive recipients are ones "
                             "that have generated a hard bounce or a spam complaint."}),
    "mailgun": Answer(400, {"message": "'to' parameter is not a valid address. please check documentation"}),
    "sendgrid": Answer(400, {"errors": [{"message": "Does not contain a valid address.",
                                         "field": "personalizations.0.to.0.email"}]}),
    "amazon_ses": Answer(400, {"message": "Missing final '@domain'"}, (("x-amzn-ErrorType", "BadRequestException"),)),
    "brevo": Answer(400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
    "resend": Answer(422, {"statusCode": 422, "name": "validation_error", "message": "Invalid `to` field."}),
}  # fmt: skip
THROTTLE: dict[str, Answer] = {
    one: Answer(429, {"message": "Too many requests"}, (("Retry-After", "17"),)) for one in SIX
} | {
    "amazon_ses": Answer(429, {"message": "Too many"}, (("x-amzn-ErrorType", "TooManyRequestsException"),)),
    "resend": Answer(429, {"name": "rate_limit_exceeded", "message": "x"}, (("retry-after", "17"),)),
}
BAD_KEY = {one: Answer(401, {"message": "no"}) for one in SIX} | {
    "amazon_ses": Answer(403, {"message": "no"}, (("x-amzn-ErrorType", "UnrecognizedClientException"),))
}


def refused(provider: str, letters: list[Letter], connection: Any) -> tuple[Meaning, Meaning]:
    """The same refusal through Anymail's exception and through an answer."""
    (answer,) = hand_over(letters[:1], connection)
    assert not answer.is_taken
    assert answer.text
    return answer.meaning, classify.read_reply(answer.code, "", in_doubt=answer.in_doubt)


@pytest.mark.parametrize("provider", SIX)
@pytest.mark.parametrize(("answers", "expected"), [
    (NO_USER, m.INVALID),
    (THROTTLE, m.THROTTLED),
    (BAD_KEY, m.KEY),
    ({one: Answer(500, b"oops") for one in SIX}, m.BROKEN),
    ({one: Answer(503, b"oops") for one in SIX}, m.UNAVAILABLE),
    ({one: Answer(drop=True) for one in SIX}, m.IN_DOUBT),
    ({one: Answer(after=0.8) for one in SIX}, m.IN_DOUBT),
], ids=["no user", "429", "bad key", "500", "503", "dropped", "slow"])  # fmt: skip
def test_each_refusal_means_what_it_says(
    provider: str, answers: dict[str, Answer], expected: Meaning, waiting: list[Delivery], esp: Esp, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    patient = {"ANYMAIL_REQUESTS_TIMEOUT": "0.4"} if provider != "amazon_ses" else {}
    use(provider, esp, settings, monkeypatch, **patient)
    if patient:
        settings.ANYMAIL["REQUESTS_TIMEOUT"] = 0.4
    else:
        settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"]["config"]["read_timeout"] = 0.4
    connection = get_connection()
    connection.open()
    esp.script = [answers[provider]] * 2
    meaning, by_code = refused(provider, [letter_of(one) for one in waiting], connection)
    if (provider, expected) == ("postmark", m.INVALID):
        expected = m.DEAD
    if (provider, expected) == ("resend", m.BROKEN):
        assert meaning.outcome is Outcome.TEMPORARY  # it knows the key
        return
    assert meaning.what == expected.what
    assert meaning.outcome is expected.outcome
    assert by_code.outcome is expected.outcome  # who reads only codes does nothing worse
    if expected is m.THROTTLED and provider != "amazon_ses":
        assert meaning.wait == dt.timedelta(seconds=17)
    again = provider == "resend" and expected is m.IN_DOUBT  # what it recognises is asked once more
    assert len(esp.posted) == (2 if again else 1)  # and nobody repeats behind our back


@pytest.mark.parametrize("provider", SIX)
def test_a_page_instead_of_json_is_in_doubt(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    for page in (b"<html>Log in to the hotel's network</html>", b'{"half": ', b"null", b"[]", b"7"):
        esp.script = [Answer(200, page)] * 2
        (answer,) = hand_over(letters[:1], connection)
        # SendGrid's yes is an empty page: any 2xx is.
        assert answer.is_taken if provider == "sendgrid" else answer.in_doubt
        if provider in BATCHED:
            esp.script = [Answer(200, page)] * 2
            assert all(answer.in_doubt for answer in hand_over(letters, connection))


@pytest.mark.parametrize("provider", SIX)
def test_a_provider_that_is_not_there_burns_nothing(
    provider: str, waiting: list[Delivery], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Esp() as gone:
        pass
    connection = use(provider, gone, settings, monkeypatch)
    answers = hand_over([letter_of(one) for one in waiting], connection)
    assert {answer.meaning.outcome for answer in answers} == {Outcome.NO_SERVER}
    assert not any(answer.in_doubt for answer in answers)


# --- one reader's fate is never another's
@pytest.mark.parametrize("provider", BATCHED)
def test_a_batch_refused_for_one_letters_sake_goes_one_by_one(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    whole = Answer(200, [
        {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": "reader0@example.org"},
        {"ErrorCode": 406, "Message": "inactive"},
        {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-3", "To": "reader2@example.org"},
    ])  # fmt: skip
    esp.script = [whole] if provider == "postmark" else [NO_USER[provider]]
    if provider != "postmark":
        alone = {"mailgun": {"id": "<x@y>", "message": "Queued."}, "brevo": {"messageId": "1"}, "resend": {"id": "1"}}
        esp.script += [Answer(200, alone[provider]), NO_USER[provider], Answer(200, alone[provider])]
    answers = hand_over(letters, connection)
    assert [answer.is_taken for answer in answers] == [True, False, True]
    assert answers[1].meaning is (m.DEAD if provider == "postmark" else m.INVALID)


@pytest.mark.parametrize("provider", BATCHED)
def test_a_batch_refused_whole_waits_whole(
    provider: str, waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use(provider, esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    for answers, expected in ((THROTTLE, m.THROTTLED), (BAD_KEY, m.KEY)):
        esp.posted.clear()
        esp.script = [answers[provider]]
        said = [answer.meaning for answer in hand_over(letters, connection)]
        assert {one.what for one in said} == {expected.what}
        assert len(esp.posted) == 1
        assert all(one.opens_circuit for one in said)


def test_postmark_refuses_a_call_whole_and_then_each_mail_for_itself(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("postmark", esp, settings, monkeypatch)
    letters = [letter_of(one) for one in waiting]
    esp.script = [Answer(422, {"ErrorCode": 403, "Message": "Incompatible JSON"})]
    assert [answer.is_taken for answer in hand_over(letters, connection)] == [True] * 3
    assert [posted.path for posted in esp.posted] == ["/email/batch", *["/email"] * 3]
    esp.script = [Answer(422, {"ErrorCode": 405, "Message": "Not allowed to send"})]
    assert {answer.meaning.what for answer in hand_over(letters, connection)} == {m.KEY.what}
    assert len(esp.posted) == 5


def test_after_a_throttle_the_rest_is_not_tried(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("sendgrid", esp, settings, monkeypatch)
    esp.script = [Answer(200), THROTTLE["sendgrid"]]
    first, second = hand_over([letter_of(one) for one in waiting], connection)
    assert len(esp.posted) == 2
    assert (first.is_taken, second.meaning.outcome) == (True, Outcome.TEMPORARY)
    assert second.meaning.wait == dt.timedelta(seconds=17)


def test_a_report_about_a_letter_finds_its_delivery(waiting: list[Delivery]) -> None:
    row = waiting[1]
    event = AnymailTrackingEvent(
        event_type="delivered", message_id="not known", metadata={"delivery": str(row.pk)},
        recipient="reader1@example.org",
    )  # fmt: skip
    tracking.send(sender=object, event=event, esp_name="Brevo")
    row.refresh_from_db()
    assert row.status == Delivery.Status.DELIVERED


def test_ses_gets_the_letter_as_it_was_written(
    waiting: list[Delivery], esp: Esp, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = use("amazon_ses", esp, settings, monkeypatch)
    letter = letter_of(waiting[0])
    hand_over([letter], connection)
    mail = left("amazon_ses", esp.posted[0])
    for name, text in message_from_bytes(letter.data, policy=policy.default).items():
        assert mail.headers[name.lower()] == str(text).strip()
