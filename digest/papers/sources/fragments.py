"""Texts that may be HTML where nothing says whether they are: JSON, tables, bibliographies."""

from __future__ import annotations

import re

from digest.papers.sources.markup import text_of_html
from digest.papers.sources.plain_text import MAX_ABSTRACT

MAX_MARKUP = MAX_ABSTRACT * 5  # HTML may be five times its text; what lies beyond is not worth the time

# A text is taken for HTML only where nothing else would be written so: arXiv's abstracts speak of "<think>"
# tokens and of $<s>$.
IS_HTML = re.compile(
    r"<(?:jats|mml):|</(?:p|i|b|em|strong|su[bp]|span|div|a|[ou]l|li|font|script|style|iframe|svg|title)\s*>"
    r"|<(?:p|br|img|meta|base|iframe|svg|script|style)[\s/>]"
    r"|&(?:[a-z]{2,8}|#[0-9]{1,6}|#x[0-9a-f]{1,5});",
    re.IGNORECASE,
)


def seen_text(text: str) -> str:
    """The text as a reader sees it: without its tags and entities where it is HTML, else as it is."""
    text = text[:MAX_MARKUP]
    return text_of_html(text) if ("<" in text or "&" in text) and IS_HTML.search(text) else text
