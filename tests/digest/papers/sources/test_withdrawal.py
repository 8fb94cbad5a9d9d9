"""When a paper was taken back, and when somebody only writes about such papers."""

from __future__ import annotations

import pytest

from digest.papers.sources.withdrawal import is_taken_back


@pytest.mark.parametrize(
    "title",
    [
        "RETRACTED: Kettles That Count",
        "Retracted: Kettles That Count",
        "RETRACTED ARTICLE: Kettles That Count",
        "[Retracted] Kettles That Count",
        "WITHDRAWN: Kettles That Count",
        "REMOVED: Kettles That Count",
        "Retraction: Kettles That Count",
        "Retraction Note: Kettles That Count",
        "Retraction Note to: Kettles That Count",
        "Retraction notice to “Kettles That Count” [J. Kettles 7 (2020) 1–9]",
        "Retraction notice",
        "Notice of Retraction: Kettles That Count",
    ],
)
def test_a_publishers_prefix_takes_a_paper_back(title: str) -> None:
    assert is_taken_back(title)


@pytest.mark.parametrize(
    "title",
    [
        "Retracted articles in the kettle sciences: a survey",
        "Retractions: causes and remedies",
        "Retraction of the tongue in boiling",
        "Retraction notices for kettles, counted",
        "Retraction theorems for kettles",
        "Withdrawn: a history of solitude",
        "Why RETRACTED: labels are overlooked",
        "Withdrawal of support from heated models",
        "On retracted kettles",
    ],
)
def test_a_title_about_taking_back_does_not(title: str) -> None:
    assert not is_taken_back(title)


@pytest.mark.parametrize(
    "text",
    [
        "This paper has been withdrawn by the author due to a crucial error in equation 3.",
        "This paper has been withdrawn",
        "[This article was withdrawn.]",
        "This submission has been withdrawn by arXiv administrators because it overlaps with another.",
        "The manuscript is being withdrawn because the kettle leaks",
        "Our paper has been temporarily withdrawn",
        "This preprint has been withdrawn from arXiv at the request of a co-author",
        "This paper has been withdrawn by the author(s), due a crucial sign error",
        "Paper has been withdrawn because of a gap in the proof",
        "The authors have withdrawn their manuscript because the kettle was not theirs.",
        "This note is withdrawn.",
        "Withdrawn",
        "Paper withdrawn due to an error in Lemma 3",
        "Withdrawn by the authors",
    ],
)
def test_the_authors_words_take_it_back_in_abstract_or_comment(text: str) -> None:
    assert is_taken_back("Kettles", abstract=text)
    assert is_taken_back("Kettles", comment=text)


@pytest.mark.parametrize(
    "text",
    [
        "We count kettles. This paper has been withdrawn by the authors.",
        "We count kettles. This paper has been withdrawn due to an error.",
        "We count kettles. This submission has been withdrawn.",
        "We count kettles. This paper was withdrawn by the authors because two of them were pots.",
    ],
)
def test_they_may_stand_below_the_abstract(text: str) -> None:
    assert is_taken_back("Kettles", abstract=text)


@pytest.mark.parametrize(
    "text",
    [
        "12 pages. Withdrawn by the author",
        "12 pages, withdrawn",
        "5 figures; paper retracted",
        "Withdrawn, see 2603.00123",
        "arXiv admin note: withdrawn by arXiv administrators",
    ],
)
def test_they_may_follow_in_a_comment(text: str) -> None:
    assert is_taken_back("Kettles", comment=text)


@pytest.mark.parametrize(
    "text",
    [
        "We study why papers are withdrawn by the authors.",
        "We ask how often a paper has been withdrawn, and by whom.",
        "In 1998 a study was published. This article was retracted in 2010 but is cited still.",
        "We follow one famous case. The paper was retracted by its journal.",
        "Withdrawn drugs are a burden.",
        "Withdrawn in 1998, the kettle was sold again.",
        "Retracted in 2010, the study is cited still.",
        "This paper has not been withdrawn.",
        "This paper was withdrawn from ICLR 2026 to be improved.",
        "This paper studies how this paper has been withdrawn from view.",
        "Money is withdrawn due to fear.",
        "Work is withdrawn from the engine as heat.",
        "The authors have withdrawn from this debate.",
        "Papers withdrawn by their authors are counted.",
    ],
)
def test_writing_about_it_does_not(text: str) -> None:
    assert not is_taken_back("Kettles", abstract=text)


@pytest.mark.parametrize("text", ["12 pages, withdrawn from ICLR 2026", "A study of withdrawn papers, 9 pages"])
def test_a_comment_about_something_else_does_not(text: str) -> None:
    assert not is_taken_back("Kettles", comment=text)
