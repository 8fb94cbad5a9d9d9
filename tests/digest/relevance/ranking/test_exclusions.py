"""A paper that holds what a line excludes does not come by that line, not even softly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from django.core.management import call_command

from digest.models import Feedback, Paper, ReasonKind
from digest.picks.preview import digest_preview
from digest.picks.selection.choose import choose
from digest.relevance.matching.match import Document
from digest.relevance.matching.postings import Postings
from digest.relevance.ranking.exclusions import excluded, kept_out
from subscriptions.interests.parser import parse
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing, make_reader

pytestmark = pytest.mark.django_db


def titles(reader: Subscriber) -> set[str]:
    picks = choose([reader], MORNING)[reader.pk]
    return {Paper.objects.get(pk=pick.paper).title for pick in picks}


def test_the_mail_of_a_line_without_rain_holds_no_paper_with_rain(
    papers: list[Paper], capsys: pytest.CaptureFixture[str]
) -> None:
    make_reader("dora@example.org", "diffusion -rain")
    with time_machine.travel(MORNING, tick=False):
        call_command("preview_digest", "dora@example.org", "--format", "text")
    out = capsys.readouterr().out
    assert "A Survey of Diffusion" in out
    assert "Diffusion for Weather" not in out


@pytest.mark.parametrize(
    "line",
    [
        "diffusion -rains",
        'diffusion -"diffusion model"',
        "diffusion -forec*",
        "diffusion -title:weather",
        "diffusion -author:Bird",
        "diffusion -category:cs.LG",
        "(diffusion -rain) OR oceans",
        "diffusion -(rain OR snow)",
        "!diffusion -rain",
    ],
)
def test_whatever_it_excludes(line: str, store: Callable[..., list[Paper]]) -> None:
    store(
        listing(
            "Diffusion for Weather",
            "We forecast rain with a diffusion model.",
            authors=("Ann Bird",),
            categories=("cs.LG",),
        ),
        listing("Diffusion of Dust", "Dust spreads by diffusion."),
    )
    assert titles(make_reader("dora@example.org", line)) == {"Diffusion of Dust"}


def test_a_source_may_be_excluded_too(papers: list[Paper]) -> None:
    assert not titles(make_reader("dora@example.org", "diffusion -source:huggingface"))


def test_another_line_may_still_bring_it(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "diffusion -rain", "weather")
    assert "Diffusion for Weather" in titles(reader)


def test_who_taught_a_taste_and_who_only_looks_get_no_other_answer(papers: list[Paper]) -> None:
    reader = make_reader("dora@example.org", "diffusion -rain")
    Feedback.objects.create(subscriber=reader, paper=papers[2], kind=Feedback.Kind.MORE, at=MORNING)
    assert not any(
        reason.kind in (ReasonKind.MATCH, ReasonKind.CLOSE)
        for pick in choose([reader], MORNING)[reader.pk]
        for reason in pick.reasons
        if pick.paper == papers[0].pk
    )
    seen = digest_preview.preview(["diffusion -rain"], MORNING).picks
    assert papers[0].pk not in {pick.paper for pick in seen}


def test_what_is_excluded_is_found_wherever_it_stands() -> None:
    assert [str(part) for part in excluded(parse("(a -b) OR (c -d) -e"))] == ["b", "d", "e"]
    assert excluded(parse("songbirds OR wings")) == []


def test_an_abbreviation_is_excluded_with_its_long_form() -> None:
    papers = Postings([Document(7, "Agents", "Large language models act."), Document(8, "Agents", "Robots act.")])
    assert list(kept_out([parse("agents"), None, parse("agents -LLM")], papers)) == [(2, 7)]
