"""The main job, once, on real parts: Redis, a Celery worker, SMTP, the same pages a reader uses."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from bs4 import BeautifulSoup
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from digest import tasks as digest_tasks
from digest.mail.rendering.excerpts import shorten
from digest.mail.rendering.labels import label
from digest.models import Delivery, Digest, Match
from digest.papers.ingest.ingest import ingest_location
from digest.papers.ingest.storage import Outcome
from digest.picks.evidence import TRENDING, describe_digests
from embedded import mailbox
from embedded.management.commands.run import programs
from embedded.supervisor import Child, Printer
from subscriptions import tasks as subscription_tasks
from subscriptions.models import Subscriber

PATIENCE = 60.0  # seconds for any one step; a step takes one or two


class DemoError(Exception):
    """What did not work, in one line."""


class Say(Protocol):
    def __call__(self, line: str = "") -> None: ...


@dataclass(frozen=True)
class Reader:
    """Somebody who signs up."""

    address: str
    lines: tuple[str, ...]
    trending_share: int = 0


READERS = (
    Reader("ada@example.org", ('"chain of thought" OR reasoning', "LLM agents", "-survey")),
    Reader("grace@example.org", ("diffusion", "(image OR video) generation", "title:segmentation")),
    Reader("alan@example.org", ("fine-tuning", "quantization OR pruning", "benchmark -robotics"), 30),
)


def play(source: str, say: Say) -> None:
    """Run the whole job and report it line by line. Raises SourceError, DemoError."""
    started = time.monotonic()
    say("A database, Redis, a worker and a mail catcher are set up for the demo: half a minute or so ...")
    forget_the_last_time()
    call_command("migrate", interactive=False, verbosity=0)
    now = timezone.now()
    outcome = ingest_location(source, now, date=now.date())
    say(f"Papers   {outcome.summary}")
    for warning in outcome.warnings[:3]:
        say(f"         {warning}")
    with services():
        sign_up_all(say)
        send_all(say)
    report(outcome, say)
    say(f"Done in {time.monotonic() - started:.1f} s.")
    say()
    say(f"The mails       {settings.MAIL_CATCHER_DIR}/*.eml (open one in a mail program)")
    say("Look around     make run DATA_DIR=var/demo    the same data, with pages, mailbox and admin")
    say("Start afresh    make run                      then open http://127.0.0.1:8000")


def forget_the_last_time() -> None:
    """Each demo begins with an empty house: nobody is subscribed, nothing was sent."""
    for path in settings.DATA_DIR.glob("paper-round.sqlite3*"):
        path.unlink()
    for path in settings.MAIL_CATCHER_DIR.glob("*"):
        path.unlink()
    (settings.DATA_DIR / "redis.rdb").unlink(missing_ok=True)


@contextmanager
def services() -> Iterator[None]:
    """Redis, the mail catcher and the workers, for as long as the block lasts; what they say goes to a file."""
    wanted = [program for program in programs(settings.PORT) if program.name in ("redis", "mail", "worker", "papers")]
    token = secrets.token_hex(16)
    with (settings.DATA_DIR / "demo.log").open("w", encoding="utf-8") as log:
        children = [Child(program, Printer(log, 10)) for program in wanted]
        try:
            for child in children:
                child.start(settings.BASE_DIR, token)
                wait_until(child.program.ready, f"{child.program.name} to start")
            yield
        finally:
            for child in reversed(children):
                child.end(5, lambda: False)


def sign_up_all(say: Say) -> None:
    """Three readers fill in the form; the worker mails each; each opens the link and says yes."""
    for reader in READERS:
        fill_in_the_form(reader)
    subscription_tasks.send_notices.apply_async()
    wait_until(lambda: len(mails()) >= len(READERS), "the confirmation mails to arrive")
    for mail in mails():
        confirm(mail.name)
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE).count()
    if active != len(READERS):
        raise DemoError(f"{active} of {len(READERS)} readers are confirmed; {settings.DATA_DIR}/demo.log may say why.")
    say(f"Readers  {active} signed up on the form, got a confirmation by SMTP, opened its link and said yes")


def fill_in_the_form(reader: Reader) -> None:
    """As a browser does it: get the page, send its form back with its token."""
    browser = visitor()
    form = {
        "email": reader.address,
        "interests": "\n".join(reader.lines),
        "frequency": Subscriber.Frequency.DAILY,
        "hour": "8",
        "time_zone": "Europe/Berlin",
        "trending_share": str(reader.trending_share),
    }
    post(browser, "/subscribe/", form)


def confirm(name: str) -> None:
    """Open the link of a confirmation mail and press its button."""
    mail = mailbox.read(settings.MAIL_CATCHER_DIR, name)
    found = mail and re.search(r"https?://[^\s/]+(/confirm/\S+)", mail.text)
    if not found:
        raise DemoError("A confirmation mail came without its link.")
    post(visitor(), found.group(1), {})


def visitor() -> Client:
    return Client(enforce_csrf_checks=True, HTTP_HOST="127.0.0.1")


def post(browser: Client, path: str, form: dict[str, str]) -> None:
    """GET the page, POST the form with its token. Raises DemoError unless it was taken."""
    page = BeautifulSoup(browser.get(path).content, "lxml")
    token = page.find("input", attrs={"name": "csrfmiddlewaretoken"})
    if token is None:
        raise DemoError(f"The page {path.split('/')[1]} has no form.")
    answer = browser.post(path, form | {"csrfmiddlewaretoken": str(token["value"])})
    if answer.status_code != 302:
        raise DemoError(f"The form of {path.split('/')[1]} was answered with {answer.status_code}.")


def send_all(say: Say) -> None:
    """Wind the clock to the readers' hour and let the timetable look once, through the queue."""
    digest_tasks.match_new.apply_async()
    wait_until(lambda: not Subscriber.objects.filter(interests__matched_at=None).exists(), "the papers to be matched")
    say(f"Matches  {Match.objects.count()} between the readers' interests and the papers")
    Subscriber.objects.update(next_digest_at=timezone.now() - dt.timedelta(seconds=1))
    digest_tasks.send_due.apply_async()
    wait_until(all_is_sent, "the mails to be sent")
    counts = Delivery.objects.filter(status=Delivery.Status.SENT).count()
    wait_until(lambda: len(mails()) >= len(READERS) + counts, "the mails to arrive")
    say(f"Mails    {counts} sent by the worker over SMTP, {len(READERS) - counts} not needed")


