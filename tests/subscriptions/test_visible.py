"""Control characters and overrides of the reading direction: refused or cleaned at the door, harmless at each exit."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils.termcolors import colorize

from config.access_log import Log
from digest.mail.rendering.excerpts import plain
from digest.models import Digest, Lane, Paper, Pick, Source
from digest.web.feeds.atom import clean
from digest.web.pages.citations import bibtex, ris
from subscriptions import links, visible
from subscriptions.interests.parser import InterestError, parse
from subscriptions.management.terminal import TerminalCommand
from subscriptions.models import InterestLine, Subscriber
from subscriptions.redaction import RedactingFormatter
from tests.conftest import MORNING

C0, C1 = [chr(code) for code in (0, 7, 8, 0x1B, 0x7F)], [chr(code) for code in range(0x80, 0xA0)]
BIDI = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
BREAKS = ["\u2028", "\u2029"]
HIDDEN = [*C0, *C1, *BIDI, *BREAKS]
FOREIGN = "red \x1b[2J\x9b31m \u202eevil\u2069 title"


@pytest.mark.parametrize("sign", HIDDEN, ids=lambda sign: f"U+{ord(sign):04X}")
def test_no_line_holds_one(sign: str) -> None:
    with pytest.raises(InterestError):
        parse(f"diffu{sign}sion")


@pytest.mark.parametrize("sign", HIDDEN, ids=lambda sign: f"U+{ord(sign):04X}")
def test_none_leaves_by_any_exit(sign: str) -> None:
    text = f"a{sign}b"
    assert sign not in visible.visible(text)
    assert sign not in visible.for_terminal(text)
    assert sign not in visible.on_one_line(text)
    assert sign not in plain(text)
    assert sign not in clean(text) or sign in ("\x85", *BREAKS), "a feed shows these as blanks"
    document = visible.in_json(json.dumps({"line": text}, ensure_ascii=False))
    assert sign not in document
    assert json.loads(document) == {"line": text}, "the value itself is kept"


def test_what_people_write_with_stays() -> None:
    text = "می‌خواهم 👩‍🔬 é\t\u200fשלום"
    assert visible.visible(text) == visible.for_terminal(text) == text


def test_a_log_line_cannot_be_forged() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "source %s", (f"{FOREIGN}\n2026 INFO all is well",), None)
    said = RedactingFormatter("%(message)s").format(record)
    assert said == r"source red \x1b[2J\x9b31m \u202eevil\u2069 title\n2026 INFO all is well"


def test_a_traceback_steers_no_terminal() -> None:
    try:
        raise ValueError(FOREIGN)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    said = RedactingFormatter("%(message)s").format(record)
    assert "Traceback" in said and "\n" in said
    assert not any(sign in said for sign in HIDDEN)


def test_the_access_log_shows_a_user_agent_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gunicorn.glogging.Logger.atoms", lambda *_: {"a": f"agent {FOREIGN}\r\nx", "s": 200})
    atoms = Log.atoms(object.__new__(Log), None, None, None, None)
    assert atoms == {"a": r"agent red \x1b[2J\x9b31m \u202eevil\u2069 title\r\nx", "s": 200}


class Says(TerminalCommand):
    """A command that repeats what others said."""

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(FOREIGN)
        self.stdout.write(colorize("good", fg="green", opts=("bold",)))
        self.stderr.write(FOREIGN)
        raise CommandError(FOREIGN)


def test_a_command_steers_no_terminal() -> None:
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError):
        call_command(Says(), stdout=out, stderr=err)
    for said in (out.getvalue(), err.getvalue()):
        assert "evil" in said and "\x1b[2J" not in said
        assert not any(sign in said for sign in (*C1, *BIDI))
    assert "\x1b[32;1mgood\x1b[0m" in out.getvalue(), "Django's colours stay"


def test_every_command_is_one_of_these() -> None:
    from django.core.management import get_commands, load_command_class

    ours = [name for name, app in get_commands().items() if app in ("subscriptions", "digest", "embedded", "accounts")]
    assert len(ours) > 10
    assert all(isinstance(load_command_class(get_commands()[name], name), TerminalCommand) for name in ours)


@pytest.mark.django_db
def test_rows_of_earlier_days_are_harmless_too(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    """Rows may be older than the refusal at the door."""
    InterestLine.objects.filter(subscriber=alice).update(typed=FOREIGN)
    Paper.objects.update(title=FOREIGN, abstract=FOREIGN, authors=[FOREIGN], categories=[FOREIGN])
    Source.objects.update(name=FOREIGN, last_error=FOREIGN)
    picks = [Pick(papers[0].pk, Lane.INTERESTS, 100, 0)]
    Digest.objects.create(subscriber=alice, issue_date=MORNING.date(), created_at=MORNING, picks=picks)
    sheet = io.StringIO()
    call_command("export_subscribers", stdout=sheet, stderr=io.StringIO())
    exits = {
        "CSV": sheet.getvalue(),
        "BibTeX": bibtex(Paper.objects.all()),
        "RIS": ris(Paper.objects.all()),
        "JSON": client.get(f"{links.access(alice)}data.json").content.decode(),
        "API": client.get("/api/v1/papers/").content.decode(),
        "Atom": client.get("/feeds/papers.atom").content.decode(),
    }
    for name, said in exits.items():
        assert "evil" in said, name
        assert not [sign for sign in said if sign in (*C0, *C1, *BIDI)], name
