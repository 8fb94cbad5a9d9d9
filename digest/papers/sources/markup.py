"""HTML, read with BeautifulSoup: whole pages, and the fragments that feeds put into descriptions."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.exceptions import ParserRejectedMarkup

from digest.papers.sources.mathml import Node, math_text
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import without_never_text

# Feeds write "p<q" and "<k>" into text that is said to be HTML. Only what starts like one of these is a
# tag, and names of one letter must go on like a tag; any other "<" is a sign a reader should see.
ELEMENTS = (
    "abbr|acronym|address|applet|area|article|aside|audio|base|bdi|bdo|big|blockquote|body|br|button"
    "|canvas|caption|center|cite|code|col|colgroup|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset"
    "|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|img|input|ins|kbd"
    "|label|legend|li|link|main|map|mark|marquee|math|m[inos]|m(?:row|sub|sup|subsup|frac|sqrt|text|style|over"
    "|under|underover|fenced|table|tr|td|root|space|multiscripts|prescripts|phantom|padded|stack|error|action|enclose)"
    "|menu|meta|nav|nobr|noscript|object|ol|optgroup|option|param|picture|plaintext"
    "|pre|rp|rt|ruby|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg"
    "|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|tt|ul|var|video|wbr|xmp"
    "|italic|bold|sc|sec|inline-formula|disp-formula|alternatives|tex-math|xref|named-content"  # JATS
    "|inf|scp|semantics|annotation(?:-xml)?|none"  # Elsevier's and Wiley's; MathML's
)
LETTERS = r"[abipqsu](?=\s*/?>|\s+[\w:-]+\s*=)"
# "<std:vector>" is a type of C++: only publishers' own prefixes are known.
PREFIXES = "jats|mml|m|ce|xocs|sb|sa|tei|xhtml"
NOT_A_TAG = re.compile(
    rf"<(?!/?(?:{PREFIXES}):[a-z][\w-]{{0,30}}[\s/>]|/?(?:(?:(?:{ELEMENTS})(?=[\s/>])|{LETTERS}))|!--)", re.IGNORECASE
)
# "&copy=2" in a link is a parameter, not a copyright sign: only references that end in ";" are decoded.
NOT_A_REFERENCE = re.compile(r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")

# Where a reader sees a break, a word ends. Marked before parsing: changing a tree of 40,000 paragraphs in
# BeautifulSoup takes minutes.
BLOCK = re.compile(
    r"(?=</?(?:address|article|aside|blockquote|br|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|li|main"
    r"|ol|p|pre|section|table|td|th|tr|ul|jats:p|jats:sec|jats:title)[\s/>])",
    re.IGNORECASE,
)
# "10<sup>3</sup>" must not become "103".
EXPONENT = re.compile(
    r"<(?:jats:|ce:)?sup(?:\s[^<>]*)?>\s*([-+\u2212]?[0-9n]{1,9}[-+\u2212]?)\s*</(?:jats:|ce:)?sup>", re.IGNORECASE
)
TEX_MATH = ("tex-math", "jats:tex-math")
UNSEEN = frozenset({"head", "iframe", "noscript", "object", "script", "style", "template"})


def soup_of(html: str) -> BeautifulSoup:
    """The page as BeautifulSoup reads it; SourceError where even lxml gives up."""
    # XML's instructions before HTML (XHTML) say nothing here and make BeautifulSoup warn.
    source = re.sub(r"^(?:\s*<\?[^>]*>?)+", "", without_never_text(html))
    try:
        return BeautifulSoup(source, "lxml")
    except (ParserRejectedMarkup, RecursionError):
        raise SourceError("the page is not HTML that can be read: save it again from the browser") from None


def text_of_html(html: str) -> str:
    """What a reader sees of a fragment: no tags, scripts or styles, entities decoded, blocks kept apart."""
    if "<" not in html and "&" not in html:
        return html
    marked = EXPONENT.sub(r"^\1", BLOCK.sub(" ", NOT_A_TAG.sub("&lt;", html)))
    # The wrapper keeps BeautifulSoup from taking a short text for a file name or an address.
    soup = soup_of(f"<div>{NOT_A_REFERENCE.sub('&amp;', marked)}</div>")
    for tag in soup(UNSEEN):
        tag.clear()
    for tag in soup(_is_twice):  # in MathML and in TeX
        for math in tag(_is_math):
            math.clear()
    for tag in soup(_is_math):
        tag.replace_with(math_text(_node_of(tag)))
    return soup.get_text()


def _is_math(tag: Tag) -> bool:
    return tag.name.rpartition(":")[2] == "math"


def _is_twice(tag: Tag) -> bool:
    return tag.name.rpartition(":")[2] == "alternatives" and tag.find(TEX_MATH) is not None


def _node_of(tag: Tag) -> Node:
    children = tag.children
    return tag.name, [_node_of(child) if isinstance(child, Tag) else str(child) for child in children]
