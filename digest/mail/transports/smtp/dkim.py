"""DKIM signatures over a mail's wire bytes (RFC 6376, relaxed/relaxed), by OpenSSL. RSA and Ed25519 (RFC 8463).

For plain SMTP only: providers and most relays sign by themselves.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

# RFC 6376 5.4.1; without the two List headers in it, mailbox providers show no unsubscribe button (RFC 8058 4).
SIGNED = (
    b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"list-post", b"list-help",
    b"mime-version", b"content-type", b"content-transfer-encoding", b"content-language", b"auto-submitted",
)  # fmt: skip
# Named once more than they occur: one that is added on the way breaks the signature (RFC 6376 8.15).
OVERSIGNED = (b"from", b"subject", b"to")
MIN_RSA_BITS, GOOD_RSA_BITS = 1024, 2048  # RFC 8301 3.2: verifiers need not take less than the one; sign with the other

_FIELD = re.compile(rb"^([\x21-\x39\x3b-\x7e]+)[ \t]*:((?:[^\n]|\n[ \t])*)\n", re.MULTILINE)
_BLANKS = re.compile(rb"[ \t\r\n]+")
_BLANKS_IN_LINE = re.compile(rb"[ \t]+")
_UNEVEN = tuple(map(re.compile, (rb"\t", rb"  ", rb" \r\n")))  # what relaxed form changes in a body
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class KeyProblem(ValueError):
    """Why nothing can be signed with these settings, in words for the operator."""


def configured() -> Signer | None:
    """As DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY say; None when mail is not to be signed here. Raises
    KeyProblem.
    """
    if not (settings.DKIM_SELECTOR or settings.DKIM_PRIVATE_KEY):
        return None
    if not (settings.DKIM_SELECTOR and settings.DKIM_PRIVATE_KEY):
        raise KeyProblem("DKIM_SELECTOR and DKIM_PRIVATE_KEY go together: one of them is not set.")
    return _made(settings.DKIM_DOMAIN, settings.DKIM_SELECTOR, settings.DKIM_PRIVATE_KEY)


@register("paper_round")
def mail_can_be_signed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What is wrong with the key is said at the start, not at the first mail."""
    try:
        signer = configured()
    except KeyProblem as problem:
        return [Error(str(problem), hint="`openssl genrsa -traditional 2048` makes one.", id="paper_round.E003")]
    return [] if signer is None or signer.is_strong else [_weak(signer)]


def _weak(signer: Signer) -> Warning:
    record = f"{signer.selector}._domainkey.{signer.domain}"
    return Warning(
        f"DKIM_PRIVATE_KEY is RSA of under {GOOD_RSA_BITS} bits: it can be broken, and receivers may ignore it.",
        hint="Make a new one (`openssl genrsa -traditional 2048`), publish its public half under a new selector, set "
        f"DKIM_PRIVATE_KEY and DKIM_SELECTOR, and remove the record of {record} a week later.",
        id="paper_round.W005",
    )


