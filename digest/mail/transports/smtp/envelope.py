"""What a server offers, a letter's MAIL, RCPT and DATA, and the letter as it goes over the wire. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from digest.mail.messages import Letter

# No byte of an address may end the command it stands in. Quoted local parts with spaces are met nowhere.
_ADDRESS = re.compile(r"[^\x00-\x20\x7f-\xa0\ud800-\udfff<>]{1,256}@[^\x00-\x20\x7f-\xa0\ud800-\udfff<>@]{1,255}")
# Also after a bare LF: some servers end a mail at "LF . CRLF" (SMTP smuggling).
_LINE_WITH_DOT = re.compile(rb"\n\.")


@dataclass(frozen=True, slots=True)
class Offers:
    """What EHLO's answer offers. `size` is the most bytes of a message, 0 for no limit named."""

    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    sizes: bool = False
    size: int = 0

    @classmethod
    def of(cls, features: Mapping[str, str]) -> Self:
        """From smtplib's `esmtp_features`: names in lower case, and their parameters."""
        size = features.get("size", "").strip()
        return cls(
            pipelining="pipelining" in features,
            eight_bit="8bitmime" in features,
            utf8="smtputf8" in features,
            sizes="size" in features,
            size=int(size) if size.isdecimal() and size.isascii() else 0,
        )


def refusal(letter: Letter, offers: Offers) -> tuple[int, str] | None:
    """Why this server cannot be given this letter, in the codes it would use itself; None when it can."""
    for address in (letter.sender, letter.recipient):
        if not _ADDRESS.fullmatch(address):
            return (553, "5.1.3 Not sent: the address is not one that SMTP can carry")
        if not address.isascii() and not offers.utf8:
            return (553, "5.6.7 Not sent: the address needs SMTPUTF8, which the server does not offer")
    if offers.size and len(letter.data) > offers.size:
        return (552, f"5.3.4 Not sent: {len(letter.data)} bytes, and the server takes {offers.size}")
    if not (offers.eight_bit or letter.is_plain or letter.data.isascii()):
        return (554, "5.6.3 Not sent: the mail needs 8BITMIME, which the server does not offer")
    return None


def commands(letter: Letter, offers: Offers) -> tuple[bytes, bytes, bytes]:
    """MAIL, RCPT and DATA for a letter that `refusal` finds nothing against."""
    mail = f"MAIL FROM:<{letter.sender}>"
    if offers.sizes:
        mail += f" SIZE={len(letter.data)}"
    if offers.eight_bit and not (letter.is_plain or letter.data.isascii()):
        mail += " BODY=8BITMIME"
    if not (letter.sender.isascii() and letter.recipient.isascii()):
        mail += " SMTPUTF8"
    return f"{mail}\r\n".encode(), f"RCPT TO:<{letter.recipient}>\r\n".encode(), b"DATA\r\n"


def content(letter: Letter) -> bytes:
    """As it goes over the wire: a dot before each line's first dot (RFC 5321 4.5.2), CRLF at the end."""
    data = letter.data
    if letter.is_plain:
        return data
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if _LINE_WITH_DOT.search(data):
        data = data.replace(b"\n.", b"\n..")
    return b"." + data if data.startswith(b".") else data
