"""`manage.py doctor`: what it finds, what it says to do, and that it survives all that is broken."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from digest.models import Delivery, Digest, Edition, Source
from digest.operations.health import checks, outside
from digest.operations.health.checks import Finding, Level
from subscriptions.models import Subscriber
from tests.conftest import MORNING, make_reader
from tests.smtp import Server
from tests.stack import ROOT, Stack, wait_until

HOUR = dt.timedelta(hours=1)
POSTMARK, RESEND = "anymail.backends.postmark.EmailBackend", "digest.mail.transports.providers.resend.EmailBackend"


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    """Level and text; whatever is not well says what to do."""
    assert findings
    assert all(bool(one.do) == (one.level is not Level.OK) for one in findings)
    return [(one.level.value, one.what) for one in findings]


def levels(findings: list[Finding]) -> list[str]:
    return [level for level, _ in told(findings)]


@pytest.fixture
def public(settings: Any) -> Any:
    """A site that others reach, with all its settings in order."""
    settings.SITE_URL, settings.SITE_IS_LOCAL, settings.EMBEDDED_MAIL = "https://papers.example.org", False, False
    settings.POSTAL_ADDRESS = "Paper Round, 1 Main Street, Springfield"
    settings.DEFAULT_FROM_EMAIL = "Paper Round <papers@papers.example.org>"
    settings.TRANSACTIONAL_FROM_EMAIL = "Paper Round <hello@papers.example.org>"
    return settings


# --- what holds and moves the work
def test_a_database_in_order(db: None) -> None:
    assert told(checks.database()) == [("ok", "The database answers and is up to date.")]


def test_a_database_that_lacks_migrations(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'axes'")
    (finding,) = checks.database()
    assert finding.level is Level.PROBLEM
    assert "lacks" in finding.what
    assert finding.do == "Run `manage.py migrate`."


def test_a_database_that_is_gone(monkeypatch: pytest.MonkeyPatch, public: Any) -> None:
    def gone() -> None:
        raise OperationalError('connection to server at "db", port 5432 failed: refused\nIs the server running?')

    monkeypatch.setattr(connection, "cursor", gone)
    text = 'The database cannot be used (connection to server at "db", port 5432 failed: refused).'
    assert told(checks.database()) == [("problem", text)]
    settings_only = list(checks.examine(timezone.now, fast=True))  # nothing of the tables is asked
    assert len([one for one in settings_only if "source" in one.what or "mail is late" in one.what]) == 0


@pytest.mark.parametrize(("off", "level"), [(0, "ok"), (4, "ok"), (-4, "ok"), (7, "problem"), (-3600, "problem")])
def test_clocks(db: None, off: int, level: str) -> None:
    assert levels(checks.database_clock(timezone.now() + dt.timedelta(seconds=off))) == [level]


def test_a_redis_that_is_not_there(settings: Any, tmp_path: Path) -> None:
    for url in (f"unix://{tmp_path}/none.sock", "redis://127.0.0.1:9/0", "nonsense://x"):
        settings.REDIS_URL, settings.EMBEDDED_REDIS = url, False
        (finding,) = checks.queue()
        assert finding.level is Level.PROBLEM
        assert finding.what.startswith("Redis cannot be reached (")
        assert finding.do == "Start it, or correct REDIS_URL."
    settings.EMBEDDED_REDIS = True
    assert checks.queue()[0].do == "Start it with `make run`."


@pytest.mark.parametrize(("minutes", "expected"), [(None, []), (2, ["ok"]), (14, ["problem"])])
def test_beat_by_the_file_it_writes(settings: Any, tmp_path: Path, minutes: int | None, expected: list[str]) -> None:
    settings.DATA_DIR = tmp_path
    if minutes is not None:
        (tmp_path / "beat-schedule.db").touch()
        (tmp_path / "beat-schedule.old").touch()
        written = MORNING.timestamp() - minutes * 60
        os.utime(tmp_path / "beat-schedule.db", (written, written))
        os.utime(tmp_path / "beat-schedule.old", (0, 0))
    assert [one.level for one in checks.beat(MORNING)] == expected
    if minutes == 14:
        assert "14 minutes ago" in checks.beat(MORNING)[0].what


@pytest.mark.processes
def test_the_whole_service(tmp_path: Path) -> None:
    """A real Redis, mail catcher and worker are found well; then the worker is stopped."""
    with Stack(tmp_path) as stack:
        wait_until(lambda: "and a worker answer." in doctor(stack).stdout, "the worker to answer")
        done = doctor(stack)
        assert "✓ Redis and a worker answer." in done.stdout
        assert f"✓ The mail server 127.0.0.1:{stack.env['MAIL_CATCHER_PORT']} answers." in done.stdout
        assert "0 problems." in done.stdout
        assert (done.returncode, done.stderr) == (0, "")
        assert "No worker reads" not in done.stdout
        worker = stack.processes[-1]
        worker.terminate()
        worker.wait(30)
        done = doctor(stack, "--fast")
        assert "✗ No worker answers: papers and mails wait.\n  Start one:" in done.stdout
        assert done.stdout.splitlines()[-1].endswith("1 problem.")
        assert done.returncode == 1
        assert not stack.mails()


def doctor(stack: Stack, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "doctor", *flags]
    return subprocess.run(command, cwd=ROOT, env=stack.env, capture_output=True, text=True, timeout=60)


# --- papers in, mails out
def make_source(slug: str, **columns: object) -> Source:
    values = {"name": slug, "url": "https://feeds.example.org/x", **columns}
    return Source.objects.create(slug=slug, **values)


@pytest.fixture
def no_source(db: None, settings: Any) -> None:
    """A new database may come with one."""
    settings.FETCH_SOURCES = True
    Source.objects.all().delete()


def test_a_service_that_fetches_nothing_says_so(no_source: None, settings: Any) -> None:
    settings.FETCH_SOURCES = False
    make_source("failing", error_count=1)
    assert told(checks.sources(MORNING)) == [("warning", "Nothing is fetched: FETCH_SOURCES is off.")]


def test_one_failure_is_not_a_row(no_source: None) -> None:
    make_source("failing", error_count=1, last_error="gone")
    assert told(checks.sources(MORNING)) == [("warning", "Source “failing” has a failure: gone")]


def test_no_source_at_all(no_source: None) -> None:
    assert told(checks.sources(MORNING)) == [("warning", "No source is fetched.")]


def test_sources(no_source: None) -> None:
    Source.objects.all().delete()
    yesterday = MORNING - dt.timedelta(hours=20)
    make_source("well", last_success_at=yesterday)
    make_source("new")
    make_source("quiet", kind=Source.Kind.ARXIV, last_success_at=yesterday)
    make_source("forgotten", last_success_at=MORNING - dt.timedelta(days=3))
    make_source("odd", last_success_at=yesterday, last_warning="entry 3 passed over: it has no title")
    make_source("failing", error_count=3, last_error="feeds.example.org answered 503")
    make_source("paused", error_count=10, last_error="gone")
    make_source("off", is_enabled=False, error_count=10)
    make_source("files", url="", error_count=10)
    for slug, days in (("well", 3), ("quiet", 5), ("quiet", 11), ("paused", 30)):
        seen = MORNING - dt.timedelta(days=days)
        source = Source.objects.get(slug=slug)
        Edition.objects.create(source=source, date=seen.date(), size=9, first_seen_at=seen, last_seen_at=MORNING)
    assert told(checks.sources(MORNING)) == [
        ("warning", "Source “failing” has 3 failures in a row, the last: feeds.example.org answered 503"),
        ("problem", "Source “forgotten” was last asked on 2026-03-13 08:00 UTC."),
        ("warning", "Source “new” has brought nothing yet."),
        ("warning", "Source “odd”: entry 3 passed over: it has no title"),
        ("problem", "Source “paused” is paused after 10 failures in a row, the last: gone"),
        ("warning", "Source “quiet” has listed nothing since Wednesday 11 March."),
    ]
    Source.objects.exclude(slug__in=["well"]).update(is_enabled=False)
    assert told(checks.sources(MORNING)) == [("ok", "Sources: 1, all well.")]


@pytest.fixture
def deliver(db: None) -> Callable[..., Delivery]:
    """A delivery to a reader of its own."""
    count = iter(range(1000))

    def make(status: str, age: dt.timedelta, **columns: object) -> Delivery:
        reader = make_reader(f"r{next(count)}@example.org", "diffusion", next_digest_at=MORNING + 12 * HOUR)
        digest = Digest.objects.create(subscriber=reader, issue_date=MORNING.date(), created_at=MORNING - age)
        return Delivery.objects.create(digest=digest, status=status, **{"not_before": MORNING - age, **columns})

    return make


def test_mails_that_are_on_their_way_or_done_are_fine(deliver: Callable[..., Delivery]) -> None:
    minutes = dt.timedelta(minutes=1)
    deliver("waiting", 50 * minutes)
    deliver("sending", 3 * HOUR, claimed_until=MORNING + settings.MAIL_LEASE)
    deliver("sent", 5 * HOUR)
    deliver("failed", 25 * HOUR)
    deliver("unknown", 25 * HOUR)
    assert told(checks.deliveries(MORNING)) == [("ok", "No mail is late, failed or in doubt.")]


@pytest.mark.parametrize(("status", "columns", "expected"), [
    ("waiting", {}, ("problem", "Mails that have waited for over an hour: 1.")),
    ("waiting", {"not_before": MORNING + HOUR}, ("problem", "Mails that have waited for over an hour: 1.")),
    ("waiting", {"attempts": 2, "not_before": MORNING + HOUR},
     ("warning", "Mails put off by their servers, and tried again: 1.")),
    ("waiting", {"attempts": 2, "not_before": MORNING - 2 * HOUR},
     ("problem", "Mails that have waited for over an hour: 1.")),
    ("sending", {"claimed_until": MORNING - HOUR}, ("problem", "Mails in “sending” for over an hour: 1.")),
    ("failed", {}, ("warning", "Mails of the last 24 hours that failed: 1.")),
    ("unknown", {}, ("warning", "Mails of the last 24 hours that may or may not have arrived: 1.")),
])  # fmt: skip
def test_mails_in_trouble(
    deliver: Callable[..., Delivery], status: str, columns: dict[str, object], expected: tuple[str, str]
) -> None:
    deliver(status, 3 * HOUR, **columns)
    assert told(checks.deliveries(MORNING)) == [expected]


def test_readers_whose_hour_has_passed(alice: Subscriber) -> None:
    assert levels(checks.deliveries(MORNING + HOUR / 2)) == ["ok"]
    found = checks.deliveries(MORNING + 2 * HOUR)
    assert told(found) == [("problem", "Readers due for over an hour: 1.")]


# --- settings
def test_a_public_site_in_order(public: Any) -> None:
    assert told(checks.configuration()) == [("ok", "The settings go together.")]
    assert told(checks.senders()) == [("ok", "The senders' addresses are good.")]


@pytest.mark.parametrize(("changed", "level", "says"), [
    ({"EMBEDDED_MAIL": True}, "problem", "no mail server is set"),
    ({"SITE_URL": "http://papers.example.org"}, "warning", "not encrypted"),
    ({"POSTAL_ADDRESS": ""}, "warning", "POSTAL_ADDRESS is not set"),
    ({"DEBUG": True}, "problem", "DEBUG is on"),
    ({"EMAIL_BACKEND": POSTMARK, "ANYMAIL": {}}, "warning", "ANYMAIL_WEBHOOK_SECRET is not set"),
    ({"EMAIL_BACKEND": POSTMARK, "ANYMAIL": {}}, "problem", "but ANYMAIL_POSTMARK_SERVER_TOKEN is not set"),
    ({"EMAIL_BACKEND": RESEND, "ANYMAIL": {"RESEND_API_KEY": "x"}}, "warning", "(or ANYMAIL_RESEND_SIGNING_SECRET)"),
    ({"EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend", "ANYMAIL": {"MAILGUN_SENDER_DOMAIN": "x"}},
     "problem", "Mailgun is chosen, but ANYMAIL_MAILGUN_API_KEY is not set"),
])  # fmt: skip
def test_settings_that_do_not_go_together(public: Any, changed: dict[str, object], level: str, says: str) -> None:
    for name, value in changed.items():
        setattr(public, name, value)
    assert any(found == level and says in what for found, what in told(checks.configuration()))


def test_files_that_everybody_can_read(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    settings.BASE_DIR, settings.DKIM_PRIVATE_KEY = folder, str(folder / "dkim.pem")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(folder / "db.sqlite3"))
    names = [".env", "dkim.pem", *(["db.sqlite3"] if connection.vendor == "sqlite" else [])]
    try:
        for name in names:
            (folder / name).touch()
            (folder / name).chmod(0o644)
        assert sorted(told(checks.files())) == [
            ("warning", f"Everybody on this machine can read {folder / name}.") for name in sorted(names)
        ]
        for name in names:
            (folder / name).chmod(0o640)
        assert levels(checks.files()) == ["ok"]
        (folder / ".env").chmod(0o644)
        folder.chmod(0o700)  # what cannot be reached cannot be read
        assert levels(checks.files()) == ["ok"]
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("values", [
    {"EMAIL_BACKEND": POSTMARK, "ANYMAIL": {"POSTMARK_SERVER_TOKEN": "x", "WEBHOOK_SECRET": "a:b"}},
    {"EMAIL_BACKEND": RESEND, "ANYMAIL": {"RESEND_API_KEY": "x", "RESEND_SIGNING_SECRET": "whsec_x"}},
    {"EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend", "ANYMAIL": {"MAILGUN_API_KEY": "x"}},
    {"EMAIL_BACKEND": "anymail.backends.amazon_ses.EmailBackend", "ANYMAIL": {"WEBHOOK_SECRET": "a:b"}},
])  # fmt: skip
def test_a_provider_in_order(public: Any, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(public, name, value)
    assert told(checks.configuration()) == [("ok", "The settings go together.")]


def test_the_address_to_give_the_provider_is_said(public: Any) -> None:
    public.EMAIL_BACKEND, public.ANYMAIL = RESEND, {"RESEND_API_KEY": "x"}
    (finding,) = checks.configuration()
    assert "https://user:password@papers.example.org/webhooks/resend/tracking/" in finding.do


@pytest.mark.parametrize(("name", "address", "level", "says"), [
    ("DEFAULT_FROM_EMAIL", "us@mail.example.org", "ok", "addresses are good"),
    ("DEFAULT_FROM_EMAIL", "us@elsewhere.net", "warning", "lead to papers.example.org"),
    ("DEFAULT_FROM_EMAIL", "lab.papers@gmail.com", "problem", "only gmail.com may send from"),
    ("TRANSACTIONAL_FROM_EMAIL", "Other name <Papers@Papers.example.org>", "warning", "come from the same address"),
    ("DEFAULT_FROM_EMAIL", "papers@127.0.0.1", "problem", "DEFAULT_FROM_EMAIL has no domain that others know"),
    ("DEFAULT_FROM_EMAIL", "papers.example.org", "problem", "DEFAULT_FROM_EMAIL has no domain that others know"),
    ("DEFAULT_FROM_EMAIL", "nonsense", "problem", "DEFAULT_FROM_EMAIL has no domain that others know"),
    ("TRANSACTIONAL_FROM_EMAIL", "hello@localhost", "problem", "TRANSACTIONAL_FROM_EMAIL has no domain"),
])  # fmt: skip
def test_senders(public: Any, name: str, address: str, level: str, says: str) -> None:
    setattr(public, name, address)
    ((found, what),) = told(checks.senders())
    assert (found, says in what) == (level, True)


def test_mailguns_domain_and_the_senders(public: Any) -> None:
    public.ANYMAIL = {"MAILGUN_SENDER_DOMAIN": "mg.other.org"}
    assert levels(checks.senders()) == ["problem", "problem"]
    public.ANYMAIL = {"MAILGUN_SENDER_DOMAIN": "mg.example.org"}
    assert levels(checks.senders()) == ["ok"]


def test_a_local_site_may_send_from_where_it_is(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL, settings.TRANSACTIONAL_FROM_EMAIL = "a@127.0.0.1", "b@127.0.0.1"
    assert levels(checks.senders()) == ["ok"]


# --- the mail server
def test_a_mail_server_is_greeted_and_gets_no_mail(smtp_server: Server) -> None:
    before = smtp_server.connections
    assert told(checks.mail_server()) == [("ok", f"The mail server 127.0.0.1:{smtp_server.port} answers.")]
    assert (smtp_server.connections - before, smtp_server.accepted) == (1, [])


def test_a_mail_server_without_the_tls_that_is_asked_for(smtp_server: Server, settings: Any) -> None:
    settings.EMAIL_USE_TLS = True
    ((level, what),) = told(checks.mail_server())
    assert (level, "offers no STARTTLS" in what) == ("problem", True)


def test_a_mail_server_that_is_not_there(smtp_server: Server, settings: Any) -> None:
    settings.EMAIL_PORT, settings.EMBEDDED_MAIL = 9, False
    (finding,) = checks.mail_server()
    assert finding.level is Level.PROBLEM
    assert finding.do == "Start it, or correct EMAIL_URL."


@pytest.mark.parametrize("greeting", [b"", b"554 Go away\r\n", b"\xff\xfe\r\n"])
def test_a_mail_server_that_is_silent_or_rude(
    smtp_server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(outside, "SMTP_WAIT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_PORT = listener.getsockname()[1]
        threading.Thread(target=lambda: listener.accept()[0].sendall(greeting), daemon=True).start()
        assert levels(checks.mail_server()) == ["problem"]


def test_a_providers_backend_is_not_connected_to(settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    assert checks.mail_server() == []


# --- DNS: a real server on loopback
class Names:
    """Answers from `records`: (name, kind) to texts; a name in `broken` fails, one in `silent` gets no answer."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                wire, client = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            question = query.question[0]
            name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
            self.asked.append((name, kind))
            if name not in self.silent:
                self.socket.sendto(self._answer(query, name, kind).to_wire(), client)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        texts = self.records.get((name, kind), [])
        if texts:
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *texts))
        elif name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in {known for known, _ in self.records}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


