"""The fast way: mails assembled from parts that were rendered and encoded once, equal to those of `compose`."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from binascii import a2b_qp
from collections.abc import Hashable, Iterable, Sequence
from email.utils import parseaddr
from itertools import groupby
from typing import NamedTuple

from django.core.mail.message import sanitize_address
from django.utils.translation import override

from digest.mail.messages import Letter, Order
from digest.mail.rendering import context, slots
from digest.mail.rendering.excerpts import shorten
from digest.mail.rendering.fragments import PLACE_OF_FEEDBACK, Look, PaperParts, frames
from digest.mail.rendering.headers import same_for_all, sender
from digest.mail.rendering.listing_labels import listed
from digest.mail.rendering.pick_cache import PickCache, Picked, order_of
from digest.mail.rendering.quoted_printable import header, quote, quote_address, quote_html
from digest.mail.rendering.reason_fragments import Sayings
from digest.mail.rendering.renderer import MAX_HTML_BYTES, fewer
from digest.mail.rendering.signed_links import Desk, Links
from digest.mail.rendering.slots import Layout, Styles, keep
from digest.models import Digest, Paper
from digest.picks.evidence import OVERFLOW
from subscriptions.models import Subscriber

KEPT_FOR = dt.timedelta(minutes=10)  # a paper's upvotes and lists may be so old in a mail
FRAMES, SUBJECTS = 500, 5_000  # kept at most
TEASER_DOT = quote(" · ")

_SIMPLE_ADDRESS = re.compile(r"[\w.+-]+@[A-Za-z0-9.-]+", re.ASCII)
_TEXT_PART = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML_PART = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


class _Frame(NamedTuple):
    """What stands around the papers in mails of one shape. `lanes` says which picks go where: by slot, in order, in
    which language and how much of each is shown, and its place; `of_subject` what the subject says but for a title.
    """

    html: Layout
    text: Layout
    lanes: list[tuple[str, list[tuple[tuple[str, str], int]]]]
    of_subject: tuple[int, bool, bool]


class Press:
    """One for a process, which keeps the parts from chunk to chunk, each in the languages it was needed in.

    `now` dates the mails. Templates and settings are taken as they are when a part is first needed.
    """

    def __init__(self) -> None:
        self._began: dt.datetime | None = None
        self._papers: dict[int, PaperParts] = {}
        self._gone: set[int] = set()
        self._picks = PickCache()
        self._sayings: dict[str, Sayings] = {}  # by language
        self._frames: dict[Hashable, _Frame] = {}
        self._subjects: dict[Hashable, bytes] = {}
        self._styles, self._desk = Styles(), Desk()
        self._sender = parseaddr(sender())[1]
        self._fixed: dict[str, bytes] = {}  # by language

    def letters(self, orders: Iterable[Order], now: dt.datetime) -> list[Letter]:
        """The mails that these orders are for. Two queries for new papers, or none."""
        orders = list(orders)
        if self._began is None or not self._began <= now < self._began + KEPT_FOR:
            self._papers, self._gone, self._subjects, self._picks, self._began = {}, set(), {}, PickCache(), now
        chosen = self._picks.read(orders)
        self._read({pick.paper for picks in chosen for pick in picks})
        date = f"Date: {email.utils.format_datetime(now)}\r\n".encode("ascii")
        done: list[Letter] = []
        for language, group in groupby(zip(orders, chosen, strict=True), key=_language):
            with override(language):
                done += [self._letter(order, picks, date) for order, picks in group]
        return done

    def letter(self, digest: Digest, now: dt.datetime) -> Letter:
        """The mail of one digest, which may be stored nowhere."""
        return self.letters([order_of(digest)], now)[0]

    def _read(self, papers: set[int]) -> None:
        """Read and prepare the papers that are not known yet."""
        wanted = papers - self._papers.keys() - self._gone
        if not wanted:
            return
        found = Paper.objects.in_bulk(wanted)
        places = listed(found.values())
        self._papers |= {pk: PaperParts(paper, places[pk], self._styles) for pk, paper in found.items()}
        self._gone |= wanted - found.keys()

    def _letter(self, order: Order, chosen: Sequence[Picked], date: bytes) -> Letter:
        """In the language spoken now, with fewer papers where all would be too large."""
        own, picks = self._desk.links(order), chosen
        if self._gone:
            picks = [pick for pick in chosen if pick.paper not in self._gone]
        recipient, data = self._data(order, picks, len(chosen) - len(picks), own, date)
        while len(data) > MAX_HTML_BYTES and len(picks) > 1 and _size_of_html(data) > MAX_HTML_BYTES:
            picks = fewer(picks)
            recipient, data = self._data(order, picks, len(chosen) - len(picks), own, date)
        return Letter(order.key, self._sender, recipient, data, is_plain=True, known_id=own.message_id)

    def _data(self, order: Order, picks: Sequence[Picked], left_out: int, own: Links, date: bytes) -> tuple[str, bytes]:
        """Whom the mail goes to, and all of it, joined from its pieces once."""
        address = order.email
        if not _SIMPLE_ADDRESS.fullmatch(address):
            address = sanitize_address(address, "utf-8")
        frame = self._frame(order, picks, left_out)
        text, html = self._parts(frame, picks, own)
        edge = f"=_{own.message_id[10:42]}"  # no line of quoted-printable can begin "=_"
        language = order.language
        data = b"".join([
            self._fixed.get(language) or self._fixed.setdefault(language, _fixed(language)),
            self._subject(frame, language, picks), date,
            f"To: {address}\r\nMessage-ID: {own.message_id}\r\nList-Unsubscribe:\r\n <{own.unsubscribe}>\r\n"
            f'Content-Type: multipart/alternative;\r\n boundary="{edge}"\r\n\r\n--{edge}\r\n'.encode("ascii"),
            _TEXT_PART, *text, f"\r\n--{edge}\r\n".encode("ascii"),
            _HTML_PART, *html, f"\r\n--{edge}--\r\n".encode("ascii"),
        ])  # fmt: skip
        return address, data.replace(PLACE_OF_FEEDBACK, quote_address(own.feedback))

    def _parts(self, frame: _Frame, picks: Sequence[Picked], own: Links) -> tuple[list[bytes], list[bytes]]:
        """The text part and the HTML, in pieces."""
        values: dict[str, Sequence[bytes]] = {
            slots.WEB_COPY: (quote_address(own.web_copy),),
            slots.FEEDBACK: (PLACE_OF_FEEDBACK,),
            slots.PREFERENCES: (quote_address(own.preferences),),
            slots.UNSUBSCRIBE: (quote_address(own.unsubscribe),),
            slots.PREHEADER: (self._preheader(picks),),
        }
        texts = values.copy()
        for slot, shown in frame.lanes:
            html, text = values[slot], texts[slot] = list[bytes](), list[bytes]()
            for key, place in shown:
                look = picks[place].looks.get(key) or self._look(picks[place], *key)
                html += look.html
                text += look.text
        return frame.text.pieces(texts), frame.html.pieces(values)

    def _look(self, pick: Picked, language: str, kind: str) -> Look:
        sayings = self._sayings.get(language) or self._sayings.setdefault(language, Sayings(language, self._styles))
        look = self._papers[pick.paper].look(language, kind, pick.reasons, sayings)
        return pick.looks.setdefault((language, kind), look)

    def _frame(self, order: Order, picks: Sequence[Picked], left_out: int) -> _Frame:
        of_order = (order.language, order.issue_date, order.notice, order.is_catch_up, order.frequency)
        key = (*of_order, left_out, *[pick.lane for pick in picks])
        return self._frames.get(key) or keep(self._frames, key, _framed(order, picks, left_out), FRAMES)

    def _preheader(self, picks: Sequence[Picked]) -> bytes:
        papers = self._papers
        if len(picks) == 1:
            return quote_html(shorten(papers[picks[0].paper].excerpt(picks[0].reasons), 2 * context.TEASER))
        return TEASER_DOT.join([papers[pick.paper].teaser for pick in picks[1 : 1 + context.TEASERS]])

    def _subject(self, frame: _Frame, language: str, picks: Sequence[Picked]) -> bytes:
        key = (language, frame.of_subject, picks[0].paper if picks else None)
        found = self._subjects.get(key)
        if found is None:
            title = self._papers[picks[0].paper].title if picks else ""
            count, weekly, catch_up = frame.of_subject
            subject = context.subject_of(title, count, weekly=weekly, catch_up=catch_up)
            found = keep(self._subjects, key, header("Subject", subject), SUBJECTS)
        return found


def _language(one: tuple[Order, object]) -> str:
    return one[0].language


def _framed(order: Order, picks: Sequence[Picked], left_out: int) -> _Frame:
    reader = Subscriber(frequency=order.frequency, language=order.language)
    digest = Digest(issue_date=order.issue_date, notice=order.notice, is_catch_up=order.is_catch_up, subscriber=reader)
    placed = [{"lane": pick.lane, "place": place} for place, pick in enumerate(picks)]
    lanes = context.lanes(placed, of_many_days=context.of_many_days(digest, reader))
    html, text = frames(digest, lanes, left_out)
    places = [
        (slots.slot(number), [((order.language, kind), pick["place"]) for kind, pick in lane.picks])
        for number, lane in enumerate(lanes)
    ]
    count = len([pick for pick in picks if pick.lane != OVERFLOW])
    return _Frame(html, text, places, (count, context.is_weekly(reader), digest.is_catch_up))


def _fixed(language: str) -> bytes:
    """The headers that all mails in a language share."""
    own = {"From": sender(), "MIME-Version": "1.0", "Content-Language": language}
    return b"".join(header(name, value) for name, value in (own | same_for_all()).items())


def _size_of_html(data: bytes) -> int:
    """Bytes of the HTML part once it is decoded, as `compose` counts them."""
    html = data[data.rindex(_HTML_PART) + len(_HTML_PART) : data.rindex(b"\r\n--=_")]
    return len(a2b_qp(html).replace(b"\r\n", b"\n"))
