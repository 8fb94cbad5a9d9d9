"""A real SMTP server on loopback whose answers a test can script."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Server:
    """Keeps what it accepts in `accepted`. `refuse[address]` and `data_answer` are SMTP replies to give instead;
    `drop_after_data` takes the mail and hangs up before answering.
    """

    def __init__(self) -> None:
        self.accepted: list[Envelope] = []
        self.refuse: dict[str, str] = {}
        self.data_answers: list[str] = []
        self.drop_after_data = 0
        self.connections = 0
        self._controller = _Controller(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> Self:
        self._controller.start()
        self.port: int = self._controller.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()

    @property
    def messages(self) -> list[EmailMessage]:
        """What was accepted, parsed."""
        return [parsed(envelope.original_content or b"") for envelope in self.accepted]

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.messages if message["To"] == address]

    # --- aiosmtpd's hooks
    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.refuse.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answers:
            return self.data_answers.pop(0)
        self.accepted.append(envelope)
        if self.drop_after_data:
            self.drop_after_data -= 1
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 OK"


class _Controller(Controller):
    """Port 0: the kernel chooses, nobody races."""

    def __init__(self, handler: Server, **options: Any) -> None:
        self._own = handler
        super().__init__(handler, **options)

    def factory(self) -> SMTP:
        self._own.connections += 1
        return super().factory()

    def _trigger_server(self) -> None:
        """Aiosmtpd knocks on its configured port to see that it is up; with port 0 there is none to knock on."""
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
