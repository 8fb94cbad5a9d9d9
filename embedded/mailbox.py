"""Reading what the catcher stored. Any bytes may lie there: nothing in a message makes these raise."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}", re.ASCII)
HEAD = 64 * 1024  # bytes of a message that are read for a list
LIST_FIELD = 500  # characters of a header in a list


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the mailbox. `sender` and `to` are the headers', `recipients` the envelope's."""

    name: str
    sender: str
    to: str
    subject: str
    date: str
    recipients: tuple[str, ...]
    size: int

    @property
    def received(self) -> str:
        """When the catcher took it, from its name: 2026-11-21 08:15:02 (UTC)."""
        day, time = self.name[:8], self.name[9:15]
        return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"


@dataclass(frozen=True, slots=True)
class Mail(Summary):
    """A whole message: every header in its order, decoded, and the first part of each kind ("" for none)."""

    text: str
    html: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def count(folder: Path) -> int:
    """How many messages there are."""
    return len(_names(folder))


def messages(folder: Path, limit: int = 50, offset: int = 0) -> list[Summary]:
    """So many, newest first. One that is deleted meanwhile is left out."""
    names = sorted(_names(folder), reverse=True)[offset : offset + limit]
    return [summary for name in names if (summary := _summary(folder, name))]


def path_of(folder: Path, name: str) -> Path | None:
    """The message's file, or None. A name that the catcher could not have given never reaches the disk."""
    path = folder / f"{name}.eml"
    return path if NAME.fullmatch(name) and path.is_file() else None


def read(folder: Path, name: str) -> Mail | None:
    """A message, or None when there is none of that name."""
    path = path_of(folder, name)
    try:
        raw = path.read_bytes() if path else None
    except FileNotFoundError:
        return None
    if raw is None:
        return None
    message = _parse(raw)
    short = _summarise(folder, name, message, len(raw))
    return Mail(
        name=short.name,
        sender=short.sender,
        to=short.to,
        subject=short.subject,
        date=short.date,
        recipients=short.recipients,
        size=short.size,
        text=_first_part(message, "text/plain"),
        html=_first_part(message, "text/html"),
        headers=tuple((_printable(key), _value(value)) for key, value in message.raw_items()),
    )


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [path.stem for path in folder.iterdir() if path.suffix == ".eml" and NAME.fullmatch(path.stem)]


def _summary(folder: Path, name: str) -> Summary | None:
    path = folder / f"{name}.eml"
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    # Only the head: the parser would walk through megabytes of parts for four headers.
    message = _parse(re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0] + b"\r\n\r\n")
    return _summarise(folder, name, message, size, longest=LIST_FIELD)


def _summarise(folder: Path, name: str, message: Message, size: int, longest: int | None = None) -> Summary:
    fields: dict[str, str] = {}
    for key, value in message.raw_items():
        fields.setdefault(key.lower(), _value(value)[:longest])
    return Summary(
        name=name,
        sender=fields.get("from", ""),
        to=fields.get("to", ""),
        subject=fields.get("subject", ""),
        date=fields.get("date", ""),
        recipients=_recipients(folder / f"{name}.json"),
        size=size,
    )


def _recipients(path: Path) -> tuple[str, ...]:
    try:
        return tuple(_printable(str(one)) for one in json.loads(path.read_bytes())["to"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()  # copied here by hand, or written by somebody else: the message can be read without


def _parse(raw: bytes) -> Message:
    """The lenient old policy: the modern one parses addresses while it reads, and raises on hostile ones."""
    try:
        return message_from_bytes(raw, policy=policy.compat32)
    except Exception:  # parts nested a thousand deep end in RecursionError, for one
        bare = Message()
        bare.set_payload(raw.decode("utf-8", "replace"))
        return bare


def _value(value: object) -> str:
    """A header on one line, its encoded words decoded where they can be."""
    text = _printable(str(value))
    try:
        text = str(make_header(decode_header(text)))
    except Exception:  # an unknown charset or broken base64: shown as it came
        return " ".join(text.split())
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Bytes that were no ASCII come as surrogates, which no page can hold: read them as UTF-8."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        raw = text.encode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def _first_part(message: Message, kind: str) -> str:
    """The first part of that kind that is no attachment, decoded."""
    try:
        for part in message.walk():
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return _decoded(part)
    except Exception:
        return ""  # a part list the library cannot walk: the raw message is still there to download
    return ""


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return _printable(str(part.get_payload()))
    try:
        text = raw.decode(str(part.get_content_charset("utf-8")), "replace")
    except (LookupError, ValueError):  # a charset nobody knows
        text = raw.decode("utf-8", "replace")
    return _printable(text).replace("\0", "\N{REPLACEMENT CHARACTER}")
