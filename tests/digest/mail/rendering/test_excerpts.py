"""Abstracts cut and marked."""

import re

from hypothesis import given
from hypothesis import strategies as st

from digest.mail.rendering.excerpts import (
    Sentences,
    byline,
    cut,
    excerpt,
    in_order,
    joined,
    mark,
    mark_excerpt,
    plain,
    shorten,
    wrap,
)


def test_it_cuts_at_a_sentence() -> None:
    text = "First one. " * 20 + "Second sentence that goes on and on " * 20
    assert cut(text, 240).endswith("First one.")


def test_it_does_not_cut_after_an_initial() -> None:
    text = "As J. Smith " + "said " * 30
    assert not cut(text, 60).endswith("J.")


def test_it_cuts_one_endless_sentence_at_a_word() -> None:
    cut_text = cut("word " * 200, 100)
    assert len(cut_text) <= 102
    assert cut_text.endswith("word …")


def test_it_leaves_a_short_text_alone() -> None:
    assert cut("Short.", 100) == "Short."
    assert shorten("Short", 100) == "Short"


def test_it_shortens_a_name_list() -> None:
    assert byline(["A", "B", "C", "D"]) == "A, B, C, D"
    assert byline(["A", "B", "C", "D", "E"]) == "A, B, C and 2 more"


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=6))
def test_marked_pieces_join_to_the_text_again(text: str, spans: list[tuple[int, int]]) -> None:
    pieces = mark(text, spans)
    assert "".join(piece for piece, _ in pieces) == text
    wanted = {n for a, b in spans for n in range(max(a, 0), min(b, len(text)))}
    marked, place = set(), 0
    for piece, is_marked in pieces:
        marked |= set(range(place, place + len(piece))) if is_marked else set()
        place += len(piece)
    assert marked == wanted


ABSTRACT = (
    "Weather is hard. We forecast rain with a diffusion model, e.g. over the sea. It is slow. "
    "Diffusion of heat helps. Nobody knew. Diffusion and diffusion again."
)


def places_of(text: str, word: str) -> list[tuple[int, int]]:
    return [found.span() for found in re.finditer(word, text, re.IGNORECASE)]


def test_the_two_sentences_with_the_most_matched_words_stand_in_their_order() -> None:
    pieces = excerpt(ABSTRACT, places_of(ABSTRACT, "diffusion"))
    assert joined(ABSTRACT, pieces) == (
        "We forecast rain with a diffusion model, e.g. over the sea. … Diffusion and diffusion again."
    )


def test_one_matched_sentence_comes_with_the_first() -> None:
    assert joined(ABSTRACT, excerpt(ABSTRACT, places_of(ABSTRACT, "nobody"))) == "Weather is hard. … Nobody knew."
    assert joined(ABSTRACT, excerpt(ABSTRACT, places_of(ABSTRACT, "weather"))) == "Weather is hard."
    beside = excerpt(ABSTRACT, places_of(ABSTRACT, "forecast"))
    assert joined(ABSTRACT, beside).startswith("Weather is hard. We forecast rain")


def test_without_a_match_it_is_the_beginning() -> None:
    assert joined(ABSTRACT, excerpt(ABSTRACT, [], limit=40)) == "Weather is hard."
    assert excerpt("", [(0, 4)]) == ()


def test_a_match_late_in_an_endless_sentence_is_shown() -> None:
    text = "word " * 300 + "needle " + "word " * 300
    shown = joined(text, excerpt(text, places_of(text, "needle")))
    assert "needle" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 500


def test_chinese_sentences_end_too() -> None:
    text = "天气很难。我们用扩散模型。很慢。"
    found = Sentences(text)
    assert [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)] == [
        "天气很难。",
        "我们用扩散模型。",
        "很慢。",
    ]


def test_controls_become_blanks_and_nothing_moves() -> None:
    assert plain("a\r\nb\x00\ufdd0c\u2028") == "a  b  c "


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(-3, 210), st.integers(-3, 210)), max_size=6))
def test_an_excerpt_is_bounded_and_marked_where_the_text_is(text: str, spans: list[tuple[int, int]]) -> None:
    pieces = excerpt(text, in_order(spans), limit=60)
    segments = mark_excerpt(text, pieces, in_order(spans))
    assert "".join(piece for piece, _ in segments) == joined(text, pieces)
    assert all(piece in text for piece, is_marked in segments if is_marked)
    ranges = [piece for piece in pieces if isinstance(piece, tuple)]
    assert ranges == sorted(ranges)
    assert all(0 <= start <= end <= len(text) for start, end in ranges)


@given(st.lists(st.text(alphabet="abé-", min_size=1, max_size=90), max_size=30))
def test_wrapped_lines_are_short_and_keep_every_word(words: list[str]) -> None:
    lines = wrap(" ".join(words)).split("\n")
    assert " ".join(lines).split() == words
    assert all(len(line) <= 76 or " " not in line for line in lines)
