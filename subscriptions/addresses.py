"""E-mail addresses: read by a library, compared in one form, kept as typed, never logged in clear. Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache

import email_validator
from django.utils.translation import gettext

email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in ("test", "local", "localhost")
]


class AddressError(ValueError):
    """Why a text is no address, in words for the person who typed it: the library's, which are English."""


class LongLocalPart(AddressError):
    """The local part is longer than mail servers take; in the language of the person who typed it."""

    def __init__(self) -> None:
        said = gettext("The part of the address before the @-sign is longer than %(most)s characters.")
        super().__init__(said % {"most": MAX_LOCAL_PART})


MAX_PLAIN = 200  # characters; longer ones are measured by the library
_PLAIN = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*", re.IGNORECASE | re.ASCII)
MAX_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1; the library counts it only in its strict mode


def read(text: str) -> str:
    """The address with its domain in lower case and IDNA form, its local part as typed.

    Raises AddressError. No look-up is made: whether the mailbox exists, the confirmation mail tells.
    A local part beyond ASCII is refused: without SMTPUTF8 its mail would go to another mailbox.
    """
    text = text.strip()
    local, _, domain = text.rpartition("@")
    if len(text) <= MAX_PLAIN and len(local) <= MAX_LOCAL_PART and _PLAIN.fullmatch(local):
        with suppress(email_validator.EmailNotValidError):  # it says below what is wrong
            return f"{local}@{_ascii_domain(domain)}"
    try:
        parts = email_validator.validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except email_validator.EmailNotValidError as error:
        raise AddressError(str(error)) from error
    if len(parts.local_part) > MAX_LOCAL_PART:
        raise LongLocalPart
    return f"{parts.local_part}@{parts.ascii_domain}"


@lru_cache(maxsize=4096)  # a list of subscribers names few domains
def _ascii_domain(domain: str) -> str:
    checked = email_validator.validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    return str(checked.ascii_domain)


def key(address: str) -> str:
    """The form two spellings of one address share. Mailboxes that tell case apart are not met in practice."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.lower()}"


DOTLESS = ("gmail.com", "googlemail.com")  # dots in the local part make no difference there


def mailbox(address: str) -> str:
    """Return the form that variants of one mailbox share: without +tag, at Gmail without dots.

    For limits only: mail always goes to the address as typed.
    """
    local, _, domain = key(address).rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in DOTLESS:
        local, domain = local.replace(".", ""), DOTLESS[0]
    return f"{local}@{domain}"


def masked(address: str) -> str:
    """Return the address as logs and consoles may show it, such as a***@example.org."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