def all_is_sent() -> bool:
    chosen = Digest.objects.count() == len(READERS)
    return chosen and not Delivery.objects.exclude(status=Delivery.Status.SENT).exists()


def report(outcome: Outcome, say: Say) -> None:
    """Who got what, and why."""
    files = {mail.to: mail.name for mail in reversed(mails())}
    for reader in READERS:
        digest = Digest.objects.select_related("subscriber").get(subscriber__email=reader.address)
        say()
        say(f"{reader.address}   {' · '.join(reader.lines)}")
        if not digest.has_picks:
            say("   nothing matched: no mail")
            continue
        say(f"   {settings.MAIL_CATCHER_DIR / files[reader.address]}.eml")
        for place, pick in enumerate(describe_digests([digest])[0], start=1):
            say(f"   {place:>2}. {shorten(pick['paper'].title, 96)}")
            say(f"       {why(pick)}")
    say()


def _because(reason: dict[str, Any]) -> str:
    """The line, and the words it found."""
    return f"{reason['line']} → {', '.join(reason['words'])}" if reason["words"] else label(reason)


def why(pick: dict[str, object]) -> str:
    """Return the reasons as a sum: "diffusion: Diffusion (4.87) + trend (0.08) = 4.95"."""
    reasons = pick["reasons"]
    assert isinstance(reasons, list)
    parts = [f"{_because(reason)} ({reason['points']})" for reason in reasons]
    if pick["lane"] == TRENDING:
        return "trending anyway, matches none of the interests"
    if pick["trend"]:
        parts.append(f"trend ({pick['trend']})")
    return " + ".join(parts) + f" = {pick['points']} points"


def mails() -> list[mailbox.Summary]:
    """What the catcher holds, newest first."""
    return mailbox.messages(settings.MAIL_CATCHER_DIR, 100)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Look again and again. Raises DemoError when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise DemoError(f"Waited {PATIENCE:.0f} s for {what}; {settings.DATA_DIR}/demo.log says what happened.")
        time.sleep(0.05)
