"""One reader's mail to wire bytes, beside Django's own parts of it."""

from __future__ import annotations

from django.template.loader import get_template
from django.utils import timezone

from bench.measure import Case
from digest import ingest, percolation, selecting
from digest.composing import compose, context
from digest.models import Digest
from digest.sample import PATH
from subscriptions.models import Subscriber

MAILS = 40


def cases() -> list[Case]:
    now = timezone.now()
    ingest.ingest_location(str(PATH), now)
    reader = Subscriber.objects.at_address("bench@example.org")
    reader.status, reader.next_digest_at = Subscriber.Status.ACTIVE, now
    reader.save()
    reader.set_lines(["model", "learning OR training"])
    percolation.match_new(now)
    selecting.select_due(now)
    digest = Digest.objects.select_related("subscriber").get()

    def ours() -> None:
        for _ in range(MAILS):
            compose(digest, now).message().as_bytes(linesep="\r\n")

    def templates() -> None:
        for _ in range(MAILS):
            values = context(digest, digest.subscriber, digest.picks_with_papers())
            get_template("emails/digest.html", using="html").render(values)
            get_template("emails/digest.txt", using="text").render(values)

    group = f"compose a mail of {len(digest.picks)} papers"
    return [
        Case(group, "compose to wire bytes", ours, MAILS, "mail"),
        Case(group, "of which the two templates", templates, MAILS, "mail"),
    ]
