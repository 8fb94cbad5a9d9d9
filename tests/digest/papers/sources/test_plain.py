"""Plain text out of foreign bytes."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import unicodedata
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.papers.sources.fragments import title_line
from digest.papers.sources.markup import text_of_html
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import decoded, one_line, quoted, unpacked
from subscriptions.delimited import LINE_END, lines_in


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_marks_are_taken_off(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    assert decoded((mark + "Café").encode(encoding)) == "Café"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b"a\nb\nc\xe9", r"byte 5 \(line 3\) is not UTF-8: save"),
        (b"\xef\xbb\xbfa\xe9", r"byte \d \(line 1\) is not UTF-8"),
        (b"\xff\xfea", "is not UTF-16"),
        ("x".encode("utf-32"), "UTF-32"),
    ],
)
def test_a_wrong_byte_is_named(page: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        decoded(page)


@given(st.text(), st.integers(1, 50))
def test_a_line_is_one_clean_bounded_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert unicodedata.is_normalized("NFC", line)
    line.encode()


def test_what_joins_letters_stays() -> None:
    assert one_line("می‌خواهم 👩‍🔬 \u200eLTR", 50) == "می‌خواهم 👩‍🔬 \u200eLTR"


def test_indentation_does_not_use_up_the_limit() -> None:
    assert title_line("\n" + " " * 90_000 + "Kettles") == "Kettles"


def test_accents_piled_up_take_no_time() -> None:
    began = time.perf_counter()
    one_line("\u0316\u0301" * 100_000, 20_000)
    assert time.perf_counter() - began < 10


def test_a_quotation_is_short_and_clean() -> None:
    assert quoted("a\n\x00b") == "'a b'"
    assert quoted("x" * 100, 5) == "'xxxxx…'"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a < b & c > d", "a < b & c > d"),
        ("$p<q$ and $x<y>z$", "$p<q$ and $x<y>z$"),
        ("p <q kettles, a<b and c>d", "p <q kettles, a<b and c>d"),
        ('<a href="x">A</a> <p class = "y">B</p><br/>C<b >D</b >', "A B CD"),
        ("x?a=1&copy=2&lt=3", "x?a=1&copy=2&lt=3"),
        ("<b>bold</b>er", "bolder"),
        ("10<sup>-3</sup> on the 1<sup>st</sup>", "10^-3 on the 1st"),
        ("<jats:p>One</jats:p><jats:p>Two</jats:p>", "One Two"),
        ("a<!-- hidden -->b", "ab"),
        ("<iframe>no</iframe><noscript>no</noscript>yes", "yes"),
        ("&#233;&eacute;&#xe9;", "ééé"),
    ],
)
def test_html_reads_as_a_reader_sees_it(html: str, text: str) -> None:
    assert " ".join(text_of_html(html).split()) == text


@pytest.mark.parametrize("html", ["<p>x" * 40_000, "<b>" * 40_000, "<sup>1</sup>" * 20_000, "<script>" * 20_000])
def test_hostile_html_takes_no_time(html: str) -> None:
    began = time.perf_counter()
    text_of_html(html)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"We count kettles.", mtime=0),
        gzip.compress(b"We count ", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"kettles.", mtime=0),
        gzip.compress(b"We count kettles.", mtime=0) + b"\x00" * 512,
        b"We count kettles.",
    ],
    ids=["one", "parts", "padded", "never packed"],
)
def test_gzip_is_unpacked_and_anything_else_left_as_it_is(packed: bytes) -> None:
    assert unpacked(packed, 17) == b"We count kettles."


def test_a_long_file_is_unpacked_piece_by_piece() -> None:
    content = bytes(range(256)) * 4_000
    packed = gzip.compress(content, compresslevel=0, mtime=0)
    assert unpacked(packed + packed, 2 * len(content)) == content + content


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (gzip.compress(b"x" * 18, mtime=0), "more than 17 bytes"),
        (gzip.compress(b"x" * 9, mtime=0) * 2, "more than 17 bytes"),
        (gzip.compress(b"kettles", mtime=0)[:-4], "cut off"),
        (gzip.compress(b"kettles", mtime=0)[:12], "cut off"),
        (b"\x1f\x8b", "cut off"),
        (b"\x1f\x8bnothing of the kind", "is broken"),
        (gzip.compress(b"kettles", mtime=0)[:-8] + b"\x00" * 8, "is broken"),
        (gzip.compress(b"", mtime=0) * 10_001, "over 10,000 parts"),
    ],
)
def test_gzip_that_is_broken_or_too_large_says_so(packed: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        unpacked(packed, 17)
    assert "\n" not in str(caught.value)


def test_a_bomb_takes_neither_time_nor_memory() -> None:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(60)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(SourceError, match="more than 5,000,000 bytes"):
        unpacked(bomb, 5_000_000)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@given(st.text(alphabet="ab\r\n\u2028"))
def test_lines_end_as_editors_count_them(text: str) -> None:
    lines = LINE_END.split(text)
    assert list(lines_in(text)) == (lines if lines[-1] else lines[:-1])
