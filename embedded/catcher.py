"""An SMTP server that keeps what it is given: one file a message, readable at /mailbox/.

The envelope lies in a `.json` beside the `.eml`, not in X- headers in front of it: so the `.eml` stays what
was sent, byte for byte, and can be compared, opened in a mail program, or checked for its DKIM signature.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
SIZE_LIMIT = 10 * 1024 * 1024  # bytes
ABANDONED = 3600  # seconds after which a draft cannot be a message that is being written


class Catcher:
    """The aiosmtpd handler. Who hears 250 has its message on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = dt.datetime.min.replace(tzinfo=dt.UTC)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING, which aiosmtpd does well (it reads a buffered stream) but does not say."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store the message; a full disk is a temporary failure."""
        name = self._next_name()
        content, sender = envelope.original_content or b"", envelope.mail_from or ""
        try:
            await asyncio.to_thread(store, self.folder, name, content, sender, list(envelope.rcpt_tos))
        except OSError as error:
            return f"452 4.3.1 Cannot store the message: {error.strerror}"
        return f"250 2.0.0 Stored as {name}"

    def _next_name(self) -> str:
        """A name that sorts after every name before it, even when the clock stands still or steps back."""
        self._last = max(dt.datetime.now(dt.UTC), self._last + dt.timedelta(microseconds=1))
        return f"{self._last:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"


def store(folder: Path, name: str, content: bytes, sender: str, recipients: list[str]) -> None:
    """Write `name`.json and `name`.eml, whole or not at all. They are on the disk when this returns."""
    # An address that is no UTF-8 holds surrogates: JSON escapes them, and reading gives them back.
    envelope = json.dumps({"from": sender, "to": recipients}).encode()
    parts = {folder / f"{name}.json": envelope, folder / f"{name}.eml": content}
    for path, data in parts.items():
        _write(_draft(path), data)
    for path in parts:  # the .eml last: where it is, its envelope is
        _draft(path).rename(path)
    _sync_folder(folder)


def prepare(folder: Path) -> None:
    """Make the folder, for this user only, and drop what a killed catcher left half written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for draft in folder.glob(".*.part"):
        if time.time() - draft.stat().st_mtime > ABANDONED:
            draft.unlink(missing_ok=True)


@contextmanager
def catching(folder: Path, port: int) -> Iterator[int]:
    """Catch mail in a thread of this process. Gives the port (a free one for 0); OSError when it is taken."""
    prepare(folder)
    controller = _AnyPort(
        Catcher(folder), hostname=HOST, port=port, server_hostname="localhost",
        data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, ident="Paper Round mail catcher",
    )  # fmt: skip
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class _AnyPort(Controller):
    """aiosmtpd's controller, which with port 0 would not say which one it got."""

    async def _create_server(self) -> asyncio.AbstractServer:
        server = await self.loop.create_server(self._factory_invoker, host=self.hostname, port=self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename is durable only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
