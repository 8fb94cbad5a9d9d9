"""The command line: what it says, what it changes, how it ends."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from django.core.management import CommandError, call_command

from digest.models import Delivery, Digest, Match, Paper
from subscriptions.models import Subscriber
from tests.conftest import MORNING
from tests.smtp import Server, parsed

pytestmark = pytest.mark.django_db

NOW = MORNING.isoformat()


def test_send_digests_sends_what_is_due_and_nothing_twice(
    alice: Subscriber, papers: list[Paper], smtp_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("send_digests", "--now", NOW)
    call_command("send_digests", "--now", NOW)
    assert len(smtp_server.to("alice@example.org")) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "1 reader due, 0 of them without a new mail; 1 sent."
    assert second == "0 readers due, 0 of them without a new mail; nothing to send."


def test_mail_of_a_day_to_come_is_shown_and_not_sent(
    alice: Subscriber, papers: list[Paper], smtp_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(MORNING - dt.timedelta(days=1), tick=False):
        for args in (("--now", NOW), ("--date", "2026-03-16"), ("--date", "2026-03-16", "--now", NOW)):
            with pytest.raises(CommandError, match=r"2026-03-16 ..:.. UTC is to come: mail of that day cannot be sent"):
                call_command("send_digests", *args)
        call_command("send_digests", "--now", NOW, "--dry-run")
    assert "a***@example.org: 2 papers" in capsys.readouterr().out
    assert not Digest.objects.exists()
    assert Subscriber.objects.get().next_digest_at == MORNING
    with time_machine.travel(MORNING - dt.timedelta(hours=1), tick=False):
        call_command("send_digests", "--now", NOW)
    said = capsys.readouterr()
    assert "08:00 UTC is to come: readers who are due until then get their mail now." in said.err
    assert said.out == "1 reader due, 0 of them without a new mail; 1 sent.\n"


def test_send_digests_to_one_reader_who_is_not_due(alice: Subscriber, papers: list[Paper], smtp_server: Server) -> None:
    Subscriber.objects.update(next_digest_at=MORNING + dt.timedelta(days=3))
    call_command("send_digests", "--now", NOW, "--subscriber", "Alice@Example.org")
    assert len(smtp_server.accepted) == 1


def test_a_dry_run_changes_nothing(
    alice: Subscriber, papers: list[Paper], smtp_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("send_digests", "--now", NOW, "--dry-run")
    assert "a***@example.org: 2 papers" in capsys.readouterr().out
    assert not Digest.objects.exists()
    assert not smtp_server.accepted


def test_a_dead_mail_server_is_an_exit_code_not_a_traceback(
    alice: Subscriber, papers: list[Paper], settings: object
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(CommandError, match="The mails wait"):
        call_command("send_digests", "--now", NOW)
    assert Delivery.objects.get().status == Delivery.Status.WAITING


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("send_digests", "--subscriber", "nobody@example.org"), "No reader has"),
        (("preview_digest", "nobody@example.org"), "No reader has"),
        (("explain", "nobody@example.org", "1"), "No reader has"),
        (("send_digests", "--date", "14.3.2026"), "is not a date such as"),
        (("send_digests", "--now", "noon"), "is not a moment such as"),
    ],
)
def test_a_wrong_argument_gets_a_clear_line(db: None, args: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(*args)


def test_preview_digest_prints_the_mail_and_stores_nothing(
    alice: Subscriber, papers: list[Paper], capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(MORNING, tick=False):
        call_command("preview_digest", "alice@example.org", "--format", "text,html,eml")
    out = capsys.readouterr().out
    assert out.count("Diffusion for Weather") >= 2
    assert "<html" in out
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in out
    assert alice.code not in out
    assert not Digest.objects.exists()


def test_match_says_when_there_is_nothing_to_do(
    alice: Subscriber, papers: list[Paper], capsys: pytest.CaptureFixture[str]
) -> None:
    before = Match.objects.count()
    call_command("match")
    assert capsys.readouterr().out == "Nothing new to match.\n"
    call_command("match", "--since", "2026-03-01")
    assert Match.objects.count() == before > 0


def test_explain_says_why_and_why_not(
    alice: Subscriber, papers: list[Paper], smtp_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    def explain(paper: str) -> str:
        with time_machine.travel(MORNING, tick=False):
            call_command("explain", "alice@example.org", paper)
        return capsys.readouterr().out

    said = explain("2603.00001")
    assert said.splitlines()[1] == "  The reader is told:"
    assert "would be number" in said
    assert "“-survey” keeps it away: the paper has “Survey” in the title" in explain("A survey of diffusion")
    assert "No line of yours matches it" in explain("Pruning Networks")
    call_command("send_digests", "--now", NOW)
    capsys.readouterr()
    assert "of your mail of 16 March 2026" in explain("2603.00001")
    with pytest.raises(CommandError, match="No paper is known"):
        explain("9999.99999")


def test_the_previewed_eml_is_what_leaves_by_smtp(alice: Subscriber, papers: list[Paper]) -> None:
    out = io.StringIO()
    call_command("preview_digest", "alice@example.org", "--format", "eml", "--date", "2026-03-16", stdout=out)
    message = parsed(out.getvalue().encode("ascii"))
    assert message["To"] == "alice@example.org"
    assert "\r\nContent-Transfer-Encoding: quoted-printable\r\n" in out.getvalue()
    assert not message.defects
