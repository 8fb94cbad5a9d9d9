"""Mailgun: one mail made of variables, with each reader's parts as theirs; up to 1,000 readers a call.

Mailgun gives one id for all of them, so each letter keeps its own Message-ID, which Mailgun's reports name too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anymail.message import AnymailMessage

from digest.mail.messages import Answer
from digest.mail.transports.providers.calls import Batch, Outgoing, taken

MOST, MOST_BYTES = 100, 20_000_000  # 1,000 readers and 25 MB are allowed; what variables may hold is not documented


def send(mails: Sequence[Outgoing], connection: Any) -> list[Answer]:
    frame = AnymailMessage(
        subject="%recipient.subject%",
        body="%recipient.text%",
        from_email=mails[0].message.from_email,
        to=[mail.recipient for mail in mails],
        tags=mails[0].message.tags,
    )
    frame.attach_alternative("%recipient.html%", "text/html")
    frame.merge_data = {mail.recipient: _parts(mail) for mail in mails}
    frame.merge_headers = {mail.recipient: mail.message.extra_headers for mail in mails}
    frame.merge_metadata = {mail.recipient: mail.message.metadata for mail in mails}
    connection.send_messages([frame])
    return [taken(mail, mail.message_id) for mail in mails]


def _parts(mail: Outgoing) -> dict[str, str]:
    return {"subject": str(mail.message.subject), "text": str(mail.message.body), "html": mail.html}


BATCH = Batch(MOST, MOST_BYTES, send)
