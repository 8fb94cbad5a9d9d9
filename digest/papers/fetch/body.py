"""From an answer to a page: what it says it is, its bytes, unpacked by hand so that no bomb goes off."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import httpx

from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import quoted

ENCODINGS = "gzip, deflate"  # what we ask for, and all we unpack
MOST_PARTS = 200_000  # a chunk costs more work than its bytes: so many take about two seconds
STEP = 262_144  # bytes unpacked at a time
# Nothing in these can hold a list of papers. What is vague (octet-stream, no type at all) is left to the parsers.
NEVER = (
    "image/", "video/", "audio/", "font/", "model/", "text/css", "text/javascript", "application/javascript",
    "application/pdf", "application/postscript", "application/zip", "application/gzip", "application/x-gzip",
    "application/x-tar", "application/x-7z", "application/vnd.rar", "application/msword", "application/epub",
    "application/vnd.openxmlformats", "application/vnd.ms-", "application/wasm",
)  # fmt: skip


def read(answer: httpx.Response, limit: int) -> bytes:
    """The unpacked body, never empty. Raises SourceError for one of more than `limit` bytes, packed or unpacked."""
    check_type(answer)
    declared = answer.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise too_large(limit)
    packed = _counted(answer, limit)
    # Kept in one buffer: a body of a million one-byte chunks takes no more room than one of a single piece.
    page = io.BytesIO()
    for part in _unpacked(packed, _encoding(answer)):
        if page.tell() + len(part) > limit:
            raise too_large(limit)
        page.write(part)
    if not page.tell():
        raise SourceError("it sent an empty page: check the address, if it stays so.")
    return page.getvalue()


def check_type(answer: httpx.Response) -> None:
    """Raise SourceError where the answer says that it is no page."""
    declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared.startswith(NEVER):
        raise SourceError(f"it is {quoted(declared)}, not a page, a feed or a list: check the address.")


def too_large(limit: int) -> SourceError:
    """What is no list of papers."""
    size = f"{limit / 1_000_000:.0f} MB" if limit >= 1_000_000 else f"{limit} bytes"
    return SourceError(f"it sends more than {size}: that is no list of papers, check the address.")


def _encoding(answer: httpx.Response) -> str:
    """How the body is packed: "" or one of ENCODINGS. More than one layer is a bomb or a mistake."""
    name = str(answer.headers.get("content-encoding", "")).strip().lower()
    name = {"identity": "", "x-gzip": "gzip"}.get(name, name)
    if name not in ("", "gzip", "deflate"):
        asked = f"where only {ENCODINGS} were asked for"
        raise SourceError(f"it is packed as {quoted(name)}, {asked}: save the page and read it with --file.")
    return name


def _counted(answer: httpx.Response, limit: int) -> Iterator[bytes]:
    assert isinstance(answer.stream, httpx.SyncByteStream)
    size = 0
    for number, part in enumerate(answer.stream):
        if number == MOST_PARTS:
            raise SourceError("it comes in crumbs of a few bytes: check the address, or tell its operator.")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        yield part


def _unpacked(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The parts as they were before packing, at most STEP bytes at a time."""
    if not encoding:
        yield from parts
        return
    unpacker = None
    try:
        for part in parts:
            data = part
            while data:
                if unpacker is None or unpacker.eof:
                    # gzip may go on with a further member (RFC 1952, 2.2); anything else after the end is padding.
                    if unpacker is not None and not (encoding == "gzip" and data.startswith(b"\x1f")):
                        return
                    unpacker = _unpacker(encoding, data)
                yield unpacker.decompress(data, STEP)
                data = unpacker.unconsumed_tail or unpacker.unused_data
        while unpacker and (rest := unpacker.decompress(b"", STEP)):  # what STEP held back
            yield rest
    except zlib.error as error:
        raise SourceError(f"it is damaged where it is packed as {encoding}: it is tried again later.") from error
    if unpacker and not unpacker.eof:
        raise SourceError(f"it is cut off where it is packed as {encoding}: it is tried again later.")


def _unpacker(encoding: str, start: bytes) -> zlib._Decompress:
    """For gzip; for deflate as RFC 9110 means it (with zlib's two bytes in front), or bare as some servers send it."""
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    has_header = start[0] & 0x0F == 8 and (len(start) < 2 or (start[0] << 8 | start[1]) % 31 == 0)
    return zlib.decompressobj(wbits=15 if has_header else -15)