@dataclass(frozen=True, slots=True)
class Signer:
    """`domain` is the d= of the signature: for DMARC, the From address's own or one above it."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @classmethod
    def of(cls, domain: str, selector: str, private_key: str) -> Self:
        r"""`private_key` is a PEM text (line ends may be written as \n) or the path of one. Raises KeyProblem."""
        for name, value in (("DKIM_SELECTOR", selector), ("DKIM_DOMAIN", domain)):
            if not _SELECTOR.fullmatch(value):
                raise KeyProblem(f"{name}={value!r} is not a name that DNS can hold.")
        return cls(domain, selector, _key(private_key))

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def is_strong(self) -> bool:
        return not isinstance(self.key, RSAPrivateKey) or self.key.key_size >= GOOD_RSA_BITS

    def sign(self, data: bytes, at: dt.datetime) -> bytes:
        """The mail with its signature on top."""
        return self.header(data, at) + data

    def header(self, data: bytes, at: dt.datetime) -> bytes:
        """The DKIM-Signature field of a mail whose lines end in CRLF, folded, with CRLF at its end."""
        end_of_head = data.find(b"\r\n\r\n")
        head, body_at = (data, len(data)) if end_of_head < 0 else (data[: end_of_head + 2], end_of_head + 4)
        chosen = _chosen(head)
        names = b":".join(name for name, _ in chosen)
        field = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={int(at.timestamp())}; bh={body_hash(data, body_at)};\r\n"
            f" h={_folded(names.decode(), ':')};\r\n b="
        ).encode()
        signed = b"".join(relaxed for _, relaxed in chosen) + _relaxed(b"dkim-signature", field.partition(b":")[2])
        return field + _folded(self._signature(signed)).encode() + b"\r\n"

    def _signature(self, signed: bytes) -> str:
        """In Base64."""
        if isinstance(self.key, RSAPrivateKey):
            made = self.key.sign(signed, PKCS1v15(), SHA256())
        else:
            made = self.key.sign(hashlib.sha256(signed).digest())  # RFC 8463 3: the hash is what is signed
        return base64.b64encode(made).decode()


@lru_cache(maxsize=1)
def _made(domain: str, selector: str, private_key: str) -> Signer:
    return Signer.of(domain, selector, private_key)


def body_hash(data: bytes, start: int) -> str:
    """Base64 of SHA-256 of the body from `start` on, in relaxed form (RFC 6376 3.4.4). A body that is in it already, as
    quoted-printable mostly is, is not copied.
    """
    if any(uneven.search(data, start) for uneven in _UNEVEN):
        data = _BLANKS_IN_LINE.sub(b" ", data[start:]).replace(b" \r\n", b"\r\n")
        start = 0
    end = len(data)
    while end - start >= 2 and data.endswith(b"\r\n", start, end):
        end -= 2
    body = hashlib.sha256(memoryview(data)[start:end])
    if end > start:
        body.update(b"\r\n")
    return base64.b64encode(body.digest()).decode()


def _chosen(head: bytes) -> list[tuple[bytes, bytes]]:
    """Names for h=, in order, each with its field in relaxed form; for one name the last field comes first (RFC 6376
    5.4.2). Names without a field stand for one that must not be added.
    """
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for name, value in _FIELD.findall(head):
        found[name.lower()].append(value)
    chosen: list[tuple[bytes, bytes]] = []
    for name in SIGNED:
        chosen += [(name, _relaxed(name, value) + b"\r\n") for value in reversed(found.get(name, ()))]
        if name in OVERSIGNED:
            chosen.append((name, b""))
    return chosen


def _relaxed(name: bytes, value: bytes) -> bytes:
    """A field in relaxed form (RFC 6376 3.4.2), without CRLF."""
    return name + b":" + _BLANKS.sub(b" ", value).strip(b" ")


def _folded(text: str, after: str = "") -> str:
    """Broken into lines of at most 76 characters, where given only after that character."""
    pieces: Iterable[str] = re.findall(f"[^{after}]*{after}?", text) if after else text
    lines, line = [], ""
    for piece in pieces:
        if len(line) + len(piece) > 72:
            lines.append(line)
            line = ""
        line += piece
    return "\r\n ".join([*lines, line])


def _key(text: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """Raises KeyProblem, which never holds the key itself."""
    pem = text.replace("\\n", "\n")
    if "-----BEGIN" not in pem:
        try:
            pem = Path(text).read_text()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            raise KeyProblem(f"DKIM_PRIVATE_KEY is neither a PEM key nor a file that can be read ({reason}).") from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblem("DKIM_PRIVATE_KEY is no PEM private key without a passphrase.") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise KeyProblem(f"DKIM_PRIVATE_KEY has {key.key_size} bits; use RSA of 2048, or Ed25519.")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise KeyProblem("DKIM_PRIVATE_KEY is neither an RSA nor an Ed25519 key.")
