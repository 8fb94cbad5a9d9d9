"""E-mail addresses: read by a library, compared in one form, kept as typed, never logged in clear. Pure."""

from __future__ import annotations

import email_validator

email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in ("test", "local", "localhost")
]


class AddressError(ValueError):
    """Why a text is no address, in words for the person who typed it."""


MAX_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1; the library counts it only in its strict mode


def read(text: str) -> str:
    """The address with its domain in lower case and IDNA form, its local part as typed.

    Raises AddressError. No look-up is made: whether the mailbox exists, the confirmation mail tells.
    A local part beyond ASCII is refused: without SMTPUTF8 its mail would go to another mailbox.
    """
    text = text.strip()
    try:
        parts = email_validator.validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except email_validator.EmailNotValidError as error:
        raise AddressError(str(error)) from error
    if len(parts.local_part) > MAX_LOCAL_PART:
        raise AddressError(f"The part of the address before the @-sign is longer than {MAX_LOCAL_PART} characters.")
    return f"{parts.local_part}@{parts.ascii_domain}"


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
