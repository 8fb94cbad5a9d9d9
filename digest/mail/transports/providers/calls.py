"""What the providers' batches share: a letter as Anymail wants it, a call, an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import urljoin

from anymail.message import AnymailMessage

from digest.mail.messages import Answer, Letter
from subscriptions.outcomes.classify import Meaning, Outcome

# What the provider writes itself, or Anymail from its own fields.
_NOT_COPIED = {"from", "to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding"}
# Synthetic replies for who reads only codes.
_CODES = {Outcome.TEMPORARY: 451, Outcome.PERMANENT: 550, Outcome.NO_SERVER: 421, Outcome.UNKNOWN: 0}


class LetterMessage(AnymailMessage):  # type: ignore[misc]
    """A letter taken apart for providers that want JSON, and whole for those that want MIME."""

    def __init__(self, letter: Letter) -> None:
        # The old policy: the new one takes each header apart, which costs ten times the rest.
        parsed = message_from_bytes(letter.data, policy=policy.compat32)
        headers = {name: " ".join(text.split()) for name, text in parsed.items()}  # unfolded
        parts = {part.get_content_type(): part for part in parsed.walk() if not part.is_multipart()}
        super().__init__(
            subject=_decoded(headers.get("Subject", "")),
            body=_text(parts.get("text/plain")),
            from_email=_decoded(headers["From"]),
            to=[letter.recipient],
            headers={name: text for name, text in headers.items() if name.lower() not in _NOT_COPIED},
            tags=["digest"],
            metadata={"delivery": str(letter.key)},
        )
        if "text/html" in parts:
            self.attach_alternative(_text(parts["text/html"]), "text/html")
        self.parsed = parsed

    def message(self, *args: Any, **kwargs: Any) -> Message:
        """The letter itself, for the one provider that takes MIME. It is changed by who asks: once a letter."""
        return self.parsed


def _decoded(header: str) -> str:
    """A header's text; most are plain, and words of RFC 2047 are what the slow way is for."""
    return str(make_header(decode_header(header))) if "=?" in header else header


def _text(part: Message | None) -> str:
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    return raw.decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n")


class Outgoing(NamedTuple):
    """A mail on its way; `key` comes back with its answer."""

    key: int
    recipient: str
    message: AnymailMessage

    @classmethod
    def of(cls, key: int, mail: Letter | AnymailMessage) -> Outgoing:
        if isinstance(mail, Letter):
            return cls(key, mail.recipient, LetterMessage(mail))
        return cls(key, mail.to[0], mail)

    @property
    def message_id(self) -> str:
        return str(self.message.extra_headers.get("Message-ID", ""))

    @property
    def html(self) -> str:
        return next((str(one.content) for one in self.message.alternatives), "")

    @property
    def size(self) -> int:
        """About what it takes in JSON, in bytes: quotes and line ends grow."""
        return (len(self.message.body.encode()) + len(self.html.encode())) * 5 // 4 + 4000


class Batch(NamedTuple):
    """A provider's way to take many whole mails in one call, and its limits."""

    most: int
    most_bytes: int
    send: Callable[[Sequence[Outgoing], Any], list[Answer]]
    is_repeatable: bool = False  # a call said again with its key is answered as the first was


class Call:
    """A request in the form that Anymail's backends post and judge (RequestsPayload)."""

    def __init__(self, endpoint: str, body: str, headers: dict[str, str]) -> None:
        self.endpoint, self.data, self.headers = endpoint, body, headers

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        url = urljoin(api_url, self.endpoint)
        return {"method": "POST", "url": url, "data": self.data.encode(), "headers": self.headers}


class CallRefused(Exception):
    """A call refused whole, where the provider says so otherwise than by its status."""

    def __init__(self, meaning: Meaning, text: str) -> None:
        super().__init__(text)
        self.meaning = meaning


def post(connection: Any, call: Call) -> Any:
    """The parsed answer of a call. Raises AnymailRequestsAPIError."""
    response = connection.post_to_esp(call, None)
    return connection.deserialize_json_response(response, call, None)


def payloads(mails: Sequence[Outgoing], connection: Any) -> list[Any]:
    """What Anymail would post for each mail alone."""
    return [connection.build_message_payload(mail.message, connection.send_defaults) for mail in mails]


def dumps(data: Any) -> str:
    """JSON, of Anymail's case-insensitive dictionaries too."""
    return json.dumps(data, default=dict, ensure_ascii=False, separators=(",", ":"))


def key_of(mails: Sequence[Outgoing]) -> str:
    """The same for the same mails in the same order: their Message-IDs stand for them."""
    return hashlib.sha256("\n".join(mail.message_id for mail in mails).encode()).hexdigest()


def taken(mail: Outgoing, message_id: object) -> Answer:
    found = message_id if isinstance(message_id, str) and message_id else mail.message_id
    return Answer(mail.key, 250, message_id=found)


def refused(mail: Outgoing, meaning: Meaning, text: str) -> Answer:
    code = _CODES[meaning.outcome]
    return Answer(mail.key, code, text[:1000], in_doubt=meaning.outcome is Outcome.UNKNOWN, said=meaning)
