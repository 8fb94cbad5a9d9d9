"""XML as bytes from strangers: what is refused, how fast, and what a reader sees of the rest."""

from __future__ import annotations

import time
from typing import NoReturn

import pytest

from digest.papers.sources import kinds
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.xml_tree import first_text, text_of, texts, tree_of


def text(inside: str, doctype: str = "") -> str:
    root, notes = tree_of(f"{doctype}<r xmlns:j='urn:j'>{inside}</r>")
    assert notes == ()
    return text_of(root)


@pytest.mark.parametrize(
    ("inside", "seen"),
    [
        ("One <i>two</i> three", "One two three"),
        ("10<sup>3</sup>, 10<sup>-12</sup>, n<sup>th</sup>", "10^3, 10^-12, nth"),
        ("<p>One.</p><p>Two.</p>", "One. Two. "),
        ("Title<xref ref-type='fn'>*</xref><fn>A note</fn>, see <xref ref-type='bibr'>7</xref>", "Title, see 7"),
        ("<alternatives><m>x</m><tex-math>$x$</tex-math></alternatives>.", "$x$."),
        ("<alternatives><m>x</m><n>y</n></alternatives><alternatives/>.", "x."),
        ("a &lt; b &amp; c <![CDATA[<d>]]><!-- no -->", "a < b & c <d>"),
        ("<j:i>In any namespace</j:i>", "In any namespace"),
        ("", ""),
    ],
)
def test_the_text_is_what_a_reader_sees(inside: str, seen: str) -> None:
    assert text(inside) == seen


def test_elements_are_known_by_their_local_names() -> None:
    root, _ = tree_of("<r xmlns:a='urn:a' xmlns:x='urn:x'><a:b x:href='1'> one </a:b><b/><b>two</b></r>")
    assert texts(root, "b") == ["one", "two"]
    assert first_text(root, "missing", "b") == "one"
    assert first_text(root, "missing") == text_of(None) == ""
    assert root[0].get("href") == "1"


def test_entities_of_a_dtd_that_is_never_fetched_are_htmls() -> None:
    assert text("Caf&eacute; &madeup;", "<!DOCTYPE r SYSTEM 'http://127.0.0.1:9/r.dtd'>") == "Café "


def test_entities_for_single_signs_are_read() -> None:
    doctype = "<!DOCTYPE r [<!ENTITY nbsp '&#160;'><!ENTITY amp2 '&#38;#38;'>]>"
    assert text("a&nbsp;b &amp2;", doctype) == "a\xa0b &"


OAI = "<OAI-PMH><ListRecords>{}</ListRecords></OAI-PMH>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
LONG = f'<!DOCTYPE r [<!ENTITY l "{"ha" * 9_000}">]>'
BOMBS = {
    "billion laughs": f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]>{OAI.format("&l11;")}',
    "file": f'<!DOCTYPE r [<!ENTITY l SYSTEM "file:///etc/hosts">]>{OAI.format("&l;")}',
    "depth": OAI.format("<a>" * 100_000),
    "parameter entity": f'<!DOCTYPE r [<!ENTITY % l SYSTEM "http://127.0.0.1:9/l.dtd"> %l;]>{OAI.format("")}',
    "long entity": LONG + OAI.format("&l;" * 9_000),
    "long entity in an attribute": f"{LONG}<OAI-PMH a='{'&l;' * 9_000}'/>",
    "many attributes": OAI.format("<a " + " ".join(f"a{n}=''" for n in range(50_000)) + "/>"),
    "large attribute": OAI.format(f"<a b='{'x' * 2_000_001}'/>"),
    "large text": OAI.format("x " * 1_000_001),
    "many elements": OAI.format("<a b=''/>" * 300_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_once(bomb: str) -> None:
    started = time.process_time()
    with pytest.raises(SourceError, match=r"^line \d+, column \d+: "):
        kinds.parse(BOMBS[bomb], "oai")
    assert time.process_time() - started < 10  # without the bounds: minutes, or no end


@pytest.mark.parametrize("kind", ["pubmed", "marcxml", "jats", "feed"])
@pytest.mark.parametrize("bomb", ["billion laughs", "file", "depth"])
def test_every_kind_refuses_it(bomb: str, kind: str) -> None:
    with pytest.raises(SourceError, match=r"^line \d+, column \d+: "):
        kinds.parse(BOMBS[bomb], kind)


def test_nothing_is_fetched_or_included(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a parser must not look outside")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("socket.socket", refuse)
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hosts" parse="text"/>'
    assert text(f"before {include} after", "<!DOCTYPE r SYSTEM 'http://127.0.0.1:9/r.dtd'>") == "before  after"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"])
def test_the_declared_encoding_is_honoured(encoding: str) -> None:
    page = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?><r>Café</r>'.encode(encoding)
    root, notes = tree_of(page)
    assert (text_of(root), notes) == ("Café", ())


def test_a_wrong_encoding_is_read_with_a_warning() -> None:
    root, notes = tree_of("<r>Café</r>".encode("windows-1252"))
    assert text_of(root) == "Café"
    assert notes[0].startswith("the encoding is not the declared one")
