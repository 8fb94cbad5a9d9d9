"""What goes out and what came back: the words that composing, the ways out and delivery share. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from subscriptions.outcomes import classify

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


class Order(NamedTuple):
    """A mail to be made and sent: its digest and its reader in the columns that this takes, read without the ORM, whose
    instances cost more than composing. `key` is the delivery's id; `picks` and `reasons` are the digest's
    packed columns.
    """

    key: int
    issue_date: dt.date
    picks: bytes
    reasons: bytes
    notice: str
    is_catch_up: bool
    email: str
    code: str
    token_version: int
    frequency: str
    language: str
    attempts: int = 0
    doubts: int = 0
    email_key: str = ""
    subscriber_id: int = 0
    is_wanted: bool = True  # when it was read


class Letter(NamedTuple):
    """A mail ready for the wire. `key` is the delivery's id; `data` the message in RFC 5322 form, lines ended by
    CRLF, not dot-stuffed, ended by CRLF. `is_plain` promises that it is ASCII and that no line begins with a dot.
    """

    key: int
    sender: str
    recipient: str
    data: bytes
    is_plain: bool = False
    known_id: str = ""  # its Message-ID, where whoever made it had it at hand

    @property
    def message_id(self) -> str:
        """As its header names it; "" without one."""
        if self.known_id:
            return self.known_id
        found = _MESSAGE_ID.search(self.data)
        return found[1].decode("ascii", "replace") if found else ""


class Answer(NamedTuple):
    """What the other side said of one letter.

    `code` is SMTP's reply code (250: taken), or 0 where no answer came. Without an answer, `in_doubt` says whether
    the whole letter may have left: then nobody can know whether it was taken; otherwise it certainly was not.
    """

    key: int
    code: int
    text: str = ""
    in_doubt: bool = False
    message_id: str = ""  # the provider's own name for it, where it gives one
    said: classify.Meaning | None = None  # a provider's verdict: it says more than a code can

    @property
    def is_taken(self) -> bool:
        return 200 <= self.code < 300

    @property
    def meaning(self) -> classify.Meaning:
        """What to do about a letter that was not taken."""
        return self.said or classify.read_reply(self.code, self.text, in_doubt=self.in_doubt)