GOOD = {
    ("papers.example.org", "MX"): ["10 mail.example.org."],
    ("papers.example.org", "TXT"): ['"google-site-verification=x"', '"v=spf1 include:" "mail.example.net -all"'],
    ("_dmarc.papers.example.org", "TXT"): ['"v=DMARC1; p=none"'],
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, public: Any) -> Iterator[Names]:
    """The only name server there is."""
    server = Names()
    server.records = dict(GOOD)

    def configure(resolver: dns.resolver.Resolver, _: object) -> None:
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.port

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", configure)
    monkeypatch.setattr(outside, "DNS_WAIT", 0.4)
    yield server
    server.socket.close()


def test_names_in_order(names: Names) -> None:
    assert levels(checks.name_records()) == ["ok", "ok", "ok"]
    assert names.asked == list(GOOD)


def test_a_local_site_looks_nothing_up(names: Names, settings: Any) -> None:
    settings.SITE_IS_LOCAL = True
    assert checks.name_records() == []
    assert names.asked == []


def test_an_address_does_where_there_is_no_mx(names: Names) -> None:
    del names.records["papers.example.org", "MX"]
    names.records["papers.example.org", "AAAA"] = ["2001:db8::1"]
    assert checks.name_records()[0].level is Level.OK


def test_a_subdomain_is_under_the_dmarc_record_above_it(names: Names) -> None:
    names.records["_dmarc.example.org", "TXT"] = names.records.pop(("_dmarc.papers.example.org", "TXT"))
    assert levels(checks.name_records()) == ["ok", "ok", "ok"]
    assert ("_dmarc.org", "TXT") not in names.asked


