"""The way out that stays open from chunk to chunk: what one chunk learned of a server holds for the next."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from anymail.message import AnymailMessage
from pytest_django import Settings

from digest.mail import delivery
from digest.mail.delivery import circuit
from digest.mail.transports import DjangoWay, KeptWay, NoWay, Verdict
from digest.models import Delivery, MailGate
from tests.conftest import MORNING
from tests.smtp import Server

pytestmark = pytest.mark.django_db

KNOCK = 1  # the server's own, when it starts


@pytest.fixture(autouse=True)
def _chunks_of_two(settings: Settings) -> None:
    settings.MAIL_CHUNK = settings.MAIL_WINDOW = 2


class Counting(DjangoWay):
    """Counts how often a way was opened and closed."""

    seen: Counter[str] = Counter()

    def open(self) -> None:
        self.seen["opened"] += 1
        super().open()

    def close(self) -> None:
        self.seen["closed"] += 1
        super().close()


@pytest.fixture
def counting() -> type[Counting]:
    Counting.seen.clear()
    return Counting


@pytest.mark.parametrize(("connections", "opened"), [(1, 1), (3, 1 + 3)])  # with the one that looks first
def test_chunk_after_chunk_goes_over_the_same_connections(
    waiting: list[Delivery], smtp_server: Server, settings: Settings, connections: int, opened: int
) -> None:
    settings.MAIL_CONNECTIONS = connections
    assert delivery.deliver_all(MORNING) == {"sent": 7}
    assert smtp_server.connections <= KNOCK + opened


def test_the_way_is_closed_at_the_end(waiting: list[Delivery], smtp_server: Server, counting: type[Counting]) -> None:
    assert delivery.deliver_chunks(MORNING, make_way=counting) == {"sent": 7}
    assert counting.seen == {"opened": 1, "closed": 1}


def test_the_way_is_closed_when_something_breaks(
    waiting: list[Delivery], smtp_server: Server, counting: type[Counting], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise MemoryError

    monkeypatch.setattr(counting, "compose", broken)
    with pytest.raises(MemoryError):
        delivery.deliver_chunks(MORNING, make_way=counting)
    assert counting.seen == {"opened": 1, "closed": 1}


def test_where_nothing_is_ready_no_way_is_opened(counting: type[Counting]) -> None:
    assert delivery.deliver_chunks(MORNING, make_way=counting) == {}
    assert counting.seen == {}


def test_a_way_that_cannot_be_opened_is_let_go_of() -> None:
    class Half(Counting):
        def open(self) -> None:
            raise NoWay("greeted, then nothing")

    Half.seen.clear()
    way = KeptWay(Half)
    with pytest.raises(NoWay):
        way.open()
    assert Half.seen == {"closed": 1}
    way.close()
    assert Half.seen == {"closed": 1}


class Few(Server):
    """Takes two mails a connection, and 421 is what it says to the third."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        session.mails = getattr(session, "mails", 0) + 1
        if session.mails > 2:
            return "421 4.7.0 Too many mails over this connection"
        envelope.mail_from = address
        return "250 OK"


def test_a_server_that_takes_no_more_over_this_connection_is_not_down(
    waiting: list[Delivery], smtp_server: Server, settings: Settings
) -> None:
    """The connection of the chunk before: mails were taken over it."""
    with Few() as server:
        settings.EMAIL_PORT = server.port
        delivery.deliver_all(MORNING)
        assert not MailGate.load().is_open
        delivery.deliver_all(MORNING + dt.timedelta(hours=1))
        assert sorted(envelope.rcpt_tos[0] for envelope in server.accepted) == [
            f"reader{number}@example.org" for number in range(7)
        ]


def test_a_trial_over_a_kept_connection_closes_the_circuit(waiting: list[Delivery], smtp_server: Server) -> None:
    class Tripping(DjangoWay):
        """Another worker opens the circuit while the first chunk is on its way; it is time for a trial at once."""

        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            if not Delivery.objects.filter(status=Delivery.Status.SENT).exists():
                circuit.trip(MailGate.load(), MORNING - dt.timedelta(hours=1), "421 from elsewhere")
            return super().send(mails)

    assert delivery.deliver_chunks(MORNING, make_way=Tripping) == {"sent": 7}
    assert not MailGate.load().is_open


def test_a_server_that_dies_between_two_chunks_opens_the_circuit(waiting: list[Delivery], smtp_server: Server) -> None:
    class Dying(DjangoWay):
        """Takes one chunk; from then on, nobody is there."""

        opened = 0

        def open(self) -> None:
            type(self).opened += 1
            if self.opened > 1:
                raise NoWay("connection refused")

        def send(self, mails: Iterable[tuple[int, AnymailMessage]]) -> Iterator[Verdict]:
            for key, _ in mails:
                if Delivery.objects.filter(status=Delivery.Status.SENT).exists():
                    yield Verdict.of_error(key, ConnectionResetError("reset by peer"))
                    return
                yield Verdict(key)

    counts = delivery.deliver_chunks(MORNING, make_way=Dying)
    assert counts["sent"] == 2
    assert MailGate.load().is_open
    assert set(Delivery.objects.exclude(status=Delivery.Status.SENT).values_list("status", flat=True)) == {"waiting"}
