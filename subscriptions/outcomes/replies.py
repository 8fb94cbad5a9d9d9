"""SMTP replies and what they mean: one table, read from the top, the first row that fits counts. Pure.

Codes: RFC 5321 4.2, enhanced codes: RFC 3463 and 5248 and IANA's registry. Large receivers say 5xx of much that is
about the sender and not about the mailbox: rows of words stand above rows of codes, and only a row that names a dead
mailbox condemns an address.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from subscriptions.outcomes.meanings import (
    BLOCKLISTED,
    BUSY,
    CLOSING,
    CONTENT,
    DEAD,
    FULL,
    IN_DOUBT,
    KEY,
    LATER,
    MALFORMED,
    ODD,
    POLICY,
    PUT_OFF,
    REFUSED,
    SENDER,
    THROTTLED,
    TOO_BIG,
    TROUBLE,
    UNPROVEN,
    UNPROVEN_SENDER,
    UNREACHED,
    Meaning,
)


class Row(NamedTuple):
    """`codes` fits the beginning of "550 5.1.1" ("550 -" without an enhanced code), `words` any place of the text."""

    codes: str
    words: str
    meaning: Meaning


TABLE = (
    # --- the session
    Row(r"421", r"", CLOSING),
    Row(r"(454|53[0458]) ", r"", KEY),  # authentication: RFC 4954
    # --- about us, whatever the code
    Row(r"[45]", r"receiving (mail|messages|email) (at a rate|too quickly|too fast)", BUSY),
    Row(r"[45]", r"gr[ae]y.?list", LATER),
    Row(
        r"[45]",
        r"too many (\w+ )?(connections|sessions|messages|mails|errors|requests|concurrent)|rate.?limit|throttl"
        r"|slow down|sending (rate|limit|quota)|(hourly|daily) (\w+ )?(limit|quota)|unusual rate",
        THROTTLED,
    ),
    Row(
        r"[45]",
        r"spamhaus|spamcop|barracuda|sorbs|dnsbl|\brbl\b|(block|black|deny).?list|\bblocked using\b"
        r"|(poor|bad|low|ip|sender|domain) reputation|\b(your|sending) (ip|network)\b"
        r"|^(?>.*?client host ).*(blocked|rejected)",
        BLOCKLISTED,
    ),
    Row(r"5\d\d 5\.7\.(2[0-9]|30|509|515)\b", r"", UNPROVEN_SENDER),  # RFC 7372, Gmail 5.7.26, Outlook.com 5.7.515
    Row(r"[45]", r"\b(dmarc|spf|dkim|arc)\b|unauthenticated|not authenticated|authentication (check|result)s?",
        UNPROVEN_SENDER),
    # The network address we send from has no name: "no reverse DNS", "PTR record", "rDNS".
    Row(r"[45]", r"reverse.?dns|\brdns\b|\bptr\b|reverse (hostname|lookup|host name)|forward.confirmed|\bfcrdns\b"
        r"|cannot find your (reverse )?hostname|fix reverse", BLOCKLISTED),
    Row(r"5\d\d 5\.1\.[78]\b", r"", SENDER),  # the sender's mailbox or domain, not the reader's
    Row(r"[45]", r"relay(ing)? (access )?(denied|not permitted|prohibited)|(not permitted|unable) to relay", SENDER),
    Row(r"[45]", r"\bsender('s)? ((e-?mail|address|domain) )*(rejected|refused|denied|not|does|must|invalid|unknown)"
        r"|sender verif|(invalid|unknown|unverified|bad) sender|not owned by user|domain of sender", SENDER),
    # --- about the message
    Row(r"55[24] 5\.3\.4\b|5\d\d 5\.2\.3\b", r"", TOO_BIG),
    # (?>...) finds the first such word and no other, so that the search goes over the words once.
    Row(r"5", r"^(?>.*?(message|mail|size))(.*too (big|large)|(?>.*?\bexceed\w* ).*(size|limit|maximum))"
        r"|^too (big|large)", TOO_BIG),
    Row(r"5", r"\bspam\b|\bvirus|malware|phish|unsolicited|(content|message) (was )?(rejected|refused|blocked)",
        CONTENT),
    # --- about the mailbox
    Row(r"[45]\d\d [45]\.2\.2\b", r"", FULL),
    Row(r"[45]", r"(mail|in)box (is )?(full|over)|over ?quota|quota (is )?exceeded|^(?>.*?\bexceed\w* ).*quota"
        r"|out of storage"
        r"|insufficient (mailbox )?(storage|space|quota)|exceeded storage", FULL),
    Row(r"5\d\d 5\.1\.(1|2|3|6|10)\b", r"", DEAD),
    Row(r"5\d\d 5\.2\.1\b", r"", DEAD),  # disabled
    Row(
        r"5",
        r"(user|recipient|mailbox|account|address) (is )?(unknown|not found|disabled|inactive|invalid|not known)"
        r"|(no such|unknown|invalid|nonexistent|non-existent) (local )?(user|recipient|mailbox|address|account|person)"
        r"|(does not|doesn't|no longer) exist|no mailbox here"
        r"|(does not|doesn't|do not|don't) have an? ([\w.-]{1,60} )?(account|mailbox|user)"
        r"|(account|mailbox|user) (has been |was |is )?(deleted|closed|deactivated|terminated|suspended|discontinued)"
        r"|no such (mail|e-?mail) ?(box|address)|no longer (valid|in use|active|available)",
        DEAD,
    ),
    Row(r"4\d\d 4\.1\.\d", r"", UNPROVEN),
    Row(r"4\d\d 4\.2\.\d", r"", BUSY),
    Row(r"4\d\d 4\.[34]\.\d", r"", TROUBLE),
    Row(r"4\d\d 4\.7\.\d", r"", PUT_OFF),
    Row(r"5\d\d 5\.[56]\.\d", r"", MALFORMED),
    Row(r"5\d\d 5\.7\.\d", r"", POLICY),
    Row(r"5\d\d 5\.[124]\.\d", r"", REFUSED),
    # --- by the bare code
    Row(r"45[12]", r"", TROUBLE),
    Row(r"4", r"", BUSY),
    Row(r"50\d", r"", MALFORMED),
    Row(r"552", r"", TOO_BIG),
    Row(r"554", r"", POLICY),
    Row(r"5", r"", REFUSED),
)  # fmt: skip

LONGEST = 2000  # characters of a reply that are read

_ENHANCED = re.compile(r"^\W*([245]\.\d{1,3}\.\d{1,3})\b")
_TABLE = [(re.compile(row.codes), re.compile(row.words, re.I | re.S), row) for row in TABLE]


def find(code: int, text: str) -> Row | None:
    """The row for a refusal; None where the code is no refusal at all."""
    text = text[:LONGEST]
    enhanced = _ENHANCED.search(text)
    codes = f"{code} {enhanced[1] if enhanced else '-'}"
    words = re.sub(r"(?<!\S)\S*@\S*", "", text[enhanced.end() :] if enhanced else text)  # virus@example.org is no virus
    # The lines of a long reply repeat the enhanced code, and break sentences in two.
    words = " ".join(re.sub(r"[\r\n]+(\d{3}[ -])?\s*([245]\.\d{1,3}\.\d{1,3})?", " ", words).split())
    return next((row for starts, says, row in _TABLE if starts.match(codes) and says.search(words)), None)


def read_reply(code: int, text: str, *, in_doubt: bool = False) -> Meaning:
    """What an SMTP reply to RCPT or to the message means. `code` 0 or -1: none came, and `in_doubt` says whether the
    whole message may have left before the connection was lost (RFC 5321 4.5.3.2.6).
    """
    if code <= 0:
        return IN_DOUBT if in_doubt else UNREACHED
    row = find(code, text)
    return row.meaning if row else ODD
