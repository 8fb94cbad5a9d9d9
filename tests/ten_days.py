"""A service after ten days: lists whose upvotes grew, readers in every state, a digest and what was said of it.

Runs inside the service: `manage.py shell -c "from tests import ten_days; ten_days.fill()"` prints addresses as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from digest import links
from digest.models import Digest, Feedback, Paper
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.sources import kinds
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.relevance import match_papers
from subscriptions import emails, signup
from subscriptions import links as own_links
from subscriptions.models import Subscriber

SAMPLE = Path(ingest.__file__).parents[1] / "sample" / "edition.json"
LINES = ("diffusion", '"chain of thought" OR reasoning', "(image OR video) generation", "-survey")
PASSWORD = "only for this test"
NEW_TODAY, NEW_A_DAY = 16, 4
READER, PENDING, PAUSED, GONE = (f"{name}@example.org" for name in ("ada", "grace", "emmy", "mary"))


def fill() -> None:
    """Fill an empty service whose mail catcher runs; prints what a visitor must know as JSON."""
    now = timezone.now()
    _store_papers(now)
    readers = {address: _sign_up(address, now) for address in (READER, PENDING, PAUSED, GONE)}
    emails.send_notices(now)
    for address in (READER, PAUSED, GONE):
        signup.confirm(readers[address], page="/", now=now)
    readers[PAUSED].pause(now + dt.timedelta(days=9), now)
    signup.leave(readers[GONE], page="/", now=now)
    Subscriber.objects.filter(email=READER).update(next_digest_at=now)
    User.objects.create_superuser("admin", password=PASSWORD)
    call_command("send_digests", verbosity=0)
    print(json.dumps(_links(readers, Digest.objects.get(), now)))


def _store_papers(now: dt.datetime) -> None:
    """Ten lists, the last of today; a paper stays for three days and gathers upvotes."""
    rows = kinds.parse(SAMPLE.read_bytes()).listings
    lists = [rows[:NEW_TODAY]]
    lists += [rows[start : start + NEW_A_DAY] for start in range(NEW_TODAY, len(rows), NEW_A_DAY)]
    for back in range(len(lists) - 1, -1, -1):
        again = lists[back + 1 : back + 3]
        of_day = [_at(row, row.upvotes or 0) for row in lists[back]]
        of_day += [_at(row, (row.upvotes or 0) * 2 * (1 + age)) for age, rows in enumerate(again) for row in rows]
        numbered = tuple(replace(row, rank=rank) for rank, row in enumerate(of_day, 1))
        seen = Circumstances(now=now - dt.timedelta(days=back))
        storage.store(ingest.huggingface(), ParsedEdition(listings=numbered), seen)
    match_papers.match_new(now)


def _at(row: ParsedListing, upvotes: int) -> ParsedListing:
    return replace(row, upvotes=upvotes, listed_on=None)


def _sign_up(address: str, now: dt.datetime) -> Subscriber:
    signup.sign_up(address, signup.Preferences(lines=LINES, trending_share=30), page="/", now=now)
    return Subscriber.objects.by_address(address).get()


def _links(readers: dict[str, Subscriber], digest: Digest, now: dt.datetime) -> dict[str, str]:
    reader, said = readers[READER], links.feedback(digest)
    first, second, third = digest.paper_ids[:3]
    for paper, kind in ((first, Feedback.Kind.SAVE), (second, Feedback.Kind.SAVE), (second, Feedback.Kind.MORE)):
        Feedback.objects.create(subscriber=reader, paper_id=paper, kind=kind, at=now)
    plotted = Paper.objects.filter(listings__edition__date=now.date() - dt.timedelta(days=3)).order_by("-upvotes")
    return {
        "reader": READER,
        "pending": PENDING,
        "password": PASSWORD,
        "paper": plotted[0].get_absolute_url(),
        "confirm": own_links.confirm(readers[PENDING]),
        "preferences": own_links.access(reader),
        "preferences link": own_links.preferences(reader),
        "preferences paused": own_links.access(readers[PAUSED]),
        "preferences unsubscribed": own_links.access(readers[GONE]),
        "unsubscribe": own_links.unsubscribe(reader),
        "web copy": links.web_copy(digest),
        "feedback": f"{said}?paper={third}&say=more",
        "feedback noted": f"{said}?paper={second}&say=more",
        "mute": f"{said}?paper={first}&say=mute",
        "day": reverse("digest:archive", args=[now.date() - dt.timedelta(days=3)]),
        "week": reverse("digest:week", args=[now.date() - dt.timedelta(days=3)]),
        "month": reverse("digest:month", args=[now.date()]),
    }
