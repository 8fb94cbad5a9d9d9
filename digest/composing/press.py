"""The fast way: mails assembled from parts that were rendered and encoded once, equal to those of `compose`."""

from __future__ import annotations

import datetime as dt
import email.utils
import marshal
import re
from binascii import a2b_qp
from collections.abc import Hashable, Iterable, Iterator, Sequence
from email.utils import parseaddr
from typing import Any, TypeVar

from django.conf import settings
from django.core.mail.message import sanitize_address

from digest.composing import parts, words
from digest.composing.headers import same_for_all
from digest.composing.listed import listed
from digest.composing.parts import Block, Frame, PaperParts, Reason, Styles, frames, lane_slot
from digest.composing.plain import MAX_HTML_BYTES, fewer
from digest.composing.quoted import header, quote, quote_html
from digest.composing.seals import Desk, Links
from digest.excerpts import shorten
from digest.letters import Letter
from digest.models import Delivery, Digest, Paper

KEPT_FOR = dt.timedelta(minutes=10)  # a paper's upvotes and lists may be so old in a mail
BLOCKS, REASONS, FRAMES, SUBJECTS = 3_000, 50_000, 500, 5_000  # kept at most; a block is some 8 kB
TEASER_DOT = quote(" · ")

_SIMPLE_ADDRESS = re.compile(r"[\w.+-]+@[A-Za-z0-9.-]+", re.ASCII)
_TEXT_PART = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML_PART = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'

Pick = dict[str, Any]
Value = TypeVar("Value")


