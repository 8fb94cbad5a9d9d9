"""What the form shows beside a line, and what its buttons do: without a script, and with nothing stored."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from subscriptions import links
from subscriptions.models import Subscriber
from tests.subscriptions.conftest import answers, path_of


def typed_in(page: str) -> str:
    """What stands in the field, as a browser would send it."""
    found = re.search(r'<textarea name="interests"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found
    return found[1].replace("&quot;", '"').replace("&#x27;", "'").replace("\r\n", "\n").strip()


def test_a_faulty_line_is_shown_with_its_place_marked_and_its_mend(client: Client, db: None) -> None:
    answer = client.post("/subscribe/", answers(interests="agents\nnew titel:maps -survey"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'new <mark class="at">titel:</mark>maps -survey' in page
    assert "Line 2, character 5: There is no field “titel:”" in page
    assert "new title:maps -survey</code>" in page
    assert 'name="mend" value="2.0"' in page
    assert typed_in(page) == "agents\nnew titel:maps -survey"


def test_what_is_missing_at_the_end_is_marked_there(client: Client, db: None) -> None:
    page = client.post("/subscribe/", answers(interests="agents (")).content.decode()
    assert 'agents (<mark class="at"> </mark>' in page


@pytest.mark.parametrize("typed, mend, then", [
    ("agents\nnew titel:maps", "2.0", "agents\nnew title:maps"),
    ("diffusion, rl\n\n-survey", "1.0", "diffusion\nrl\n\n-survey"),
    ("agents not robots\nLLM", "1.0", "agents -robots\nLLM"),
    ("naïve cafe\u0301 OR", "1.0", "naïve café"),
    # nothing to take over: the lines stay
    ("agents", "1.0", "agents"), ("agents\n2310.06825", "2.0", "agents\n2310.06825"), ("agents OR", "7.0", "agents OR"),
    ("agents OR", "0.0", "agents OR"), ("agents OR", "x", "agents OR"), ("agents OR", "²", "agents OR"),
    ("agents OR", "1.99999999", "agents"), ("agents OR", "9" * 5000 + ".0", "agents OR"),
])  # fmt: skip
def test_a_button_writes_the_line_as_proposed_and_stores_nothing(
    typed: str, mend: str, then: str, client: Client, db: None
) -> None:
    answer = client.post("/subscribe/", answers(interests=typed, mend=mend))
    assert typed_in(answer.content.decode()) == then
    assert answer.status_code in (200, 422)
    assert not Subscriber.objects.exists()


def test_in_the_preferences_too_a_button_saves_nothing(client: Client, alice: Subscriber) -> None:
    path = path_of(links.access(alice))
    answer = client.post(path, answers(interests="diffusion, rl", mend="1.0"))
    assert (answer.status_code, typed_in(answer.content.decode())) == (200, "diffusion\nrl")
    assert alice.lines() == ["diffusion", '"chain of thought"', "-survey"]
    assert client.post(path, answers(interests="diffusion\nrl")).status_code == 302
    assert alice.lines() == ["diffusion", "rl"]


def test_the_preview_takes_a_mend_over(client: Client, db: None) -> None:
    answer = client.post("/preview/", answers(interests="diffusion, rl", mend="1.0"))
    assert (answer.status_code, typed_in(answer.content.decode())) == (200, "diffusion\nrl")


def test_a_line_that_was_perhaps_not_meant_so_gets_a_hint(client: Client, alice: Subscriber) -> None:
    page = client.post("/preview/", answers(interests="agents\nvideo generation OR editing")).content.decode()
    assert "this is read as (video generation) OR editing" in page
    assert "video (generation OR editing)</code>" in page
    alice.set_lines(["model"])
    assert "three of ten papers" in client.get(path_of(links.access(alice))).content.decode()


def test_enter_in_a_field_presses_no_mend(client: Client, db: None) -> None:
    page = client.post("/subscribe/", answers(interests="agents OR")).content.decode()
    first = page.index("<button")
    assert "mend" not in page[first : page.index("</button>", first)]


def test_a_hostile_line_is_text_on_the_page(client: Client, db: None) -> None:
    page = client.post(
        "/subscribe/", answers(interests="<b>x</b> OR\n<script>alert(1)</script> the:x")
    ).content.decode()
    assert "<b>x" not in page
    assert "<script>alert" not in page
