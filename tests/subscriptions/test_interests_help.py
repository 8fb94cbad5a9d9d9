"""The help page, and that all it says is so."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.html import escape

from digest.relevance.matching.match import Document
from digest.relevance.matching.queries import Query
from subscriptions.interests import examples
from subscriptions.interests.canonical import meaning
from subscriptions.interests.errors import InterestError
from subscriptions.interests.examples import Example, Paper, Section
from subscriptions.interests.language import is_mute, is_pin
from subscriptions.interests.parser import parse

EXAMPLES = [(section, example) for section in examples.SECTIONS for example in section.examples]


def speaks_of(line: str, paper: Paper) -> bool:
    held = [[value] if value else [] for value in (paper.author, paper.category, paper.source)]
    return Query.of(1, parse(line)).find(Document(1, paper.title, paper.abstract, *held)) is not None


@pytest.mark.parametrize("section, example", EXAMPLES, ids=[example.line for _, example in EXAMPLES])
def test_every_example_speaks_of_its_paper_and_not_of_the_other(section: Section, example: Example) -> None:
    assert speaks_of(example.line, example.yes)
    assert not speaks_of(example.line, example.no)
    assert is_mute(parse(example.line)) is (section.verdict == "keeps away")
    assert is_pin(parse(example.line)) is (section.verdict == "comes first")


@pytest.mark.parametrize("typed, read", examples.HABITS)
def test_habits_mean_what_the_page_says(typed: str, read: str) -> None:
    assert meaning(parse(typed)) == meaning(parse(read))


@pytest.mark.parametrize("typed, instead", examples.MENDS)
def test_mends_are_what_the_page_says(typed: str, instead: str) -> None:
    with pytest.raises(InterestError) as caught:
        parse(typed)
    assert caught.value.suggestion == instead


def test_the_page_shows_every_example(client: Client, db: None) -> None:
    answer = client.get("/help/interests/")
    page = answer.content.decode()
    assert answer.status_code == 200
    for _, example in EXAMPLES:
        for text in (example.line, example.means, example.yes.title, example.no.title):
            assert escape(text) in page
    for pair in (*examples.HABITS, *examples.MENDS):
        assert all(f"{escape(text)}</code>" in page for text in pair)
    assert "<strong>MoE</strong> mixture of experts" in page


def test_the_form_leads_to_the_page(client: Client, db: None) -> None:
    assert 'href="/help/interests/"' in client.get("/subscribe/").content.decode()


def test_the_page_needs_no_script_and_changes_nothing(client: Client, db: None) -> None:
    assert "<script" not in client.get("/help/interests/").content.decode()
    assert client.post("/help/interests/").status_code == 405
