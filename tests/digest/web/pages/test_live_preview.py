"""What the form hears back while somebody types; and the mail before an address is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client

from digest.models import Paper
from digest.picks.preview import digest_preview, preview_cache
from digest.web.pages import live_preview
from subscriptions.edit_interests import MAX_LINES
from subscriptions.models import Interest, Subscriber
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db

FORM = {"frequency": "daily", "hour": "8", "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def _in_the_morning() -> object:
    with time_machine.travel(MORNING, tick=False):
        yield


def ask(client: Client, interests: str, **more: str) -> BeautifulSoup:
    answer = client.post("/live/", {"interests": interests, **more})
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "lxml")


def counts(soup: BeautifulSoup) -> list[str]:
    return [" ".join(one.get_text(" ").split()) for one in soup.select(".live-count")]


def test_each_line_shows_how_many_it_finds_and_which_with_the_words_marked(client: Client, papers: list[Paper]) -> None:
    soup = ask(client, "diffusion\n-survey\nthoughts models")
    assert counts(soup) == ["diffusion 2 papers a week", "-survey keeps away 1 of 5", "thoughts models 1 paper a week"]
    shown = soup.select(".live-papers li a")
    assert [link.get_text() for link in shown][:2] == ["Diffusion for Weather", "A Survey of Diffusion"]
    assert [mark.get_text() for mark in shown[0].select("mark")] == ["Diffusion"]
    assert soup.select(".live-papers mark")[-1].get_text() == "models"  # stands in the abstract only


def test_the_first_of_the_mail_obey_the_mutes(client: Client, papers: list[Paper]) -> None:
    best = [link.get_text() for link in ask(client, "diffusion\n-survey").select(".live-best a")]
    assert best == ["Diffusion for Weather"]


def test_it_stores_nothing(client: Client, papers: list[Paper]) -> None:
    ask(client, "diffusion", email="ada@example.org")
    assert not Subscriber.objects.exists()
    assert not Interest.objects.exists()


def test_a_line_that_cannot_be_read_does_not_silence_the_others(client: Client, papers: list[Paper]) -> None:
    soup = ask(client, "diffusion\n(agents OR\ntitel:maps")
    assert counts(soup) == ["diffusion 2 papers a week"]
    assert "Line 2, character" in soup.get_text()
    assert [button["value"] for button in soup.select(".line-error button[name=mend]")] == ["2.0", "3.0"]
    assert "lines 2" not in soup.select_one("#live-said").get_text()
    assert "line 2 cannot be read" in soup.select_one("#live-said").get_text()


def test_a_word_spelt_wrong_finds_nothing_and_the_right_one_is_proposed(client: Client, papers: list[Paper]) -> None:
    soup = ask(client, "diffussion")
    assert counts(soup) == ["diffussion none in 30 days"]
    assert soup.select_one("button[name=write]")["value"] == "1 diffusion"


def test_of_words_that_never_meet_the_part_that_finds_most_is_proposed(client: Client, papers: list[Paper]) -> None:
    soup = ask(client, "diffusion zebrafish")
    assert soup.select_one("button[name=write]")["value"] == "1 diffusion"


def test_what_nobody_writes_has_no_proposal(client: Client, papers: list[Paper]) -> None:
    soup = ask(client, "entomology")
    assert not soup.select("button[name=write]")
    assert "Is it what papers call it?" in soup.get_text()


def test_a_line_that_finds_most_papers_is_too_wide(client: Client, store: Callable[..., list[Paper]]) -> None:
    store(*(listing(f"Model {n}" if n % 3 == 0 else f"Thing {n}", "A model.") for n in range(30)))
    soup = ask(client, "model")
    assert counts(soup) == ["model too wide: about 4 papers a day (30 of 30)"]
    assert soup.select_one("button[name=write]")["value"] == "1 title:model"


def test_a_proposal_is_written_into_the_field_which_comes_back(client: Client, papers: list[Paper]) -> None:
    field = ask(client, "agents\ndiffussion", write="2 diffusion").select_one("textarea")
    assert field is not None
    assert field.get_text().strip() == "agents\ndiffusion"
    assert field["data-hx-swap-oob"] == "true"
    assert field.has_attr("autofocus")


def test_the_field_is_left_alone_while_somebody_types_in_it(client: Client, papers: list[Paper]) -> None:
    assert not ask(client, "agents").select("textarea")


@pytest.mark.parametrize("write", ["3 x", "0 x", "-1 x", "1", "1 ", "x", "٣ x", "99999999999 x"])
def test_a_proposal_for_no_line_changes_nothing(client: Client, papers: list[Paper], write: str) -> None:
    field = ask(client, "agents\nplans", write=write).select_one("textarea")
    assert field is not None
    assert field.get_text().strip() == "agents\nplans"


@pytest.mark.parametrize("interests", ["", " \n \n", "\x00", "(" * 9000, "a\n" * 3000, "𝕏" * 10, "<script>"])
def test_whatever_is_typed_is_answered(client: Client, papers: list[Paper], interests: str) -> None:
    soup = ask(client, interests)
    assert not soup.select("script")
    assert len(soup.select(".live-line, .line-error")) <= MAX_LINES


def test_a_line_that_did_not_change_is_not_looked_for_again(
    client: Client, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    index = preview_cache.QueryIndex
    monkeypatch.setattr(preview_cache, "QueryIndex", lambda queries: asked.append(queries) or index(queries))
    ask(client, "diffusion\nagents")
    ask(client, "diffusion\nagents pl")
    ask(client, "diffusion\nagents plan")
    assert len(asked) == len(["diffusion", "agents", "agents pl", "agents plan"]) + proposals_for("agents pl")


def proposals_for(line: str) -> int:
    """Lines tried in place of one that finds nothing, other than those looked for before."""
    return len(set(line.split()) - {"agents"})


def test_papers_that_come_are_counted_at_once(
    client: Client, papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    assert counts(ask(client, "pruning")) == ["pruning 1 paper a week"]
    store(listing("Pruning Again"))
    assert counts(ask(client, "pruning")) == ["pruning 2 papers a week"]


def test_what_is_kept_of_lines_is_bounded(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_cache, "MOST_LINES", 3)
    monkeypatch.setattr(preview_cache, "MOST_FOUND", 3)
    for line in ("diffusion", "weather", "agents", "pruning", "weights", "model"):
        digest_preview.found_by(line, MORNING)
    kept = preview_cache._lines
    assert len(kept._found) <= 3
    assert kept._held == sum(map(len, kept._found.values())) <= 3


def test_who_asks_too_often_is_told_so_in_the_panel(
    client: Client, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_preview, "is_over", lambda *_: True)
    answer = client.post("/live/", {"interests": "diffusion"})
    assert answer.status_code == 429
    assert b"asked very often" in answer.content


def test_it_is_asked_by_post_with_a_token(papers: list[Paper]) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.get("/live/").status_code == 405
    assert strict.post("/live/", {"interests": "diffusion"}).status_code == 403


def test_a_topic_without_a_script_shows_its_papers(client: Client, papers: list[Paper]) -> None:
    answer = client.post("/preview/", FORM | {"interests": "pruning", "topic": "Agents"})
    field = BeautifulSoup(answer.content, "lxml").select_one("#id_interests")
    assert field is not None
    assert field.get_text().strip().splitlines()[:2] == ["pruning", "LLM agents"]


def test_the_whole_mail_is_shown_before_an_address_is_given(client: Client, papers: list[Paper]) -> None:
    answer = client.post("/preview/mail/", FORM | {"interests": "diffusion\n-survey", "max_papers": "5"})
    soup = BeautifulSoup(answer.content, "lxml")
    frame = soup.select_one("iframe")
    assert frame is not None
    assert not frame["sandbox"], "nothing is allowed in it"
    mail = BeautifulSoup(str(frame["srcdoc"]), "lxml").get_text()
    assert "Diffusion for Weather" in mail
    assert "A Survey of Diffusion" not in mail
    sent_on = {field["name"]: field.get("value") for field in soup.select("form input[type=hidden]")}
    assert sent_on["interests"].strip().splitlines() == ["diffusion", "-survey"]
    assert sent_on["max_papers"] == "5"
    policy = answer["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert not Subscriber.objects.exists()


def test_lines_that_find_nothing_make_no_mail(client: Client, papers: list[Paper]) -> None:
    assert "no mail would have come" in client.post("/preview/mail/", FORM | {"interests": "zebra"}).content.decode()


def test_a_mail_of_lines_that_cannot_be_read_leads_back_to_them(client: Client, papers: list[Paper]) -> None:
    answer = client.post("/preview/mail/", FORM | {"interests": "(a OR"})
    assert answer.status_code == 422
    assert "Line 1, character" in answer.content.decode()
