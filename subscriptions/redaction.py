"""Log lines without the secrets that stand in addresses."""

from __future__ import annotations

import logging
import re

# Everything that a token or a secret opens: the part after it is what nobody else may read.
_SECRET = re.compile(r"(/(?:confirm|preferences|link|unsubscribe|digest|feedback|feeds/mine)/)[^/\s?\"]{20,}")


def redact(text: str) -> str:
    """The text with "…" where an address has its token."""
    return _SECRET.sub(r"\1…", text)


class NoSecrets(logging.Filter):
    """Cleans what a line says before it is written; it lets every line through."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (clean := redact(text)) != text:
            record.msg, record.args = clean, ()
        return True
