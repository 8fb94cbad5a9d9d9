"""Log lines without the secrets and e-mail addresses that URLs and messages carry. Pure."""

from __future__ import annotations

import copy
import logging
import re
from urllib.parse import quote, unquote

from subscriptions.addresses import masked
from subscriptions.visible import on_one_line, visible

MAX_DECODINGS = 5  # a word that is percent-encoded more often is dropped

# Each word is looked at on its own; what breaks words in a log line never stands raw in a URL.
_WORD = re.compile(r'[^\s"\']+')
# The path segment behind one of these is a token or a secret.
_SECRET = re.compile(
    r"(/(?:confirm|preferences|link|unsubscribe|digest|feedback|feeds/+mine)/+)[^/?#]{20,}", re.IGNORECASE
)
# A signed token wherever it stands: code.version:signature, for some purposes with another version or a date behind
# the first, and with a time stamp before the signature or without.
_TOKEN = re.compile(r"[\w-]{16}(?:\.\d{1,10}){1,2}(?::\w{1,12})?:[\w-]{20,}")
# Staff search for people, and so do some public forms.
_ADMIN = re.compile(r"/admin/", re.IGNORECASE)
_PARAMETER = re.compile(
    r"((?:^|[?&;])(?:q|s|e-?mail|address|user(?:name)?|token|secret|key|password|code)=)[^&;#]+", re.IGNORECASE
)
_ADDRESS = re.compile(r"[^\s\"'<>(),;:@/=?&\[\]…]{1,64}@(?:\[[^\[\]\s]{0,64}\]|[\w.-]+)")


def redact(text: str) -> str:
    """Return the text with "…" for each secret and a mask for each e-mail address, percent-encoded ones too."""
    if not any(sign in text for sign in "@%/=:"):
        return text
    return _WORD.sub(lambda found: _redact_word(found[0]), text)


def _redact_word(word: str) -> str:
    """Redact one word at each level of its percent-encoding; one that hides nothing stays as it was written."""
    seen = shown = _hide(word)
    for _ in range(MAX_DECODINGS):
        decoded = unquote(seen)
        if decoded == seen:
            return shown
        seen = _hide(decoded)
        if seen != decoded:
            shown = _on_one_line(seen)
    return "…"


def _hide(text: str) -> str:
    path, mark, _ = text.partition("?")
    if mark and _ADMIN.search(path):
        text = f"{path}?…"
    text = _PARAMETER.sub(r"\1…", text)
    text = _SECRET.sub(r"\1…", text)
    text = _TOKEN.sub("…", text)
    return _ADDRESS.sub(lambda found: masked(found[0]), text)


def _on_one_line(text: str) -> str:
    """Encode again what a decoded word must not bring into a log: line ends, quotes, control characters."""
    return "".join(sign if sign.isprintable() and sign not in " \"'\\" else quote(sign, safe="") for sign in text)


def loggable(text: str) -> str:
    """Return one line of a log without secrets and without anything that could forge another line."""
    return on_one_line(redact(text))


class RedactingFormatter(logging.Formatter):
    """Redacts the whole line, its traceback included. A message cannot begin another line."""

    def format(self, record: logging.LogRecord) -> str:
        clean = copy.copy(record)
        clean.msg, clean.args = on_one_line(record.getMessage()), ()
        return "\n".join(visible(redact(line)) for line in super().format(clean).split("\n"))
