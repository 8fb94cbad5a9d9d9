"""An XML page as a tree of elements known by their local names, and the text a reader sees of them.

For the vocabularies feedparser does not know. Namespaces are left out: servers forget and misspell them
(a MARC record whose fields are in OAI-PMH's namespace, an arXiv record without one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from xml.etree.ElementTree import Element, TreeBuilder

from digest.papers.sources.mathml import Node, math_text
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.xml_page import Walk, walked

# "10<sup>3</sup>" must not become "103".
EXPONENT = re.compile(r"\s*[-+\u2212]?[0-9n]{1,9}[-+\u2212]?\s*")
BLOCKS = frozenset({"p", "sec", "title", "list-item", "break", "disp-formula", "def-item"})


def tree_of(page: bytes | str) -> tuple[Element, tuple[str, ...]]:
    """The root of the page, and a warning for each mend."""
    _, growing, notes = walked(page, Growing)
    assert isinstance(growing, Growing)
    return growing.builder.close(), notes


class Growing(Walk):
    """The walk that keeps what it passes."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()
        # A DTD that is never fetched may have declared &eacute;: most such names are HTML's.
        self.parser.SkippedEntityHandler = self._skip

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if attributes:
            attributes = {name.rpartition(" ")[2]: value for name, value in attributes.items()}
        self.builder.start(tag.rpartition(" ")[2], attributes)

    def text(self, text: str) -> None:
        super().text(text)
        self.builder.data(text)

    def end(self, tag: str) -> None:
        super().end(tag)
        self.builder.end(tag.rpartition(" ")[2])

    def _skip(self, name: str, _is_parameter: bool) -> None:
        if self.depth:
            self.builder.data(html5.get(f"{name};", ""))


def wrong_root(root: Element, expected: str) -> SourceError:
    return SourceError(f"the page is not {expected} (its root is {root.tag[:60]!r}): check the source's address")


def text_of(element: Element | None) -> str:
    """What a reader sees of the element: all text inside it, exponents as "^3"; "" for None."""
    return "" if element is None else "".join(_pieces(element))


def _pieces(element: Element) -> Iterator[str]:
    if element.tag == "alternatives":  # the same formula twice, in MathML and in TeX
        chosen = element.find("tex-math")
        yield from _pieces(chosen if chosen is not None else element[0]) if len(element) else ()
        return
    if element.tag == "math":
        yield math_text(_node_of(element))
        return
    if element.tag == "sup" and EXPONENT.fullmatch(element.text or "") and not len(element):
        yield f"^{(element.text or '').strip()}"
        return
    yield element.text or ""
    for child in element:
        if child.tag != "fn" and child.get("ref-type") != "fn":
            yield from _pieces(child)
        if child.tag in BLOCKS:
            yield " "
        yield child.tail or ""


def _node_of(element: Element) -> Node:
    parts: list[Node | str] = [element.text or ""]
    for child in element:
        parts += [_node_of(child), child.tail or ""]
    return element.tag, parts


def texts(element: Element, path: str) -> list[str]:
    """The texts at that path below the element, in their order, empty ones left out."""
    return [text for found in element.iterfind(path) if (text := text_of(found).strip())]


def first_text(element: Element, *paths: str) -> str:
    """The first text at one of the paths, "" where there is none."""
    return next((text for path in paths for text in texts(element, path)), "")
