"""Abstracts cut and marked."""

from hypothesis import given
from hypothesis import strategies as st

from digest.excerpts import byline, cut, mark, shorten


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
