"""Texts that may be HTML where nothing says whether they are: JSON, tables, bibliographies."""

from __future__ import annotations

import re

from digest.papers.sources.markup import text_of_html
from digest.papers.sources.plain_text import MAX_ABSTRACT, MAX_TITLE, one_line

MAX_MARKUP = MAX_ABSTRACT * 5  # HTML may be five times its text; what lies beyond is not worth the time

# A text is taken for HTML only where nothing else would be written so: arXiv's abstracts speak of "<think>"
# tokens and of $<s>$.
IS_HTML = re.compile(
    r"<(?:jats|mml|m|ce|xocs|sb|sa|tei|xhtml):[a-z]"
    r"|</(?:p|i|b|u|em|strong|su[bp]|inf|scp|span|div|a|[ou]l|li|font|tt|small|script|style|iframe|svg|title|italic|bold|math)\s*>"
    r"|<(?:math|inf|scp|sc|su[bp])[\s>]"
    r"|<(?:p|br|img|meta|base|iframe|svg|script|style)[\s/>]"
    r"|&(?:[a-z]{2,8}|#[0-9]{1,6}|#x[0-9a-f]{1,5});",
    re.IGNORECASE,
)


def seen_text(text: str) -> str:
    """The text as a reader sees it: without its tags and entities where it is HTML, else as it is."""
    text = text[:MAX_MARKUP]
    return text_of_html(text) if ("<" in text or "&" in text) and IS_HTML.search(text) else text


LAYERS = 3  # of escaping: "&amp;amp;lt;i&amp;amp;gt;" is seen in the wild
# What is left of tags without a partner; "$<i>$" is an average.
TAG = (
    r"</?(?:i|b|em|strong|su[bp]|inf|scp|italic|bold|math|(?:jats|mml|ce):[a-z-]{1,30}|m(?:frac|row|su[bp]|i|n|o))"
    r"(?:\s[^<>]{0,300})?/?>"
)
LONE_TAG = re.compile(rf"(?<!\$){TAG}|{TAG}(?!\$)", re.IGNORECASE)
CDATA = re.compile(r"<!\[CDATA\[|\]\]>")


def title_line(value: object, *, is_literal: bool = False) -> str:
    """A title as a reader sees it, or "" where there is nothing to recognise a paper by.

    A literal one has no markup: arXiv's "<b>" is an average.
    """
    title = value[:MAX_MARKUP] if isinstance(value, str) else ""
    for _ in range(0 if is_literal else LAYERS):
        title, before = seen_text(CDATA.sub("", title) if "CDATA" in title else title), title
        if title == before:
            break
    title = one_line(title if is_literal else LONE_TAG.sub("", title), MAX_TITLE)
    return title if any(character.isalnum() for character in title) else ""
