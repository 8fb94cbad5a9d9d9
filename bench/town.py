"""A service with papers, interests and very many readers with lines of their own, in the database of the settings."""

from __future__ import annotations

import datetime as dt

import numpy as np
from django.db import transaction

from bench import corpus
from digest.models import Delivery
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.relevance import match_papers
from subscriptions.interests import canonical
from subscriptions.models import Interest, InterestLine, Subscriber

PAPERS, INTERESTS, PICKS = 200, 1_200, 10
BATCH = 5_000
SUNDAY = 7


def build(readers: int, now: dt.datetime, trending_share: int = 50) -> list[int]:
    """Store it all, matched, with nobody due. The ids of the readers. With half of a mail for what trends it holds its
    ten papers whatever its reader's lines find.
    """
    rows = corpus.papers(PAPERS)
    listings = tuple(
        ParsedListing(
            title=str(row["title"]), abstract=str(row["abstract"]), authors=tuple(row["authors"]),  # type: ignore[arg-type]
            rank=rank, upvotes=PAPERS - rank, arxiv_id=f"2603.{rank:05}",
        )
        for rank, row in enumerate(rows, 1)
    )  # fmt: skip
    storage.store(ingest.huggingface(), ParsedEdition(listings=listings), Circumstances(now=now))
    nodes = corpus.interests(rows, INTERESTS)
    with transaction.atomic():
        by_key = Interest.objects.take(nodes)
        Interest.objects.want([interest.pk for interest in by_key.values()])
    made = [by_key[canonical.key(node)] for node in nodes]
    typed = [str(node) for node in nodes]
    wants = corpus.readers(readers, np.arange(len(made)))
    ids: list[int] = []
    for start in range(0, readers, BATCH):
        numbers = range(start, min(start + BATCH, readers))
        some = Subscriber.objects.bulk_create([_reader(number, trending_share, now) for number in numbers])
        ids += [reader.pk for reader in some]
        InterestLine.objects.bulk_create(
            [
                InterestLine(subscriber=reader, interest=made[place], typed=typed[place], position=position)
                for number, reader in zip(numbers, some, strict=True)
                for position, place in enumerate(wants.items[wants.ends[number] : wants.ends[number + 1]])
            ],
            batch_size=2_000,
        )
    match_papers.match_new(now)
    match_papers.match_interests(now)
    return ids


def _reader(number: int, trending_share: int, now: dt.datetime) -> Subscriber:
    """Whose next mail is not the last of a week, which would hold what there was no room for too: a Sunday's run is as
    any other.
    """
    address, active = f"reader{number}@example.org", Subscriber.Status.ACTIVE
    zone = "Etc/GMT+12" if now.isoweekday() == SUNDAY else "UTC"  # where it is noon of Sunday by the end of ours
    return Subscriber(
        email=address, email_key=address, status=active, max_papers=PICKS, trending_share=trending_share,
        time_zone=zone, hour=23,
    )  # fmt: skip


def make_due(ids: list[int], now: dt.datetime) -> None:
    for start in range(0, len(ids), BATCH):
        Subscriber.objects.filter(pk__in=ids[start : start + BATCH]).update(next_digest_at=now)


def is_busy(now: dt.datetime) -> bool:
    """Whether anybody was due at `now` and was not chosen for, or a mail waits. Cheap: it is asked while all work."""
    waits = Delivery.objects.filter(status__in=[Delivery.Status.WAITING, Delivery.Status.SENDING])
    return Subscriber.objects.due(now).exists() or waits.exists()
