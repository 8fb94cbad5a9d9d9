"""The fast way: mails assembled from parts that were rendered and encoded once, equal to those of `compose`."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from binascii import a2b_qp
from collections.abc import Hashable, Iterable, Iterator, Sequence
from email.utils import parseaddr
from typing import Any

from django.core.mail.message import sanitize_address
from django.utils.translation import override

from digest.composing import parts, words
from digest.composing.excerpts import shorten
from digest.composing.headers import same_for_all, sender
from digest.composing.listed import listed
from digest.composing.parts import Layout, PaperParts, Reasons, Styles, frames, keep
from digest.composing.plain import MAX_HTML_BYTES, fewer
from digest.composing.quoted import header, quote, quote_address, quote_html
from digest.composing.seals import Desk, Links
from digest.letters import Letter
from digest.models import Delivery, Digest, Paper

KEPT_FOR = dt.timedelta(minutes=10)  # a paper's upvotes and lists may be so old in a mail
FRAMES, SUBJECTS = 500, 5_000  # kept at most
TEASER_DOT = quote(" · ")

_SIMPLE_ADDRESS = re.compile(r"[\w.+-]+@[A-Za-z0-9.-]+", re.ASCII)
_TEXT_PART = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML_PART = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'

Pick = dict[str, Any]


class Press:
    """One for a process, which keeps the parts from chunk to chunk, each in the languages it was needed in.

    `now` dates the mails. Templates and settings are taken as they are when a part is first needed.
    """

    def __init__(self) -> None:
        self._began: dt.datetime | None = None
        self._papers: dict[int, PaperParts] = {}
        self._gone: set[int] = set()
        self._reasons: dict[str, Reasons] = {}  # by language
        self._frames: dict[Hashable, tuple[Layout, Layout]] = {}
        self._subjects: dict[Hashable, bytes] = {}
        self._styles, self._desk = Styles(), Desk()
        self._sender = parseaddr(sender())[1]
        self._fixed: dict[str, bytes] = {}  # by language

    def letters(self, deliveries: Iterable[Delivery], now: dt.datetime) -> Iterator[Letter]:
        """The mails of these deliveries, with their digests and readers. Two queries for new papers, or none."""
        chunk = [(delivery.pk, delivery.digest) for delivery in deliveries]
        self._read([digest for _, digest in chunk], now)
        date = header("Date", email.utils.format_datetime(now))
        for key, digest in chunk:
            yield self._letter(key, digest, date)

    def letter(self, digest: Digest, now: dt.datetime) -> Letter:
        """The mail of one digest, which may be stored nowhere."""
        self._read([digest], now)
        return self._letter(0, digest, header("Date", email.utils.format_datetime(now)))

    def _read(self, digests: Iterable[Digest], now: dt.datetime) -> None:
        """Read and prepare the papers that are not known yet."""
        if self._began is None or not self._began <= now < self._began + KEPT_FOR:
            self._papers, self._gone, self._subjects, self._began = {}, set(), {}, now
        wanted = {pick["paper"] for digest in digests for pick in digest.picks} - self._papers.keys() - self._gone
        if not wanted:
            return
        found = Paper.objects.in_bulk(wanted)
        places = listed(found.values())
        self._papers |= {pk: PaperParts(paper, places[pk], self._styles) for pk, paper in found.items()}
        self._gone |= wanted - found.keys()

    def _letter(self, key: int, digest: Digest, date: bytes) -> Letter:
        """In the reader's language, with fewer papers where all would be too large."""
        own, language = self._desk.links(digest), digest.subscriber.language
        picks = [pick for pick in digest.picks if pick["paper"] not in self._gone] if self._gone else digest.picks
        with override(language):
            recipient, data = self._data(digest, picks, own, date, language)
            while len(data) > MAX_HTML_BYTES and len(picks) > 1 and _size_of_html(data) > MAX_HTML_BYTES:
                picks = fewer(picks)
                recipient, data = self._data(digest, picks, own, date, language)
        return Letter(key, self._sender, recipient, data)

    def _data(self, digest: Digest, picks: Sequence[Pick], own: Links, date: bytes, language: str) -> tuple[str, bytes]:
        """Whom the mail goes to, and all of it, joined from its pieces once."""
        reader = digest.subscriber
        address = reader.email
        if not _SIMPLE_ADDRESS.fullmatch(address):
            address = sanitize_address(address, "utf-8")
        subject = self._subject(language, digest, picks)
        text, html = self._parts(digest, picks, own, language)
        edge = f"=_{own.message_id[10:42]}"  # no line of quoted-printable can begin "=_"
        data = b"".join([
            self._fixed.get(language) or self._fixed.setdefault(language, _fixed(language)), subject, date,
            f"To: {address}\r\nMessage-ID: {own.message_id}\r\nList-Unsubscribe:\r\n <{own.unsubscribe}>\r\n"
            f'Content-Type: multipart/alternative;\r\n boundary="{edge}"\r\n\r\n--{edge}\r\n'.encode("ascii"),
            _TEXT_PART, *text, f"\r\n--{edge}\r\n".encode("ascii"),
            _HTML_PART, *html, f"\r\n--{edge}--\r\n".encode("ascii"),
        ])  # fmt: skip
        return address, data.replace(parts.PLACE_OF_FEEDBACK, quote_address(own.feedback))

    def _parts(
        self, digest: Digest, picks: Sequence[Pick], own: Links, language: str
    ) -> tuple[list[bytes], list[bytes]]:
        """The text part and the HTML, in pieces."""
        lanes = words.lanes(picks, of_many_days=words.of_many_days(digest, digest.subscriber))
        reasons = self._reasons.get(language) or self._reasons.setdefault(language, Reasons(self._styles))
        values: dict[str, list[bytes]] = {
            parts.WEB_COPY: [quote_address(own.web_copy)],
            parts.FEEDBACK: [parts.PLACE_OF_FEEDBACK],
            parts.PREFERENCES: [quote_address(own.preferences)],
            parts.UNSUBSCRIBE: [quote_address(own.unsubscribe)],
            parts.PREHEADER: self._preheader(picks),
        }
        texts = values.copy()
        for number, lane in enumerate(lanes):
            html, text = values[parts.slot(number)], texts[parts.slot(number)] = list[bytes](), list[bytes]()
            for kind, pick in lane.picks:
                self._papers[pick["paper"]].add_to(html, text, language, kind, pick["reasons"], reasons)
        frame = self._frame(language, digest, lanes, len(digest.picks) - len(picks))
        return frame[1].pieces(texts), frame[0].pieces(values)

    def _frame(
        self, language: str, digest: Digest, lanes: Sequence[words.Lane], left_out: int
    ) -> tuple[Layout, Layout]:
        shape = [(lane.name, len(lane.picks)) for lane in lanes]
        of_digest = (digest.issue_date, digest.notice, digest.is_catch_up, digest.subscriber.frequency)
        key = (language, *of_digest, left_out, *shape)
        found = self._frames.get(key)
        return found or keep(self._frames, key, frames(digest, lanes, left_out), FRAMES)

    def _preheader(self, picks: Sequence[Pick]) -> list[bytes]:
        if len(picks) == 1:
            said = self._papers[picks[0]["paper"]].excerpt(picks[0]["reasons"])
            return [quote_html(shorten(said, 2 * words.TEASER))]
        return [TEASER_DOT.join([self._papers[pick["paper"]].teaser for pick in picks[1 : 1 + words.TEASERS]])]

    def _subject(self, language: str, digest: Digest, picks: Sequence[Pick]) -> bytes:
        is_weekly, is_catch_up = words.is_weekly(digest.subscriber), digest.is_catch_up
        count = len([pick for pick in picks if pick["lane"] != words.OVERFLOW])
        key = (language, picks[0]["paper"] if picks else None, count, is_weekly, is_catch_up)
        found = self._subjects.get(key)
        if found is None:
            title = self._papers[picks[0]["paper"]].title if picks else ""
            subject = words.subject_of(title, count, weekly=is_weekly, catch_up=is_catch_up)
            found = keep(self._subjects, key, header("Subject", subject), SUBJECTS)
        return found


def _fixed(language: str) -> bytes:
    """The headers that all mails in a language share."""
    own = {"From": sender(), "MIME-Version": "1.0", "Content-Language": language}
    return b"".join(header(name, value) for name, value in (own | same_for_all()).items())


def _size_of_html(data: bytes) -> int:
    """Bytes of the HTML part once it is decoded, as `compose` counts them."""
    html = data[data.rindex(_HTML_PART) + len(_HTML_PART) : data.rindex(b"\r\n--=_")]
    return len(a2b_qp(html).replace(b"\r\n", b"\n"))
