"""While somebody types: what each line finds, whether it is too wide or finds nothing, and what to write instead."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from digest.mail.rendering import show
from digest.models import Paper
from digest.picks.preview.digest_preview import PREVIEW_DAYS, found_by, pick_of, preview, recent_papers, with_papers
from digest.picks.preview.interest_counts import WIDE_OF, WIDE_SHARE, rate
from digest.relevance.match_papers import RECENT_DAYS
from digest.relevance.matching.postings import Postings
from digest.relevance.ranking.closeness import is_prose
from subscriptions.edit_interests import MAX_LINES
from subscriptions.forms import SignupForm
from subscriptions.interest_form import MAX_TYPED, LineError, typed_lines
from subscriptions.interests import language
from subscriptions.interests.language import And, Node, Not, Word, unpinned
from subscriptions.interests.parser import InterestError, parse
from subscriptions.interests.words import split
from subscriptions.limits import client_network, is_over
from subscriptions.workload import Refused, computing

EXAMPLES, BEST = 2, 3  # papers shown of a line, and of the mail
MOST_SAID = 4  # faults named one by one to who listens to the page
MAIL_HOLDS = 10  # papers a day; a line that finds more fills the mail alone
MOST_WORDS = 6  # of a line that found nothing, of which one at a time is left out
LIMIT, LIMIT_IN = 600, 600  # of one network, in so many seconds


@dataclass(frozen=True, slots=True)
class Found:
    """What one line would have brought."""

    number: int  # of the line in the field, from 1
    typed: str
    week: int = 0  # papers of the last PREVIEW_DAYS
    of: int = 0
    month: int = 0
    is_mute: bool = False
    is_prose: bool = False
    examples: list[dict[str, Any]] = field(default_factory=list)
    instead: str = ""  # what to write, where the line is too wide or finds nothing
    instead_finds: str = ""

    @property
    def is_wide(self) -> bool:
        many = self.week > MAIL_HOLDS * PREVIEW_DAYS or (self.of >= WIDE_OF and self.week * WIDE_SHARE > self.of)
        return many and not self.is_mute

    @property
    def is_never(self) -> bool:
        return not self.month and not self.is_mute and not self.is_prose

    @property
    def said(self) -> str:
        if self.is_mute:
            return gettext("keeps away %(papers)s of %(of)s") % {"papers": self.week, "of": self.of}
        if self.is_prose:
            return gettext("a sentence: papers like it come")
        values = {"papers": self.week, "of": self.of, "month": self.month, "days": RECENT_DAYS}
        if self.is_wide:
            return gettext("about %(rate)s (%(papers)s of %(of)s)") % {"rate": rate(self.week), **values}
        if self.week:
            return rate(self.week)
        if self.month:
            return gettext("none this week, %(month)s in %(days)s days") % values
        return gettext("none in %(days)s days") % values


@require_POST
def live(request: HttpRequest) -> HttpResponse:
    """The form's lines as they stand: a fragment for the page, and the field itself where a button changed it."""
    if is_over("live", client_network(request), LIMIT, LIMIT_IN):
        return render(request, "digest/_live.html", {"is_over": True}, status=429)
    try:
        with computing(request) as deadline:
            return _fragment(request, deadline)
    except Refused as refused:
        answer = render(request, "digest/_live.html", {"is_over": True}, status=refused.status)
        answer["Retry-After"] = str(refused.seconds)
        return answer


def _fragment(request: HttpRequest, deadline: float) -> HttpResponse:
    form = SignupForm(request.POST)
    now = timezone.now()
    lines = typed_lines(str(form["interests"].value() or "")[:MAX_TYPED])[:MAX_LINES]
    good, errors = _read(lines)
    fresh = set(Paper.objects.fresh(now, days=PREVIEW_DAYS).values_list("pk", flat=True)) if good else set()
    values = {
        "form": form,
        "rows": (found := rows(good, fresh, now, deadline)),
        "lacking": len(good) - len(found),
        "errors": errors,
        "notes": (hints := form.line_notes()),
        "hinted": {line.number for line in hints},
        "preview": preview(list(good.values()), now, max_papers=BEST, deadline=deadline) if good else None,
        "papers": len(fresh),
        "days": PREVIEW_DAYS,
    }
    if form.is_mended:
        # A button that goes away with its line must not take the focus along: the field has it then.
        attrs: dict[str, str | bool] = {"data-hx-swap-oob": "true"}
        if "topic" not in request.POST:
            attrs["autofocus"] = True
        values["field"] = form["interests"].as_widget(attrs=attrs)
    return render(request, "digest/_live.html", values | {"said": _said(values)})


