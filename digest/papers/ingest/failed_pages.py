"""Pages that could not be read, kept so that they can be read after a mend: `manage.py ingest --retry`."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import zlib
from collections.abc import Iterator

from digest.models import KeptPage, Source
from digest.papers import sandbox
from digest.papers.ingest.editions import Circumstances
from digest.papers.ingest.reading import Unreadable, Wanted
from digest.papers.ingest.storage import store
from digest.papers.sources.parsed import EmptyEdition, SourceError

logger = logging.getLogger(__name__)

KEPT = 20  # pages a source
MAX_PACKED = 4_000_000  # bytes; a larger page is not kept


def keep(source: Source, part: Wanted, error: Unreadable, now: dt.datetime) -> None:
    """Keep the page that could not be read, unless it is kept already; the oldest ones make room."""
    packed = zlib.compress(error.page.content)
    if len(packed) > MAX_PACKED:
        logger.warning("%s: the page is too large to be kept", error.page.url)
        return
    KeptPage.objects.update_or_create(
        source=source,
        content_hash=hashlib.sha256(error.page.content).hexdigest(),
        defaults={
            "url": error.page.url[:2000],
            "date": part.date,
            "is_backfill": part.backfill,
            "content": packed,
            "error": str(error)[:2000],
            "fetched_at": now,
        },
    )
    surplus = source.kept_pages.values_list("pk", flat=True)[KEPT:]
    KeptPage.objects.filter(pk__in=list(surplus)).delete()


def retry(sources: list[Source], now: dt.datetime) -> Iterator[tuple[KeptPage, str]]:
    """Read the kept pages of these sources again, oldest first; yields each and what came of it.

    One that can be read now is stored under the day it was fetched, and kept no longer.
    """
    for page in KeptPage.objects.filter(source__in=sources).select_related("source").order_by("fetched_at", "pk"):
        content = zlib.decompress(page.content)
        try:
            parsed = sandbox.parse(content, url=page.url, seconds=sandbox.HAND_IN_SECONDS).edition
        except EmptyEdition:
            page.delete()
            yield page, "it is rightly empty, and kept no longer."
            continue
        except SourceError as error:
            page.error = str(error)[:2000]
            page.save(update_fields=["error"])
            yield page, f"still cannot be read: {error}"
            continue
        date = page.date or parsed.date or page.fetched_at.date()
        how = Circumstances(now=now, date=date, backfill=page.is_backfill, page_hash=page.content_hash)
        outcome = store(page.source, parsed, how)
        page.delete()
        yield page, outcome.summary
