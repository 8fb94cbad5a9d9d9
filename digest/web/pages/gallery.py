"""Every mail in every state side by side, with DEBUG only: what a designer looks at while editing the templates.

The mails are made by the service itself from rows that are rolled back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anymail.message import AnymailMessage
from csp.decorators import csp
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from digest.mail.rendering import compose
from digest.models import Digest, Edition, Lane, Listing, Paper, Pick, Reason, ReasonKind, Source
from digest.picks.evidence import Evidence
from subscriptions import emails, language
from subscriptions.models import Subscriber

POLICY = {
    "default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "frame-src": ["'self'"], "form-action": ["'none'"],
    "base-uri": ["'none'"], "frame-ancestors": ["'none'"],
}  # fmt: skip
DARK = "@media (prefers-color-scheme: dark)"
ABSTRACT = (
    "Weather is forecast by solving equations, which is slow. We train a diffusion model on forty years of weather "
    "maps. It draws fifty forecasts for the price of one, e.g. for the coming week. Storms are met a day earlier. "
    "A second diffusion step sharpens the rain."
)
TITLES = (
    "Diffusion for Weather", "Thinking Aloud: Chains of Thought in Small Models", "Pruning Networks Without Tears",
    "A Map of All the Ways in Which a Large Language Model of Many Parameters Can Be Asked the Same Question",
    "Sparse Attention, Again", "Agents That Ask First", "Reading Tables", "Fewer Steps, Same Pictures",
    "Rewards from Readers", "What the Last Layer Knows",
)  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>", "R&D: p < 0.05 > \"quoted\" 'single' &amp;",
    "Line one\r\nBcc: victim@example.org", "Supercalifragilistic" * 12,
)  # fmt: skip
DIFFUSION, MODELS = 1, 2  # ids of interests that are stored nowhere
OTHER_SCRIPTS = (
    "كيف تتعلم النماذج من البيانات", "大型语言模型如何推理：一项研究", "למידה עמוקה של שפה",
    "🤖 Models that 👩‍🔬 science", "Émigré naïveté in Øresund",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """One mail of the gallery."""

    name: str
    mail: AnymailMessage

    @property
    def light(self) -> str:
        return self._html.replace(DARK, "@media not all")

    @property
    def dark(self) -> str:
        return self._html.replace(DARK, "@media all")

    @property
    def _html(self) -> str:
        return str(self.mail.alternatives[0][0])


@require_safe
@csp(POLICY)
def gallery(request: HttpRequest) -> HttpResponse:
    """The page; 404 without DEBUG."""
    if not settings.DEBUG:
        raise Http404("The gallery needs DEBUG.")
    return render(request, "digest/gallery.html", {"states": states(timezone.now())})


def states(now: dt.datetime) -> list[State]:
    """All mails in all states. What they are made from is rolled back."""
    with transaction.atomic():
        found = [State(name, mail) for name, mail in _mails(now)]
        transaction.set_rollback(True)
    return found


def _mails(now: dt.datetime) -> Iterator[tuple[str, AnymailMessage]]:
    spoken = {"email": "ada@example.org", "code": "gallery", "language": language.current()}  # ?lang=de shows that
    reader = Subscriber(**spoken)
    weekly = Subscriber(**spoken, frequency=Subscriber.Frequency.WEEKLY)
    papers = _papers(TITLES, now)
    picks = [_pick(paper, Lane.TRENDING if place > 7 else Lane.INTERESTS) for place, paper in enumerate(papers)]
    overflow = picks[:4] + [pick._replace(lane=Lane.OVERFLOW, reasons=()) for pick in picks[4:8]]

    def mail(reader: Subscriber, picks: Sequence[Pick], notice: str = "", **more: bool) -> AnymailMessage:
        own = {"issue_date": now.date(), "created_at": now, "picks": list(picks), "notice": notice}
        return compose(Digest(subscriber=reader, **own, **more), now, _evidence(picks))

    yield "Daily", mail(reader, picks)
    yield "Weekly", mail(weekly, picks)
    yield "After a pause", mail(reader, picks, "The best of the 9 days you were away.", is_catch_up=True)
    yield (
        "A source is late",
        mail(reader, picks[:3], "arXiv cs.CL is late. Some papers may be missing."),
    )
    yield "An empty day", mail(reader, [])
    yield "Left out for the cap", mail(reader, overflow)
    yield "One paper", mail(reader, picks[:1])
    yield "Twenty papers", mail(reader, [*picks, *(_pick(paper, Lane.INTERESTS) for paper in _papers(TITLES, now))])
    yield "Hostile titles", mail(reader, [_pick(paper, Lane.INTERESTS) for paper in _papers(HOSTILE, now)])
    yield "Other scripts", mail(reader, [_pick(paper, Lane.INTERESTS) for paper in _papers(OTHER_SCRIPTS, now)])
    for notice in (Subscriber.Notice.CONFIRM, Subscriber.Notice.ALREADY, Subscriber.Notice.LINK):
        reader.notice = notice
        yield str(notice.label).capitalize(), emails.notice(reader)


def _papers(titles: Sequence[str], now: dt.datetime) -> list[Paper]:
    """Invented papers: one updated, one from another field, one without an abstract, one with many authors."""
    editions = [_edition(source, now) for source in ("Hugging Face Daily Papers", "arXiv cs.CL")]
    made = []
    for number, title in enumerate(titles):
        paper = Paper(
            title=title, abstract="" if number == 6 else f"{ABSTRACT} {title}.", upvotes=max(120 - 13 * number, 0),
            authors=[f"Author {name}" for name in "ABCDEFGHI"[: 1 + 3 * number % 9]], first_listed_on=now.date(),
            replaced_on=now.date() if number == 2 else None, arxiv_version=2 if number == 2 else None,
        )  # fmt: skip
        paper.save()
        if number % 4 != 3:
            Paper.objects.filter(pk=paper.pk).update(arxiv_id=f"9912.{paper.pk:05}")  # of a month that never was
        for edition in editions[: 1 + number % 2]:
            kind = "cross" if number == 4 else "new"
            Listing.objects.create(edition=edition, paper=paper, rank=number + 1, announce_type=kind, seen_at=now)
        made.append(paper)
    return made


def _edition(name: str, now: dt.datetime) -> Edition:
    """Today's, of an invented source."""
    source = Source.objects.get_or_create(slug=f"gallery-{slugify(name)}", defaults={"name": name})[0]
    times = {"first_seen_at": now, "last_seen_at": now}
    return Edition.objects.get_or_create(source=source, date=now.date(), defaults=times)[0]


def _pick(paper: Paper, lane: Lane) -> Pick:
    """As ranking would have it for somebody who follows diffusion and models."""
    if lane != Lane.INTERESTS:
        return Pick(paper.pk, lane, 20, 20)
    reasons = (Reason(ReasonKind.MATCH, DIFFUSION, 300), Reason(ReasonKind.CLOSE, MODELS, 100))
    return Pick(paper.pk, lane, 420, 20, reasons)


def _evidence(picks: Sequence[Pick]) -> Evidence:
    papers = Paper.objects.in_bulk({pick.paper for pick in picks})
    places = {}
    for pk, paper in papers.items():
        spans = {"title": _places(paper.title, "diffusion"), "abstract": _places(paper.abstract, "diffusion")}
        places[DIFFUSION, pk] = {"words": ["Diffusion"]} | {name: found for name, found in spans.items() if found}
    return Evidence({DIFFUSION: "diffusion", MODELS: "large models that forecast"}, places)


def _places(text: str, word: str) -> list[list[int]]:
    start = text.casefold().find(word)
    return [[start, start + len(word)]] if start >= 0 else []
