"""Readers in and out as CSV: all or nothing, and out|in changes nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import emails
from subscriptions.csv_cells import guarded, interests_cell, unguarded
from subscriptions.imports import sheet as sheets
from subscriptions.imports import store
from subscriptions.imports.sheet import Fault
from subscriptions.interests.parser import InterestError, parse
from subscriptions.management.commands import export_subscribers
from subscriptions.models import Consent, Interest, Subscriber, Suppression
from subscriptions.preferences import SETTINGS
from tests.conftest import MORNING, make_reader
from tests.smtp import Server
from tests.stack import ROOT
from tests.subscriptions.conftest import link_in, row

HEADER = ",".join(sheets.CHOSEN)
DORA = 'dora@example.org,"diffusion\n-survey",weekly,4,7,Asia/Kathmandu,20,30'


@pytest.fixture
def sheet(tmp_path: Path, db: None) -> Path:
    return tmp_path / "readers.csv"


def run(sheet: Path, *lines: str, flags: tuple[str, ...] = (), header: str = HEADER) -> str:
    """Import these lines; what was printed."""
    sheet.write_text("\n".join([header, *lines]), encoding="utf-8")
    out = io.StringIO()
    call_command("import_subscribers", str(sheet), *flags, stdout=out)
    return out.getvalue()


def faults(content: bytes | str) -> list[str]:
    """What is wrong with a file, as the operator reads it."""
    raw = content if isinstance(content, bytes) else content.encode()
    return [str(fault) for fault in sheets.read(raw).faults]


def exported(*flags: str) -> str:
    out = io.StringIO()
    call_command("export_subscribers", *flags, stdout=out, stderr=io.StringIO())
    return out.getvalue()


# --- what an import stores
def test_a_new_reader_is_pending_and_asked_once(sheet: Path, smtp_server: Server, now: dt.datetime) -> None:
    assert run(sheet, DORA).startswith("1 new reader, 1 of them asked to confirm")
    dora = Subscriber.objects.get()
    assert (dora.email, dora.status, dora.next_digest_at) == ("dora@example.org", "pending", None)
    assert (dora.frequency, dora.weekday, dora.hour, dora.time_zone) == ("weekly", 4, 7, "Asia/Kathmandu")
    assert (dora.max_papers, dora.trending_share) == (20, 30)
    assert dora.lines() == ["diffusion", "-survey"]
    assert list(Consent.objects.values_list("kind", "page")) == [("requested", "import")]
    assert emails.send_notices(now) == 1
    assert link_in(smtp_server.messages[0], "/confirm/")


def test_who_consented_is_active_and_not_asked(sheet: Path, now: dt.datetime) -> None:
    run(sheet, DORA, flags=("--confirmed",))
    dora = Subscriber.objects.get()
    assert (dora.status, dora.notice) == ("active", "")
    assert dora.next_digest_at is not None
    assert dora.next_digest_at > now
    assert Consent.objects.filter(kind="confirmed", page="import").count() == 1


def test_what_is_empty_or_left_out_is_as_in_the_form(sheet: Path) -> None:
    run(sheet, "a@example.org,diffusion; agents ;,,", header="email,interests,hour,frequency")
    dora = Subscriber.objects.get()
    assert (dora.frequency, dora.hour, dora.time_zone, dora.max_papers) == ("daily", 8, "UTC", 10)
    assert dora.lines() == ["diffusion", "agents"]


@pytest.mark.parametrize("confirmed", [(), ("--confirmed",)])
def test_known_readers_are_left_as_they_are(
    sheet: Path, confirmed: tuple[str], alice: Subscriber, bob: Subscriber, carol: Subscriber
) -> None:
    before = [row(reader) for reader in (alice, bob, carol)]
    lines = [f"{reader.email.upper()},agents" for reader in (alice, bob, carol)]
    said = run(sheet, *lines, header="email,interests", flags=confirmed)
    assert said == "0 new readers, 3 known already and left as they are, 0 suppressed.\n"
    assert [row(reader) for reader in (alice, bob, carol)] == before


@pytest.mark.parametrize("reason", Suppression.Reason.values)
def test_a_suppressed_address_is_not_stored(sheet: Path, reason: str) -> None:
    Suppression.objects.add_address("Dora@example.org", reason, MORNING)
    assert "0 new readers" in (said := run(sheet, DORA, flags=("--confirmed",)))
    assert "1 suppressed" in said
    assert not Subscriber.objects.exists()
    assert Suppression.objects.reason_for("dora@example.org") == reason


def test_a_dry_run_counts_and_stores_nothing(sheet: Path, alice: Subscriber) -> None:
    before = Interest.objects.count()
    said = run(sheet, DORA, "alice@example.org,agents", flags=("--dry-run", "--confirmed"))
    assert said.startswith("Dry run, nothing was stored: 1 new reader, 1 known already")
    assert (Subscriber.objects.count(), Interest.objects.count()) == (1, before)


def test_nobody_is_stored_when_one_line_is_wrong(sheet: Path) -> None:
    with pytest.raises(CommandError, match="1 error, nothing was stored") as caught:
        run(sheet, DORA, "egon@example.org,agents,daily,,25")
    assert "Line 4, hour: “25” is not a whole number from 0 to 23." in str(caught.value)
    assert not Subscriber.objects.exists()


def test_nobody_is_stored_when_storing_breaks_off(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"r{number}@example.org,topic" for number in range(600)]
    real = store._add_lines

    def until_the_disk_is_full(rows: dict[int, store.Decision]) -> None:
        if any(one.row.address == "r550@example.org" for one in rows.values()):
            raise OSError("no more")
        real(rows)

    monkeypatch.setattr(store, "_add_lines", until_the_disk_is_full)
    with pytest.raises(OSError, match="no more"):
        run(sheet, *lines, header="email,interests")
    assert not Subscriber.objects.exists()
    assert not Interest.objects.exists()


def test_the_same_file_twice_adds_nobody(sheet: Path) -> None:
    run(sheet, DORA, flags=("--confirmed",))
    before = row(Subscriber.objects.get())
    assert "0 new readers, 1 known already" in run(sheet, DORA)
    assert row(Subscriber.objects.get()) == before


def test_what_an_export_says_of_the_status_is_heeded(sheet: Path) -> None:
    statuses = ["active", "pending", "unsubscribed", "bounced", "complained", ""]
    lines = [f"r{number}@example.org,topic,{status}" for number, status in enumerate(statuses)]
    said = run(sheet, *lines, header="email,interests,status", flags=("--confirmed",))
    assert "3 new readers, 1 of them asked to confirm" in said
    assert "3 left or bounced there and suppressed now" in said
    reasons = [Suppression.objects.reason_for(f"r{number}@example.org") for number in range(6)]
    assert reasons == ["", "", "left elsewhere", "bounced", "complained", ""]
    stored = Subscriber.objects.order_by("email").values_list("email", "status")
    assert list(stored) == [
        ("r0@example.org", "active"),
        ("r1@example.org", "pending"),
        ("r5@example.org", "active"),
    ]


# --- what cannot be read
BAD = [
    ("", "The file is empty. Its first line names the columns: email, interests"),
    ("\n\n , \n", "The file is empty."),
    (b"\xef\xbb\xbf", "The file is empty."),
    ("dora@example.org,diffusion", "Line 1: the column email is missing. There are “dora@example.org”, “diffusion”."),
    ("email,intrests\na@example.org,x", "Line 1: there is no column “intrests”. Did you mean interests? The first"),
    ("email,interests,time zones\na@example.org,x,", "no column “time zones”. Did you mean time_zone?"),
    ("interests\nx", "Line 1: the column email is missing."),
    ("email\na@example.org", "Line 1: the column interests is missing."),
    ("email,interests,Email\n", "Line 1: the column email comes twice"),
    ("email,interests,E-mail address\n", "the column email comes twice (“email”, “E-mail address”): take one out."),
    ("email,interests\n,x", "Line 2, email: the address is missing"),
    ("email,interests\nnot an address,x", "Line 2, email: An email address must have an @-sign."),
    ("email,interests\na@example.org\u202e,x", "Line 2, email: "),
    ("email,interests\na@example.org", "Line 2, interests: Type at least one interest"),
    ("email,interests\na@example.org,;; ;", "Line 2, interests: Type at least one interest"),
    ('email,interests\na@example.org,x; title:"', "Line 2, interests: “title:\"”: This quotation mark is never closed"),
    ("email,interests\na@example.org,x,y", "Line 2: 3 cells for 2 columns: put a cell that holds a comma in quot"),
    ("email,interests,frequency\na@example.org,x,hourly", "“hourly” is not one of daily, weekdays, weekly."),
    ("email,interests,weekday\na@example.org,x,7", "“7” is not one of 0, 1, 2, 3, 4, 5, 6."),
    ("email,interests,time_zone\na@example.org,x,Atlantis", "“Atlantis” is not a time zone such as Europe/Berlin"),
    ("email,interests,max_papers\na@example.org,x,0", "“0” is not a whole number from 1 to 100."),
    ("email,interests,max_papers\na@example.org,x,١٠", "is not a whole number from 1 to 100."),
    ("email,interests,trending_share\na@example.org,x,101", "“101” is not a whole number from 0 to 100."),
    ("email,interests,status\na@example.org,x,sleepy", "Line 2, status: “sleepy” is not one of pending, active"),
    (b"email,interests\na@example.org,diff\0usion", "Line 2: there is a NUL byte"),
    ("email,interests\nb@example.org,Ångström".encode("latin-1"), "Line 2: the byte 0xC5 is not UTF-8"),
    ("email,interests\na@example.org,x".encode("utf-32"), "The file is UTF-32: save it from the spreadsheet"),
    ('email,interests\n"ada@example.org, wei@example.org",x', "Line 2, email: "),
    ("email,interests,hour\na@example.org,x,8:30", "“8:30” is not a whole number from 0 to 23."),
    ("email,interests,time_zone\na@example.org,x,GMT+2", "“GMT+2” is not a time zone such as Europe/Berlin"),
    ('email,interests\na@example.org,"never closed', "Line 2: this cannot be read as CSV"),
    ('email,interests\na@example.org,"x" y', "Line 2: this cannot be read as CSV"),
    ('email,interests\na@example.org,"' + "x" * 140_000 + '"', "Line 2: this cannot be read as CSV (a cell of more"),
    ('email,interests\na@example.org,"' + "x" * 20_000 + '"', "Line 2, interests: Ensure this value has at most 10000"),
    ("email,interests\na@example.org," + ";".join(f"x{n}" for n in range(51)), "51 lines are too many: 50 are"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_a_wrong_file_is_told_where_and_what_to_do(content: bytes | str, says: str) -> None:
    found = faults(content)
    assert len(found) == 1
    assert says in found[0]
    assert found[0].isprintable()


def test_a_line_is_counted_where_it_begins() -> None:
    text = 'email,interests\r\na@example.org,"x\r\ny"\r\n\r\nb@example.org,(x\r\n'
    assert faults(text)[0].startswith("Line 5, interests: “(x”: This bracket is never closed")


def test_every_fault_of_a_line_is_listed() -> None:
    found = faults("email,interests,hour,weekday\nnobody,(x;y);z,24,9")
    assert [line.split(":")[0] for line in found] == [
        "Line 2, email", "Line 2, interests", "Line 2, interests", "Line 2, weekday", "Line 2, hour",
    ]  # fmt: skip


def test_no_escape_sequence_reaches_the_terminal() -> None:
    assert faults("email,interests,hour\na@example.org,x,\x1b[31m8")[0].startswith("Line 2, hour: “�[31m8”")


def test_twenty_errors_are_shown_and_the_rest_is_counted(sheet: Path, db: None) -> None:
    with pytest.raises(CommandError) as caught:
        run(sheet, *["nobody,x"] * 1_050, header="email,interests")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("readers.csv: 1,050 errors, nothing was stored.")
    assert len(lines) == 22
    assert lines[-1] == "and 1,030 more."


def test_too_large_and_too_long_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    rows = [f"r{number}@example.org,x" for number in range(4)]
    assert faults("\n".join(["email,interests", *rows[:3]])) == []
    assert faults("\n".join(["email,interests", *rows])) == [
        "Line 5: more than 3 rows: split the file, and import its parts one by one."
    ]
    assert faults(b"x" * (sheets.MAX_BYTES + 1))[0].startswith("The file has over 20 MB")


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "says"), [("none.csv", "there is no such file"), (".", "cannot be read")])
def test_a_path_that_is_no_file(tmp_path: Path, name: str, says: str, db: None) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("import_subscribers", str(tmp_path / name))


def test_an_address_twice_must_ask_for_the_same() -> None:
    text = "email,interests\nA@example.org,x;y\na@EXAMPLE.org,x ; y\n"
    sheet = sheets.read(text.encode())
    assert (len(sheet.rows), sheet.repeats, sheet.faults) == (1, [3], [])
    assert faults(text + "a@example.org,z") == [
        "Line 4, email: line 2 has this address too, and asks for something else: keep one of the two."
    ]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_spreadsheets_line_ends_and_mark_are_read(mark: str, end: str) -> None:
    text = mark + end.join(["Email , INTERESTS", ' dora@example.org ,"Kähler; naïve Bayes"', "", ","])
    (found,) = sheets.read(text.encode()).rows.values()
    assert (found.address, found.preferences.lines) == ("dora@example.org", ("Kähler", "naïve Bayes"))


def test_values_that_only_staff_can_choose_are_taken() -> None:
    text = "email,interests,max_papers,trending_share,empty_mail,time_zone\na@example.org,x,15,25,TRUE,Asia/Calcutta"
    (found,) = sheets.read(text.encode()).rows.values()
    preferences = found.preferences
    assert (preferences.max_papers, preferences.trending_share, preferences.time_zone) == (15, 25, "Asia/Calcutta")
    assert preferences.empty_mail is True


@given(st.binary(max_size=400))
def test_no_bytes_crash_it(content: bytes) -> None:
    assert all(isinstance(fault, Fault) for fault in sheets.read(content).faults)
    sheets.read(b"email,interests,hour\n" + content)


def many(count: int) -> str:
    rows = [f"r{number}@example.org,topic{number % 500}; -survey,{number % 24}" for number in range(count)]
    return "\n".join(["email,interests,hour", *rows])


def test_reading_takes_little_memory() -> None:
    content = many(2_000).encode()
    sheets.read(many(30).encode())  # what is made once: the names of time zones, the timings
    tracemalloc.start()
    sheet = sheets.read(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(sheet.rows), sheet.faults) == (2_000, [])
    assert peak < 2_000 * 800


@pytest.mark.slow
def test_ten_thousand_rows_are_looked_up_a_chunk_at_a_time(sheet: Path) -> None:
    header, *lines = many(10_000).split("\n")
    with CaptureQueriesContext(connection) as queries:
        said = run(sheet, *lines, header=header, flags=("--dry-run",))
    assert "10,000 new readers" in said
    assert len(queries) <= 2 * 20 + 3  # a savepoint's two, and whether a suppression's key is gone
    assert not Subscriber.objects.exists()


# --- what an export writes
def test_only_active_readers_unless_all_are_asked_for(alice: Subscriber, bob: Subscriber, carol: Subscriber) -> None:
    assert [found["email"] for found in parsed(exported())] == ["alice@example.org"]
    everybody = parsed(exported("--all"))
    assert [found["status"] for found in everybody] == ["active", "pending", "unsubscribed"]
    first = everybody[0]
    assert list(first) == list(sheets.HEADER)
    assert first["interests"] == 'diffusion\n"chain of thought"\n-survey'
    assert dt.datetime.fromisoformat(first["confirmed_at"]) == alice.confirmed_at
    assert dt.datetime.fromisoformat(first["created_at"]) == alice.created_at


def test_a_file_is_private_and_whole(alice: Subscriber, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("older")
    path.chmod(0o644)
    out = io.StringIO()
    call_command("export_subscribers", "--output", str(path), stdout=out)
    assert out.getvalue() == f"1 reader written to {path}.\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().decode() == exported()
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_what_cannot_be_written_leaves_the_older_file(
    alice: Subscriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("older")
    monkeypatch.setattr(export_subscribers, "guarded", _full)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_subscribers", "--output", str(path))
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_subscribers", "--output", str(tmp_path / "none" / "out.csv"))


def test_a_reader_of_the_output_who_has_seen_enough_is_no_crash(tmp_path: Path) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "manage.py", "export_subscribers"]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_queries_do_not_grow_with_the_readers(alice: Subscriber) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        exported()
    for number in range(30):
        make_reader(f"r{number}@example.org", "diffusion", "agents")
    with CaptureQueriesContext(connection) as many:
        assert len(parsed(exported())) == 31
    assert len(many) == len(few)


def test_no_cell_is_a_formula(db: None) -> None:
    make_reader("=cmd@example.org", "-survey", "diffusion")
    make_reader("+tag@example.org", "@home agents")
    make_reader("'quoted@example.org", "'tis")
    found = parsed(exported())
    assert [one["email"] for one in found] == ["'=cmd@example.org", "'+tag@example.org", "'quoted@example.org"]
    assert [one["interests"] for one in found] == ["'-survey\ndiffusion", "'@home agents", "'tis"]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for one in found for cell in one.values())


def test_out_and_in_is_the_identity(sheet: Path) -> None:
    make_reader("=cmd@example.org", "-survey", "diffusion", frequency="weekly", weekday=6, hour=23)
    make_reader("o'neil+x@example.org", '"a;b"', '"c\\;d"', "e\\f", "'-quoted", time_zone="Asia/Calcutta")
    make_reader("'@example.org", '"chain of thought" OR "x,y"', "Kähler", max_papers=15, trending_share=25)
    make_reader("pending@example.org", "topic", status=Subscriber.Status.PENDING, confirmed_at=None)
    before, text = _preferences(), exported("--all")
    assert len(before) == 4
    Subscriber.objects.all().delete()
    sheet.write_text(text, newline="")
    call_command("import_subscribers", str(sheet), "--confirmed", stdout=io.StringIO())
    assert _preferences() == before
    assert [without_dates(one) for one in parsed(exported("--all"))] == [without_dates(one) for one in parsed(text)]


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def without_dates(found: dict[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in found.items() if not name.endswith("_at")}


def _full(text: str) -> str:
    raise OSError(28, "No space left on device")


def _preferences() -> list[object]:
    """Everything that subscribers want, by address."""
    names = ("email", "status", *SETTINGS)
    readers = Subscriber.objects.order_by("email")
    return [({name: getattr(reader, name) for name in names}, reader.lines()) for reader in readers]


def _is_interest(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return line == line.strip() and len(line.splitlines()) == 1


@given(st.text(max_size=30))
def test_guarding_is_undone_and_leaves_no_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(tuple("=+-@\t\r"))


@given(st.text(alphabet="'=+-@\\;ab \t\r", max_size=12))
def test_guarding_is_undone_for_the_signs_it_is_about(text: str) -> None:
    assert unguarded(guarded(text)) == text


# Pieces of the language, put together; a few of the lines are none, and are left out.
PIECES = st.sampled_from(["a", "b", "é", "-", "+", "=", "@", "'", ";", ",", "\\", " ", "*", '"x y"', "(z)", "title:q"])
TYPED = st.lists(PIECES, max_size=6).map(lambda pieces: "".join([*pieces, "w"]).strip()).filter(_is_interest)


@given(st.lists(TYPED, min_size=1, max_size=5))
def test_typed_lines_survive_a_file(lines: list[str]) -> None:
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    sheet.writerows([["email", "interests"], ["a@example.org", interests_cell(lines)]])
    read = sheets.read(out.getvalue().encode())
    assert read.faults == []
    assert next(iter(read.rows.values())).preferences.lines == tuple(lines)