class Press:
    """One for a process, which keeps the parts from chunk to chunk.

    `now` dates the mails. Templates and settings are taken as they are when a part is first needed.
    """

    def __init__(self) -> None:
        self._began: dt.datetime | None = None
        self._papers: dict[int, PaperParts | None] = {}  # None: deleted
        self._blocks: dict[Hashable, Block] = {}
        self._reasons: dict[Hashable, Reason] = {}
        self._frames: dict[Hashable, tuple[Frame, Frame]] = {}
        self._subjects: dict[Hashable, bytes] = {}
        self._styles, self._desk = Styles(), Desk()
        self._sender = parseaddr(sanitize_address(settings.DEFAULT_FROM_EMAIL, "utf-8"))[1]
        fixed = {"From": sanitize_address(settings.DEFAULT_FROM_EMAIL, "utf-8"), "MIME-Version": "1.0"}
        self._fixed = b"".join(header(name, value) for name, value in (fixed | same_for_all()).items())

    def letters(self, deliveries: Iterable[Delivery], now: dt.datetime) -> Iterator[Letter]:
        """The mails of these deliveries, with their digests and readers. Two queries for new papers, or none."""
        chunk = list(deliveries)
        self._read([delivery.digest for delivery in chunk], now)
        date = header("Date", email.utils.format_datetime(now))
        for delivery in chunk:
            yield self._letter(delivery.pk, delivery.digest, date)

    def letter(self, digest: Digest, now: dt.datetime) -> Letter:
        """The mail of one digest, which may be stored nowhere."""
        self._read([digest], now)
        return self._letter(0, digest, header("Date", email.utils.format_datetime(now)))

    def _read(self, digests: Iterable[Digest], now: dt.datetime) -> None:
        """Read and prepare the papers that are not known yet."""
        if self._began is None or not self._began <= now < self._began + KEPT_FOR:
            self._papers, self._blocks, self._subjects, self._began = {}, {}, {}, now
        wanted = {pick["paper"] for digest in digests for pick in digest.picks} - self._papers.keys()
        if not wanted:
            return
        found = Paper.objects.in_bulk(wanted)
        places = listed(found.values())
        for pk in wanted:
            paper = found.get(pk)
            self._papers[pk] = PaperParts(paper, places[pk], self._styles) if paper else None

    def _letter(self, key: int, digest: Digest, date: bytes) -> Letter:
        address = digest.subscriber.email
        if not _SIMPLE_ADDRESS.fullmatch(address):
            address = sanitize_address(address, "utf-8")
        own = self._desk.links(digest)
        subject, text, html = self._parts(digest, own)
        edge = f"=_{own.message_id[10:42]}"  # no line of quoted-printable can begin "=_"
        data = b"".join((
            self._fixed, subject, date,
            f"To: {address}\r\nMessage-ID: {own.message_id}\r\nList-Unsubscribe:\r\n <{own.unsubscribe}>\r\n"
            f'Content-Type: multipart/alternative;\r\n boundary="{edge}"\r\n\r\n--{edge}\r\n'.encode("ascii"),
            _TEXT_PART, text, f"\r\n--{edge}\r\n".encode("ascii"),
            _HTML_PART, html, f"\r\n--{edge}--\r\n".encode("ascii"),
        ))  # fmt: skip
        return Letter(key, self._sender, address, data)

    def _parts(self, digest: Digest, own: Links) -> tuple[bytes, bytes, bytes]:
        """Subject line, text and HTML; fewer papers where all would be too large."""
        picks = [pick for pick in digest.picks if self._papers[pick["paper"]]]
        subject, text, html = self._filled(digest, picks, own)
        while len(html) > MAX_HTML_BYTES and len(picks) > 1 and _size(html) > MAX_HTML_BYTES:
            picks = fewer(picks)
            subject, text, html = self._filled(digest, picks, own)
        return subject, text, html

    def _filled(self, digest: Digest, picks: Sequence[Pick], own: Links) -> tuple[bytes, bytes, bytes]:
        lanes = words.lanes(picks, is_weekly=words.is_weekly(digest.subscriber))
        values = {
            parts.WEB_COPY: quote(own.web_copy),
            parts.FEEDBACK: quote(own.feedback),
            parts.PREFERENCES: quote(own.preferences),
            parts.UNSUBSCRIBE: quote(own.unsubscribe),
            parts.PREHEADER: self._preheader(picks),
        }
        feedback, texts, htmls = values[parts.FEEDBACK], dict(values), values
        for number, lane in enumerate(lanes):
            blocks = [self._block(kind, pick) for kind, pick in lane.picks]
            slot = lane_slot(number)
            texts[slot] = b"".join([feedback.join(block.text) for block in blocks])
            htmls[slot] = b"".join([feedback.join(block.html) for block in blocks])
        html, text = self._frame(digest, lanes, len(digest.picks) - len(picks))
        return self._subject(digest, picks), text.filled(texts), html.filled(htmls)

    def _block(self, kind: str, pick: Pick) -> Block:
        paper, reasons = pick["paper"], pick["reasons"]
        key = (paper, kind, marshal.dumps(reasons, 2))  # version 2: equal values are equal bytes
        block = self._blocks.get(key)
        if block is None:
            known = self._papers[paper]
            assert known is not None
            why = [self._reason(reason) for reason in words.spoken(reasons)] or [self._reason(None)]
            block = _keep(self._blocks, key, known.block(kind, reasons, why), BLOCKS)
        return block

    def _reason(self, reason: Pick | None) -> Reason:
        if reason is None:
            key: Hashable = None
        else:
            fields = bool(reason.get("title")), bool(reason.get("abstract"))
            key = (reason.get("kind"), reason["line"], fields, *reason["words"])
        found = self._reasons.get(key)
        if found is None:
            said = words.reason_words(reason) if reason else words.trending_reason()
            found = _keep(self._reasons, key, parts.reason_parts(said, self._styles), REASONS)
        return found

    def _frame(self, digest: Digest, lanes: Sequence[words.Lane], left_out: int) -> tuple[Frame, Frame]:
        shape = [(lane.name, len(lane.picks)) for lane in lanes]
        key = (digest.issue_date, digest.notice, digest.subscriber.frequency, left_out, *shape)
        found = self._frames.get(key)
        return found or _keep(self._frames, key, frames(digest, lanes, left_out), FRAMES)

    def _preheader(self, picks: Sequence[Pick]) -> bytes:
        if len(picks) == 1:
            known = self._papers[picks[0]["paper"]]
            return quote_html(shorten(known.excerpt(picks[0]["reasons"]), 2 * words.TEASER)) if known else b""
        shown = [self._papers[pick["paper"]] for pick in picks[1 : 1 + words.TEASERS]]
        return TEASER_DOT.join([known.teaser for known in shown if known])

    def _subject(self, digest: Digest, picks: Sequence[Pick]) -> bytes:
        count = sum(pick["lane"] != words.OVERFLOW for pick in picks)
        weekly = words.is_weekly(digest.subscriber)
        key = (picks[0]["paper"] if picks else None, count, weekly)
        found = self._subjects.get(key)
        if found is None:
            known = self._papers[picks[0]["paper"]] if picks else None
            subject = words.subject_of(known.title if known else "", count, weekly=weekly)
            found = _keep(self._subjects, key, header("Subject", subject), SUBJECTS)
        return found


def _keep(store: dict[Hashable, Value], key: Hashable, value: Value, most: int) -> Value:
    """The value, kept; what was made longest ago goes when there are too many."""
    if len(store) >= most:
        del store[next(iter(store))]
    store[key] = value
    return value


def _size(html: bytes) -> int:
    """Bytes of the HTML once it is decoded, as `compose` counts them."""
    return len(a2b_qp(html).replace(b"\r\n", b"\n"))
