"""How many papers each of a reader's lines finds, and what that means for their mail. Reads only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext, ngettext

from digest.models import Match, Paper
from digest.picks.preview.digest_preview import PREVIEW_DAYS, line_counts
from digest.relevance.match_papers import RECENT_DAYS
from digest.relevance.ranking.closeness import is_prose
from subscriptions.interests.parser import InterestError, parse
from subscriptions.models import InterestLine, Subscriber

A_DAY = 3  # papers; below that a week is the better measure
WIDE_OF = 20  # papers below which nothing is said of a line's width: as in the preview
WIDE_SHARE = 3  # a line is wide that finds more than one paper of so many


@dataclass(frozen=True, slots=True)
class Rate:
    """What a line finds: of `of` papers of the last days so many, and whether it ever found one."""

    typed: str
    papers: int
    of: int
    is_mute: bool = False
    is_prose: bool = False
    never: bool = False  # none in the last RECENT_DAYS either

    @property
    def is_wide(self) -> bool:
        return not self.is_mute and self.of >= WIDE_OF and self.papers * WIDE_SHARE > self.of

    @property
    def said(self) -> str:
        """In the reader's words."""
        if self.is_mute:
            said = gettext("keeps away %(papers)s of %(of)s papers a week") % {"papers": self.papers, "of": self.of}
            return said if self.papers else gettext("keeps nothing away yet")
        if self.is_prose:
            return gettext("a sentence: papers like it come")
        if self.never:
            return gettext("none in the last %(days)s days: is it what papers call it?") % {"days": RECENT_DAYS}
        if not self.papers:
            return gettext("none in the last %(days)s days") % {"days": PREVIEW_DAYS}
        said = gettext("about %(rate)s: narrow it") if self.is_wide else gettext("about %(rate)s")
        return said % {"rate": rate(self.papers)}


def rate(papers: int, days: int = PREVIEW_DAYS) -> str:
    """Return how many papers come a day or a week: "3 papers a week", "23 papers a day"."""
    if papers >= A_DAY * days:
        daily = round(papers / days)
        return ngettext("%(count)s paper a day", "%(count)s papers a day", daily) % {"count": daily}
    weekly = round(papers * 7 / days)
    return ngettext("%(count)s paper a week", "%(count)s papers a week", weekly) % {"count": weekly}


def rates(reader: Subscriber, now: dt.datetime) -> list[Rate]:
    """One for each line, in order. Lines so new that they are not matched yet are counted as a preview does."""
    lines = list(reader.interest_lines.select_related("interest").order_by("position"))
    week, month = _found(lines, now, PREVIEW_DAYS), _found(lines, now, RECENT_DAYS)
    of = Paper.objects.fresh(now, days=PREVIEW_DAYS).count()
    new = _previewed([line.typed for line in lines if line.interest.matched_at is None], now)
    return [
        Rate(
            line.typed,
            new[line.typed] if line.typed in new else week.get(line.interest_id, 0),
            of,
            is_mute=line.interest.is_mute,
            is_prose=is_prose(line.typed),
            never=not line.interest.is_mute and line.typed not in new and not month.get(line.interest_id),
        )
        for line in lines
    ]


def _found(lines: list[InterestLine], now: dt.datetime, days: int) -> dict[int, int]:
    """Papers of the last days by interest."""
    fresh = Paper.objects.fresh(now, days=days)
    rows = Match.objects.filter(interest__in=[line.interest_id for line in lines], paper__in=fresh)
    return dict(rows.order_by().values_list("interest").annotate(papers=Count("pk")))


def _previewed(typed: list[str], now: dt.datetime) -> dict[str, int]:
    readable = [line for line in typed if _can_be_read(line)]
    if not readable:
        return {}
    return {line.typed: line.papers for line in line_counts(readable, now)}


def _can_be_read(line: str) -> bool:
    try:
        parse(line)
    except InterestError:
        return False
    return True
