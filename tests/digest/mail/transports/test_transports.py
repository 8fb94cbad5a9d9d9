"""Ways out, each through the whole of delivery: what arrives at a server or a provider, and what rows say then."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy

import dkim
import environ
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core import mail
from django.core.management import call_command
from pytest_django import Settings

from config import environment
from digest.mail import delivery
from digest.mail.rendering import compose
from digest.mail.transports import DjangoWay, ProviderWay, SmtpWay, way_out
from digest.models import Delivery, MailGate, Paper
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.esp import Answer, Esp
from tests.scripted import Server, Twist
from tests.smtp import Server as Accepting

pytestmark = pytest.mark.django_db

READERS = 9
Status = Delivery.Status


@pytest.fixture
def waiting(papers: list[Paper]) -> list[Delivery]:
    for number in range(READERS):
        make_reader(f"reader{number}@example.org", "diffusion")
    select_due(MORNING)
    return list(Delivery.objects.select_related("digest__subscriber").order_by("pk"))


@pytest.fixture
def served(settings: Settings) -> Iterator[ExitStack]:
    """Where a test's server stays until the end."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    with ExitStack() as stack:
        yield stack


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_the_way_follows_from_the_backend(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert isinstance(way_out(), SmtpWay)
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "x"}
    assert isinstance(way_out(), ProviderWay)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert isinstance(way_out(), DjangoWay)


# --- Django's backends
def test_the_tests_outbox_gets_every_mail(waiting: list[Delivery]) -> None:
    assert delivery.deliver_all(MORNING) == {"sent": READERS}
    assert {message.to[0] for message in mail.outbox} == {f"reader{n}@example.org" for n in range(READERS)}


# --- SMTP
def test_what_arrives_is_what_the_plain_way_says(waiting: list[Delivery], smtp_server: Accepting) -> None:
    delivery.deliver_all(MORNING)
    for row in waiting:
        (arrived,) = smtp_server.to(row.digest.subscriber.email)
        plain = message_from_bytes(compose(row.digest, MORNING).message().as_bytes(), policy=policy.default)
        for kind in ("plain", "html"):
            bodies = [one.get_body((kind,)) for one in (arrived, plain)]
            assert len({body.get_content().replace("\r\n", "\n").strip() for body in bodies if body}) == 1
        named = ("Message-ID", "Subject", "From", "To", "Date", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id")
        assert {name: arrived[name] for name in named} == {name: plain[name] for name in named}
        row.refresh_from_db()
        assert row.message_id == arrived["Message-ID"]


def test_all_arrive_over_one_connection_whether_pipelining_is_offered_or_not(
    waiting: list[Delivery], served: ExitStack, settings: Settings
) -> None:
    for offers in (("8BITMIME",), ("PIPELINING", "8BITMIME")):
        Delivery.objects.update(status=Status.WAITING)
        server = served.enter_context(Server(offers=offers))
        settings.EMAIL_PORT = server.port
        assert delivery.deliver_all(MORNING) == {"sent": READERS}
        assert len(server.contents) == READERS
        assert server.connections == 1


def test_a_window_goes_over_several_connections_which_are_kept(
    waiting: list[Delivery], smtp_server: Accepting, settings: Settings
) -> None:
    settings.MAIL_CONNECTIONS, settings.MAIL_WINDOW = 3, 3
    assert delivery.deliver_all(MORNING) == {"sent": READERS}
    assert len({message["To"] for message in smtp_server.messages}) == READERS == len(smtp_server.accepted)
    assert smtp_server.connections <= 1 + 1 + 3  # the fixture's knock, the one that looks, and those that carry


def test_over_several_connections_one_refused_reader_holds_up_nobody(
    waiting: list[Delivery], smtp_server: Accepting, settings: Settings
) -> None:
    settings.MAIL_CONNECTIONS = 3
    smtp_server.refuse |= {"reader2@example.org": "550 5.1.1 No such user", "reader4@example.org": "451 4.3.0 Later"}
    assert delivery.deliver_all(MORNING) == {"sent": READERS - 2, "failed": 1, "retried": 1}


def test_over_several_connections_what_was_lost_after_data_is_resent_once(
    waiting: list[Delivery], smtp_server: Accepting, settings: Settings
) -> None:
    settings.MAIL_CONNECTIONS = 3
    smtp_server.drop_after_data = 2
    for hour in range(3):
        delivery.deliver_all(MORNING.replace(hour=8 + hour))
    assert statuses() == {"sent": READERS}
    assert len(smtp_server.accepted) == READERS + 2
    assert len({message["Message-ID"] for message in smtp_server.messages}) == READERS


def test_a_refusal_of_our_own_address_burns_no_mail(
    waiting: list[Delivery], served: ExitStack, settings: Settings
) -> None:
    """Whatever its code says: 550 in answer to MAIL FROM is true of every mail."""
    twists = {("MAIL", number): Twist(b"550 5.1.1 Not you\r\n") for number in range(50)}
    settings.EMAIL_PORT = served.enter_context(Server(script=twists)).port
    delivery.deliver_all(MORNING)
    assert statuses() == {"waiting": READERS}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert MailGate.load().is_open and "550 5.1.1 Not you" in MailGate.load().circuit_reason
    assert not Suppression.objects.exists()


def test_a_server_that_hangs_up_before_the_dot_is_handed_nothing_in_doubt(
    waiting: list[Delivery], served: ExitStack, settings: Settings
) -> None:
    server = served.enter_context(Server(script={("READ", 2): Twist(then="close")}))
    settings.EMAIL_PORT = server.port
    for hour in range(3):
        delivery.deliver_all(MORNING.replace(hour=8 + hour))
    assert statuses() == {"sent": READERS}
    assert len(server.promised) == READERS  # nobody's twice


def test_mails_are_signed_where_a_key_is_set(
    waiting: list[Delivery], smtp_server: Accepting, settings: Settings
) -> None:
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    settings.DKIM_DOMAIN, settings.DKIM_SELECTOR = "example.org", "s1"
    settings.DKIM_PRIVATE_KEY = key.private_bytes(*form).decode()
    delivery.deliver_all(MORNING)
    call_command("mail", "test", "ops@example.org", stdout=io.StringIO())
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)
    assert len(smtp_server.accepted) == READERS + 1
    for envelope in smtp_server.accepted:
        data = envelope.original_content or b""
        assert dkim.verify(data, dnsfunc=lambda name, timeout=5: record)
    signed = message_from_bytes(smtp_server.accepted[0].original_content or b"")["DKIM-Signature"]
    names = "".join(signed.partition(" h=")[2].partition(";")[0].split()).split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)


