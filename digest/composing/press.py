"""The fast way: mails assembled from parts that were rendered and encoded once, equal to those of `compose`."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from binascii import a2b_qp
from collections.abc import Hashable, Iterable, Iterator, Sequence
from email.utils import parseaddr
from typing import Any, TypeVar

from django.core.mail.message import sanitize_address
from django.utils.translation import override

from digest.composing import parts, words
from digest.composing.excerpts import shorten
from digest.composing.headers import same_for_all, sender
from digest.composing.listed import listed
from digest.composing.parts import Both, Layout, PaperParts, Reasons, Styles, frames
from digest.composing.plain import MAX_HTML_BYTES, fewer
from digest.composing.quoted import header, quote, quote_html
from digest.composing.seals import Desk, Links
from digest.letters import Letter
from digest.models import Delivery, Digest, Paper

KEPT_FOR = dt.timedelta(minutes=10)  # a paper's upvotes and lists may be so old in a mail
REASONS, FRAMES, SUBJECTS = 50_000, 500, 5_000  # kept at most
TEASER_DOT = quote(" · ")

_SIMPLE_ADDRESS = re.compile(r"[\w.+-]+@[A-Za-z0-9.-]+", re.ASCII)
_TEXT_PART = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML_PART = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'

Pick = dict[str, Any]
Value = TypeVar("Value")


class Press:
    """One for a process, which keeps the parts from chunk to chunk: for each language its own.

    `now` dates the mails. Templates and settings are taken as they are when a part is first needed.
    """

    def __init__(self) -> None:
        self._by_language: dict[str, _OneLanguage] = {}

    def letters(self, deliveries: Iterable[Delivery], now: dt.datetime) -> Iterator[Letter]:
        """The mails of these deliveries, with their digests and readers. A language takes two queries for new papers,
        or none."""
        chunk = list(deliveries)
        digests: dict[str, list[Digest]] = {}
        for delivery in chunk:
            digests.setdefault(delivery.digest.subscriber.language, []).append(delivery.digest)
        presses = {language: self._of(language) for language in digests}
        for language, some in digests.items():
            presses[language].read(some, now)
        date = header("Date", email.utils.format_datetime(now))
        for delivery in chunk:
            yield presses[delivery.digest.subscriber.language].letter(delivery.pk, delivery.digest, date)

    def letter(self, digest: Digest, now: dt.datetime) -> Letter:
        """The mail of one digest, which may be stored nowhere."""
        press = self._of(digest.subscriber.language)
        press.read([digest], now)
        return press.letter(0, digest, header("Date", email.utils.format_datetime(now)))

    def _of(self, language: str) -> _OneLanguage:
        return self._by_language.get(language) or self._by_language.setdefault(language, _OneLanguage(language))


class _OneLanguage:
    """The parts in one language. It is spoken only where a part is made: most mails need none that is new."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._began: dt.datetime | None = None
        self._papers: dict[int, PaperParts | None] = {}  # None: deleted
        self._reasons: dict[Hashable, Both] = {}
        self._frames: dict[Hashable, tuple[Layout, Layout]] = {}
        self._subjects: dict[Hashable, bytes] = {}
        self._styles, self._desk = Styles(), Desk()
        self._say = Reasons(self._styles)
        self._sender = parseaddr(sender())[1]
        fixed = {"From": sender(), "MIME-Version": "1.0", "Content-Language": language}
        self._fixed = b"".join(header(name, value) for name, value in (fixed | same_for_all()).items())

    def read(self, digests: Iterable[Digest], now: dt.datetime) -> None:
        """Read and prepare the papers that are not known yet."""
        if self._began is None or not self._began <= now < self._began + KEPT_FOR:
            self._papers, self._subjects, self._began = {}, {}, now
        wanted = {pick["paper"] for digest in digests for pick in digest.picks} - self._papers.keys()
        if not wanted:
            return
        found = Paper.objects.in_bulk(wanted)
        places = listed(found.values())
        with override(self._language):
            for pk in wanted:
                paper = found.get(pk)
                self._papers[pk] = PaperParts(paper, places[pk], self._styles, self._language) if paper else None

    def letter(self, key: int, digest: Digest, date: bytes) -> Letter:
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
        is_weekly = words.is_weekly(digest.subscriber)
        lanes = words.lanes(picks, is_weekly=is_weekly)
        feedback = quote(own.feedback)
        values = {
            parts.WEB_COPY: quote(own.web_copy),
            parts.FEEDBACK: feedback,
            parts.PREFERENCES: quote(own.preferences),
            parts.UNSUBSCRIBE: quote(own.unsubscribe),
            parts.PREHEADER: self._preheader(picks),
        }
        texts = values.copy()
        for number, lane in enumerate(lanes):
            html: list[bytes] = []
            text: list[bytes] = []
            for kind, pick in lane.picks:
                self._known(pick).add_to(html, text, kind, pick["reasons"], self._reason, feedback)
            values[parts.slot(number)], texts[parts.slot(number)] = b"".join(html), b"".join(text)
        frame = self._frame(digest, lanes, len(digest.picks) - len(picks))
        subject = self._subject(picks, is_weekly=is_weekly)
        return subject, b"".join(frame[1].filled(texts)), b"".join(frame[0].filled(values))

    def _known(self, pick: Pick) -> PaperParts:
        known = self._papers[pick["paper"]]
        assert known is not None  # those that are gone are no longer among the picks
        return known

    def _reason(self, reason: Pick, kind: str | None, in_title: bool, in_abstract: bool) -> Both:
        key = (reason["line"], kind, in_title, in_abstract, *reason["words"])
        found = self._reasons.get(key)
        if found is None:
            with override(self._language):
                found = _keep(self._reasons, key, self._say.of(words.reason_words(reason)), REASONS)
        return found

    def _frame(self, digest: Digest, lanes: Sequence[words.Lane], left_out: int) -> tuple[Layout, Layout]:
        shape = [(lane.name, len(lane.picks)) for lane in lanes]
        key = (digest.issue_date, digest.notice, digest.subscriber.frequency, left_out, *shape)
        found = self._frames.get(key)
        if found is None:
            with override(self._language):
                found = _keep(self._frames, key, frames(digest, lanes, left_out), FRAMES)
        return found

    def _preheader(self, picks: Sequence[Pick]) -> bytes:
        if len(picks) == 1:
            said = self._known(picks[0]).excerpt(picks[0]["reasons"])
            return quote_html(shorten(said, 2 * words.TEASER))
        return TEASER_DOT.join([self._known(pick).teaser for pick in picks[1 : 1 + words.TEASERS]])

    def _subject(self, picks: Sequence[Pick], *, is_weekly: bool) -> bytes:
        count = len([pick for pick in picks if pick["lane"] != words.OVERFLOW])
        key = (picks[0]["paper"] if picks else None, count, is_weekly)
        found = self._subjects.get(key)
        if found is None:
            with override(self._language):
                subject = words.subject_of(self._known(picks[0]).title if picks else "", count, weekly=is_weekly)
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
