"""What subscribers said of papers, and the taste it teaches."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from digest.models import Digest, Feedback
from digest.models.picks import paper_ids
from digest.relevance.ranking.corpus import Corpus
from digest.relevance.ranking.packed_columns import among
from digest.relevance.ranking.taste import LESS, MORE, PASSED_OVER, Taste
from subscriptions.models import InterestLine

REMEMBERED = 200  # papers a subscriber gave feedback on, the latest; earlier taste fades with their number
PASSED_OVER_FOR = dt.timedelta(days=30)

Words = Mapping[int, Mapping[int, float]]  # by subscriber and paper: MORE, LESS or PASSED_OVER


def read(subscribers: Sequence[int], now: dt.datetime) -> Words:
    """Return the feedback that stands at this moment, and what was passed over beside it.

    A digest without any feedback may not have been opened: what it held was not passed over.
    """
    words: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Feedback.objects.filter(subscriber__in=among(subscribers), undone_at=None, at__lte=now)
    rows = rows.order_by("-at", "-pk")
    for subscriber, paper, kind in rows.values_list("subscriber_id", "paper_id", "kind"):
        if len(words[subscriber]) < REMEMBERED:
            words[subscriber].setdefault(paper, LESS if kind == Feedback.Kind.LESS else MORE)
    since = now.date() - PASSED_OVER_FOR
    digests = Digest.objects.filter(subscriber__in=list(words), issue_date__gte=since, created_at__lte=now)
    for subscriber, picks in digests.order_by("-issue_date", "-pk").values_list("subscriber_id", "packed_picks"):
        held = paper_ids(bytes(picks))
        if any(words[subscriber].get(paper) for paper in held):
            for paper in held[: 2 * REMEMBERED - len(words[subscriber])]:
                words[subscriber].setdefault(paper, PASSED_OVER)
    return words


def tastes(words: Words, corpus: Corpus) -> dict[int, Taste]:
    """Return the taste of each subscriber that this feedback teaches something about."""
    if not words:
        return {}
    lines: dict[int, list[str]] = defaultdict(list)
    printed: dict[str, str] = {}
    rows = InterestLine.objects.filter(subscriber__in=list(words), interest__is_mute=False)
    for subscriber, typed, text in rows.order_by("subscriber_id", "position").values_list(
        "subscriber_id", "typed", "interest__text"
    ):
        lines[subscriber].append(typed)
        printed[typed] = text
    corpus.close(printed)  # how far lines are to be trusted is asked of what they are close to
    return corpus.tastes(words, lines)
