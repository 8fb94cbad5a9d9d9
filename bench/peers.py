"""What others would do for the same readers: plain Django done well, django-post_office, postfix's own smtp-source."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from bench import mailers
from digest.mail.rendering import Press, compose, digest_context, headers, subject
from digest.mail.rendering.renderer import _render
from digest.models import Delivery, Digest, Lane, Paper, Pick
from digest.picks.evidence import Evidence, describe
from subscriptions.interests.words import fold, split, stem
from subscriptions.models import InterestLine, Subscriber

READERS, LETTERS, EXAMPLES = 100, 10_000, 51
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Peer:
    mails: int
    wall: float
    cpu: float

    def __add__(self, other: Peer) -> Peer:
        return Peer(self.mails + other.mails, self.wall + other.wall, self.cpu + other.cpu)

    @property
    def rate(self) -> float:
        return self.mails / self.wall

    @property
    def microseconds(self) -> float:
        return self.cpu / self.mails * 1e6


def _timed(run: Callable[[], object], mails: int) -> Peer:
    wall, cpu = time.perf_counter(), _cpu()
    run()
    return Peer(mails, time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def plain_django(port: int, number: int) -> Peer:
    """Papers' words taken once, and not counted; for each reader their lines looked up in all papers, cached templates
    rendered, Django's mail built and sent over one connection, and a row saved each. Our own templates and words of a
    mail. `number`: 0 for the first READERS, 1 for the next ...
    """
    readers = list(Subscriber.objects.order_by("-pk")[number * READERS : (number + 1) * READERS])
    now = timezone.now() + DAY  # a date of which nobody has a digest yet
    connection = EmailBackend("127.0.0.1", port)
    papers = [(paper, _stems(f"{paper.title} {paper.abstract}")) for paper in Paper.objects.all()]

    def run() -> None:
        connection.open()
        for reader in readers:
            _send_one(reader, papers, connection, now)
        connection.close()

    return _timed(run, len(readers))


def _stems(text: str) -> set[str]:
    return {stem(fold(word)) for word, _, _ in split(text)}


def _send_one(
    reader: Subscriber, papers: list[tuple[Paper, set[str]]], connection: EmailBackend, now: dt.datetime
) -> None:
    lines = InterestLine.objects.filter(subscriber=reader).values_list("typed", flat=True)
    wanted = [(line, _stems(line)) for line in lines]
    found = [(sum(want <= held for _, want in wanted), paper) for paper, held in papers]
    best = sorted(found, key=lambda one: (-one[0], -one[1].upvotes))[: reader.max_papers]
    picks = [Pick(paper.pk, Lane.INTERESTS, round(100 * score), 0) for score, paper in best]
    digest = Digest.objects.create(subscriber=reader, issue_date=now.date(), created_at=now, picks=picks)
    row = Delivery.objects.create(digest=digest, not_before=now)
    items = describe(picks, Evidence(), {paper.pk: paper for _, paper in best})
    values = digest_context(digest, reader, items)
    mail = EmailMultiAlternatives(
        subject(values["items"]), _render("text", values), settings.DEFAULT_FROM_EMAIL, [reader.email],
        headers=headers(digest, reader, now), connection=connection,
    )  # fmt: skip
    mail.attach_alternative(_render("html", values), "text/html")
    mail.send()
    row.status, row.sent_at = Delivery.Status.SENT, now
    row.save(update_fields=["status", "sent_at"])


@dataclass(frozen=True)
class Example:
    """One of the mails that were sent, for those who are given theirs: ready parts, or as many bytes."""

    text: str
    html: str
    size: int


def example() -> Example:
    """Of median size among the latest."""
    digests = Digest.objects.exclude(papers="").select_related("subscriber").order_by("-pk")[:EXAMPLES]
    press, now = Press(), timezone.now()
    by_size = sorted(((len(press.letter(digest, now).data), digest) for digest in digests), key=lambda one: one[0])
    size, digest = by_size[len(by_size) // 2]
    mail = compose(digest, now)
    return Example(str(mail.body), str(mail.alternatives[0].content), size)


def post_office(port: int, mail: Example, processes: int) -> Peer | None:
    """Queued and sent by django-post_office, which is in requirements-dev.txt; None where it is not there. Its usual
    is one process, each with five threads.

    In a process of its own, for its tables: its start is not counted, its line says what was.
    """
    if importlib.util.find_spec("post_office") is None:
        return None
    own = {"DJANGO_SETTINGS_MODULE": "bench.with_post_office", "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    command = [sys.executable, "-W", "ignore", "-m", "bench.with_post_office", str(processes)]
    given = json.dumps([mail.text, mail.html])
    done = subprocess.run(  # noqa: S603
        command, env=os.environ | own, check=True, input=given, capture_output=True, text=True
    )
    mails, wall, cpu = done.stdout.splitlines()[-1].split()
    return Peer(int(mails), float(wall), float(cpu))


def smtp_source(port: int, mail: Example) -> Peer | None:
    if not mailers.unpack():
        return None
    command = mailers.smtp_source(port, LETTERS, mail.size)

    def run() -> None:
        subprocess.run(command, env=mailers.environment(), check=True, capture_output=True)  # noqa: S603

    return _timed(run, LETTERS)
