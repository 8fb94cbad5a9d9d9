"""Mailgun: one mail made of variables, with each reader's parts as theirs; up to 1,000 readers a call.

Mailgun gives one id for all of them, so each letter keeps its own Message-ID, which Mailgun's reports name too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anymail.message import AnymailMessage

from digest.letters import Answer
from digest.providers.calls import Batch, LetterMessage, taken

MOST, MOST_BYTES = 100, 20_000_000  # 1,000 readers and 25 MB are allowed; what variables may hold is not documented


def send(messages: Sequence[LetterMessage], connection: Any) -> list[Answer]:
    mail = AnymailMessage(
        subject="%recipient.subject%",
        body="%recipient.text%",
        from_email=messages[0].from_email,
        to=[message.letter.recipient for message in messages],
        tags=["digest"],
    )
    mail.attach_alternative("%recipient.html%", "text/html")
    mail.merge_data = {message.letter.recipient: _parts(message) for message in messages}
    mail.merge_headers = {message.letter.recipient: message.extra_headers for message in messages}
    mail.merge_metadata = {message.letter.recipient: message.metadata for message in messages}
    connection.send_messages([mail])
    return [taken(message, message.message_id) for message in messages]


def _parts(message: LetterMessage) -> dict[str, str]:
    html = next((str(one.content) for one in message.alternatives), "")
    return {"subject": str(message.subject), "text": str(message.body), "html": html}


BATCH = Batch(MOST, MOST_BYTES, send)
