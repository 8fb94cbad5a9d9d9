"""A list moves in: who becomes a subscriber, who is suppressed, what is said, and what must be corrected first."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import shlex
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions import notice_limits, signup
from subscriptions.models import Consent, InterestLine, SignupHour, Subscriber, Suppression
from tests.conftest import MORNING, make_reader
from tests.stack import ROOT
from tests.subscriptions.imports.test_services import SERVICES

pytestmark = pytest.mark.django_db
BUTTONDOWN = SERVICES["Buttondown"][0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def run(path: Path, content: str, *flags: str) -> str:
    path.write_text(content, encoding="utf-8")
    out = io.StringIO()
    call_command("import_subscribers", str(path), *flags, stdout=out)
    return out.getvalue()


def test_who_left_or_bounced_there_is_suppressed_and_no_subscriber(path: Path) -> None:
    said = run(path, BUTTONDOWN, "--interests", "diffusion", "--confirmed")
    assert said.startswith("2 new readers, 1 of them asked to confirm")
    assert "4 left or bounced there and suppressed now" in said
    assert "An export of Buttondown. Columns that are not used: “id”, “notes”, “tags”" in said
    stored = dict(Subscriber.objects.values_list("email", "status"))
    assert stored == {"ada@example.org": "active", "bob@example.org": "pending"}
    names = ("cy", "di", "ed", "flo")
    reasons = [Suppression.objects.reason_for(f"{name}@example.org") for name in names]
    assert reasons == ["bounced", "left elsewhere", "complained", "left elsewhere"]


def test_consent_is_recorded_with_its_origin(path: Path) -> None:
    run(path, BUTTONDOWN, "--interests", "diffusion", "--confirmed")
    rows = Consent.objects.order_by("pk").values_list("subscriber__email", "kind", "page", "origin", "wording")
    wording = (
        "Imported by the operator, who states that they hold this subscriber's consent. Subscribed at Buttondown since "
        "2024-01-01."
    )
    assert sorted(rows) == [
        ("ada@example.org", "confirmed", "import", "staff", wording),
        ("ada@example.org", "requested", "import", "staff", wording),
        ("bob@example.org", "requested", "import", "staff", wording),
    ]


def test_who_left_elsewhere_comes_back_by_confirming_but_not_by_import(path: Path, now: dt.datetime) -> None:
    run(path, BUTTONDOWN, "--interests", "diffusion")
    assert "1 suppressed" in run(path, "email,interests\nflo@example.org,pots", "--confirmed")
    make = {"page": "https://example.org/subscribe/", "now": now}
    for name in ("flo", "ed"):  # left; complained
        signup.sign_up(f"{name}@example.org", signup.Preferences(["pots"]), **make)
    flo = Subscriber.objects.by_address("flo@example.org").get()
    assert signup.confirm(flo, page="https://example.org/confirm/", now=now)
    assert Suppression.objects.reason_for("flo@example.org") == ""
    assert not Subscriber.objects.by_address("ed@example.org").exists()


def test_leaving_there_ends_what_was_imported_but_not_what_was_confirmed_here(path: Path, now: dt.datetime) -> None:
    run(path, "email,interests\nflo@example.org,pots", "--confirmed")
    alice = make_reader("alice@example.org", "pots")
    signup.confirm(alice, page="https://example.org/confirm/", now=now)
    said = run(path, "email,interests,status\nflo@example.org,,unsubscribed\nalice@example.org,,unsubscribed")
    assert "1 known already and left as they are" in said and "1 left or bounced there" in said
    assert dict(Subscriber.objects.values_list("email", "status")) == {
        "flo@example.org": "unsubscribed", "alice@example.org": "active",
    }  # fmt: skip
    assert [Suppression.objects.reason_for(f"{name}@example.org") for name in ("flo", "alice")] == [
        "left elsewhere",
        "",
    ]


def test_a_complaint_there_outranks_a_bounce_here(path: Path) -> None:
    Suppression.objects.add_address("ed@example.org", Suppression.Reason.BOUNCED, MORNING)
    run(path, BUTTONDOWN, "--interests", "diffusion")
    assert Suppression.objects.reason_for("ed@example.org") == "complained"


MIXED = (
    "email,interests,hour,note\n"
    "ada@example.org,pots,8,\n"
    "=cmd|x,pots,99,'-x\n"
    'bob@example.org,"pots\npans",7,\n'
    "cy@example.org,(pots,7,\n"
    "di@example.org,pots,7,\n"
)


def test_good_rows_go_in_and_bad_ones_are_written_to_be_corrected(path: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    said = run(path, MIXED, "--rejected", str(bad), "--confirmed")
    assert said.startswith("3 new readers, ") and "2 rows to correct." in said
    assert f"2 rows to correct in {bad}: then import that file." in said
    assert bad.stat().st_mode & 0o777 == 0o600
    header, *rows = csv.reader(io.StringIO(bad.read_text(), newline=""))
    assert header == ["email", "interests", "hour", "note", "problem"]
    assert [row[:4] for row in rows] == [["'=cmd|x", "pots", "99", "''-x"], ["cy@example.org", "(pots", "7", ""]]
    assert "email: " in rows[0][4] and "hour: “99” is not a whole number from 0 to 23." in rows[0][4]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in rows for cell in row)
    corrected = bad.read_text().replace("'=cmd|x", "ed@example.org").replace("99", "9").replace("(pots", "pots")
    assert run(path, corrected, "--confirmed").startswith("2 new readers")
    assert set(Subscriber.objects.values_list("email", flat=True)) == {
        f"{name}@example.org" for name in ("ada", "bob", "cy", "di", "ed")
    }


def test_a_dry_run_says_line_by_line_what_would_happen(path: Path, alice: Subscriber) -> None:
    Suppression.objects.add_address("di@example.org", Suppression.Reason.BOUNCED, MORNING)
    extra = "alice@example.org,pots,7,\nada@example.org,pots,8,\n"
    out = io.StringIO()
    path.write_text(MIXED + extra)
    with pytest.raises(CommandError, match="3 errors: an import would store nothing"):
        call_command("import_subscribers", str(path), "--dry-run", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("Dry run, nothing was stored: 2 new readers, 2 of them asked to confirm")
    assert [line[:60] for line in lines[2:]] == [
        "Line 2: a***@example.org: new, asked to confirm",
        "Line 3, email: An email address must have an @-sign. Correct",
        "Line 3, hour: “99” is not a whole number from 0 to 23.",
        "Line 4: b***@example.org: new, asked to confirm",
        "Line 6, interests: “(pots”: This bracket is never closed (at",
        "Line 7: d***@example.org: suppressed here, not imported",
        "Line 8: a***@example.org: known already, left as it is",
        "Line 9: repeated in the file, left out",
    ]
    assert Subscriber.objects.count() == 1
    out = io.StringIO()
    call_command("import_subscribers", str(path), "--dry-run", "--rejected", "unwritten.csv", stdout=out)
    assert not Path("unwritten.csv").exists()


def test_an_import_mails_no_mailbox_more_often_than_a_visitor_could(path: Path, now: dt.datetime) -> None:
    assert notice_limits.may_confirm("ada@example.org", now)
    lines = ["ada", "bob", "a.da+x", "cy+1", "cy+2"]
    run(path, "email,interests\n" + "\n".join(f"{name}@example.org,pots" for name in lines))
    notices = dict(Subscriber.objects.values_list("email", "notice"))
    assert notices == {
        "ada@example.org": "", "bob@example.org": "confirm", "a.da+x@example.org": "confirm",
        "cy+1@example.org": "confirm", "cy+2@example.org": "",
    }  # fmt: skip
    assert sum(SignupHour.objects.values_list("confirmations", flat=True)) == 3
    assert not notice_limits.may_confirm("bob@example.org", now)


def test_two_spellings_of_an_interest_are_one_line(path: Path) -> None:
    run(path, "email,interests\nada@example.org,Pots; iron; pots\n")
    assert list(InterestLine.objects.order_by("position").values_list("typed", "position")) == [
        ("Pots", 0), ("iron", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("flags", [(), ("--confirmed",)])
def test_the_queries_grow_with_chunks_and_not_with_rows(path: Path, flags: tuple[str, ...]) -> None:
    def queries(count: int, start: int) -> int:
        rows = "".join(f"r{start + number}@example.org,topic{number % 7},{number % 24}\n" for number in range(count))
        left = "".join(f"l{start + number}@example.org,,\n" for number in range(count))
        with CaptureQueriesContext(connection) as found:
            run(path, f"email,interests,hour,status\n{rows}".replace("\n", ",\n"), *flags)
            run(path, "email,interests,hour,status\n" + left.replace(",,", ",,,bounced"), *flags)
        return len(found)

    assert queries(400, 1_000) <= queries(20, 0) + 30  # SQLite takes fewer values at once


@pytest.mark.slow
def test_storing_takes_time_in_proportion_to_the_rows(path: Path) -> None:
    """100,000 rows must take less than a minute: this is a twentieth of them, in processor time of this process."""
    lines = (
        f"r{number}@example.org,topic{number % 1000}; -survey; w{number % 77} x{number % 500},{number % 24},"
        f"{'unsubscribed' if number % 10 == 0 else 'active'}"
        for number in range(5_000)
    )
    started = time.process_time()
    said = run(path, "email,interests,hour,status\n" + "\n".join(lines), "--confirmed")
    assert said.startswith("4,500 new readers")
    assert time.process_time() - started < 60 / 20 * 3  # coverage and SQLite in this process take their share


def test_the_commands_of_the_guide_run_as_they_stand_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (ROOT / "docs" / "moving-in.md").read_text(encoding="utf-8")
    found = re.findall(r"manage\.py ([a-z]+_subscribers .*?)[`\n]", guide)
    look, bring, take_away = (shlex.split(command) for command in found)
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("email,interests\nada@example.org,agents\nbob@example.org,(\n", encoding="utf-8")
    with pytest.raises(CommandError, match="1 error"):
        call_command(look[0], *look[1:])
    assert not Subscriber.objects.exists()
    call_command(bring[0], *bring[1:])
    assert Subscriber.objects.get().email == "ada@example.org"
    assert "bob@example.org" in Path("rows-to-correct.csv").read_text(encoding="utf-8")
    call_command(take_away[0], *take_away[1:])
    assert "ada@example.org" in Path("subscribers.csv").read_text(encoding="utf-8")