def _read(lines: list[str]) -> tuple[dict[int, str], list[LineError]]:
    """The lines that can be read, by number, and what is wrong with the others."""
    good, errors = {}, []
    for number, line in enumerate(lines, start=1):
        try:
            if line:
                parse(line)
                good[number] = line
        except InterestError as error:
            errors.append(LineError(number, line, error))
    return good, errors


def rows(lines: dict[int, str], fresh: set[int], now: dt.datetime, deadline: float = math.inf) -> list[Found]:
    """What each of these readable lines, by number, finds among the papers with these ids and of the last month.
    Lines for which there is no time are left out.
    """
    found: list[Found] = []
    for number, line in lines.items():
        if time.monotonic() > deadline:
            break
        found.append(_row(number, line, fresh, now, deadline))
    return found


def _row(number: int, line: str, fresh: set[int], now: dt.datetime, deadline: float) -> Found:
    node, found = parse(line), found_by(line, now)
    mutes = language.is_mute(node)
    examples = [] if mutes else show(with_papers([pick_of(line, *one) for one in found.best(EXAMPLES, fresh)]))
    row = Found(number, line, found.count(fresh), len(fresh), len(found), mutes, is_prose(line), examples)
    if not row.is_wide and not row.is_never:
        return row
    proposed = narrower(node, line) if row.is_wide else likelier(node, line, recent_papers(now))
    instead, weekly = _best(proposed, row, fresh, now, deadline)
    some = gettext("some in %(days)s days") % {"days": RECENT_DAYS}
    return replace(row, instead=instead, instead_finds=rate(weekly) if weekly else some)


def _best(proposed: Iterator[str], row: Found, fresh: set[int], now: dt.datetime, deadline: float) -> tuple[str, int]:
    """The proposal that finds most, but less than a line that is too wide, with its papers of the week."""
    best, most = "", (0, 0)
    for line in proposed:
        if time.monotonic() > deadline:
            break
        found = found_by(line, now)
        weekly = found.count(fresh)
        if (weekly, len(found)) > most and not (row.is_wide and weekly >= row.week * 2 // 3):
            best, most = line, (weekly, len(found))
    return best, most[0]


def narrower(node: Node, line: str) -> Iterator[str]:
    """Ways to ask for less: the words side by side, or in the title. Each can be read."""
    if isinstance(inner := unpinned(node), And):
        if all(isinstance(part, Word) for part in inner.parts):
            yield f'"{" ".join(str(part) for part in inner.parts)}"'
            yield " ".join(f"title:{part}" for part in inner.parts)
    elif isinstance(inner, Word):
        yield f"title:{inner}"


def likelier(node: Node, line: str, papers: Postings) -> Iterator[str]:
    """Ways to find something: a word as papers write it, or the line without one of its words."""
    parts = node.parts if isinstance(node, And) else (node,)
    words = [part.text for part in parts if isinstance(part, Word)]
    if len(words) < len([part for part in parts if not isinstance(part, Not)]) or len(words) > MOST_WORDS:
        return
    for place, word in enumerate(words):
        if word not in _spellings(papers):
            for other in _nearest(word, papers):
                yield " ".join([*words[:place], other, *words[place + 1 :]])
    if len(words) > 1:
        for place in range(len(words)):
            yield " ".join(words[:place] + words[place + 1 :])


def _nearest(word: str, papers: Postings) -> list[str]:
    """Words of titles that are spelt nearly so, nearest first."""
    alike = [one for one in _spellings(papers) if one[0] == word[0] and abs(len(one) - len(word)) <= 2]
    return difflib.get_close_matches(word, alike, n=2, cutoff=0.8)


@lru_cache(maxsize=1)
def _spellings(papers: Postings) -> dict[str, int]:
    """The words of the titles, folded, and how often each is there; kept while the papers are the same."""
    return Counter(word for paper in papers.papers for word, _, _ in split(paper.texts["title"]) if len(word) > 3)


def _said(values: dict[str, Any]) -> str:
    """The news in one sentence, for who listens to the page."""
    count = len(values["rows"])
    said = [ngettext("%(count)s line read", "%(count)s lines read", count) % {"count": count}] if count else []
    wide, never = gettext("line %(number)s is too wide"), gettext("line %(number)s finds nothing")
    wrong = gettext("line %(number)s cannot be read")
    faults = [wide % {"number": row.number} for row in values["rows"] if row.is_wide]
    faults += [never % {"number": row.number} for row in values["rows"] if row.is_never]
    faults += [wrong % {"number": fault.number} for fault in values["errors"]]
    said += faults[:MOST_SAID]
    if more := len(faults[MOST_SAID:]):
        said.append(ngettext("%(count)s more needs a look", "%(count)s more need a look", more) % {"count": more})
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""