# --- providers
@pytest.fixture
def esp() -> Iterator[Esp]:
    with Esp() as server:
        yield server


def use(provider: str, esp: Esp, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in esp.environment(provider).items():
        monkeypatch.setenv(name, text)
    settings.EMAIL_BACKEND, settings.ANYMAIL = environment.anymail_settings(environ.Env())


@pytest.mark.parametrize(
    ("provider", "calls"),
    [("postmark", 3), ("mailgun", 3), ("brevo", 3), ("resend", 3), ("sendgrid", READERS), ("amazon_ses", READERS)],
)
def test_a_window_is_one_call_where_the_provider_takes_many(
    waiting: list[Delivery], esp: Esp, settings: Settings, monkeypatch: pytest.MonkeyPatch, provider: str, calls: int
) -> None:
    settings.MAIL_WINDOW = 3
    use(provider, esp, settings, monkeypatch)
    assert delivery.deliver_all(MORNING) == {"sent": READERS}
    assert len(esp.posted) == calls
    assert not Delivery.objects.filter(message_id="").exists()


def test_a_providers_refusal_is_the_readers_own(
    waiting: list[Delivery], esp: Esp, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postmark answers each mail of a call for itself; 406 is a dead mailbox, which its status 422 does not say."""
    settings.MAIL_WINDOW = READERS
    use("postmark", esp, settings, monkeypatch)
    said = [{"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{number}"} for number in range(READERS)]
    said[4] = {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."}
    esp.script.append(Answer(200, said))
    assert delivery.deliver_all(MORNING) == {"sent": READERS - 1, "failed": 1}
    reader = waiting[4].digest.subscriber
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.BOUNCED
    assert "406" in Delivery.objects.get(status=Status.FAILED).error


def test_a_provider_that_wants_to_be_left_alone_opens_the_circuit(
    waiting: list[Delivery], esp: Esp, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_WINDOW = 3
    use("sendgrid", esp, settings, monkeypatch)
    esp.script += [
        Answer(202, b""),
        Answer(429, {"errors": [{"message": "too many requests"}]}, (("Retry-After", "9"),)),
    ]
    delivery.deliver_all(MORNING)
    assert statuses() == {"sent": 1, "waiting": READERS - 1}
    assert MailGate.load().is_open
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0] * (READERS - 2) + [1, 1]