def test_what_is_missing_is_told_with_what_to_publish(names: Names) -> None:
    names.records = {("papers.example.org", "MX"): ["0 ."]}
    found = checks.name_records()
    assert levels(found) == ["problem", "problem", "problem"]
    assert "neither MX nor A record" in found[0].what
    assert "v=spf1 mx -all" in found[1].do
    assert "v=DMARC1; p=none; rua=mailto:" in found[2].do


def test_two_spf_records_count_as_none(names: Names) -> None:
    names.records["papers.example.org", "TXT"] = ['"v=spf1 -all"', '"v=spf1 mx -all"', '"v=spf10"']
    assert "has 2 SPF records" in checks.name_records()[1].what


@pytest.mark.parametrize("how", ["broken", "silent"])
def test_a_look_up_without_an_answer_is_a_warning(names: Names, how: str) -> None:
    names.records.clear()
    setattr(names, how, {"papers.example.org", "_dmarc.papers.example.org"})
    found = checks.name_records()
    assert levels(found) == ["warning", "warning", "warning"]
    assert all("could not be looked up" in one.what for one in found)


def test_a_machine_without_name_servers(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(resolver: object, _: object) -> None:
        raise dns.resolver.NoResolverConfiguration("cannot open /etc/resolv.conf")

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", fails)
    assert levels(checks.name_records()) == ["warning", "warning", "warning"]


def test_a_domain_that_is_none(names: Names, public: Any) -> None:
    public.DEFAULT_FROM_EMAIL = f"x@{'y' * 70}.example.org"
    public.TRANSACTIONAL_FROM_EMAIL = "x@a..b"
    assert set(levels(checks.name_records())) == {"warning"}


# --- the command
def run(*flags: str) -> tuple[str, int]:
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", *flags, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    return out.getvalue(), code


def test_fast_asks_neither_the_mail_server_nor_dns(db: None, names: Names, smtp_server: Server) -> None:
    before = smtp_server.connections
    _, code = run("--fast")
    assert (smtp_server.connections - before, names.asked) == (0, [])
    assert code == 1  # no Redis in this test
    run()
    assert smtp_server.connections == before + 1
    assert names.asked


def test_without_a_problem_the_exit_code_is_0(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    well = [checks.ok("Fine."), checks.warning("A source said\n\x1b[31mboo.", "Look at it.")]
    monkeypatch.setattr(checks, "examine", lambda clock, fast: iter(well))
    assert run() == ("✓ Fine.\n! A source said  [31mboo.\n  Look at it.\n1 ok, 1 warning, 0 problems.\n", 0)
    well.append(checks.problem("Broken.", "Mend it."))
    out, code = run()
    assert out.endswith("✗ Broken.\n  Mend it.\n1 ok, 1 warning, 1 problem.\n")
    assert code == 1


def test_an_error_of_the_checks_does_not_keep_it_from_looking(tmp_path: Path) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path), "SITE_URL": "http://papers.example.org", "DATABASE_URL": ""}
    command = [sys.executable, "manage.py", "doctor", "--fast"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert "✗ SITE_URL is public (http://papers.example.org), but no mail server is set" in done.stdout
    assert "✗ The database lacks" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
