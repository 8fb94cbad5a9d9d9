"""A connection to the mail server of the settings, as Django's own backend opens it."""

from __future__ import annotations

import smtplib
import ssl
from functools import lru_cache

from django.conf import settings
from django.core.mail.utils import DNS_NAME


def connect() -> smtplib.SMTP:
    """Open, encrypted and logged in as EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_HOST_USER,
    EMAIL_HOST_PASSWORD, EMAIL_TIMEOUT, EMAIL_SSL_CERTFILE and EMAIL_SSL_KEYFILE say.

    The server's certificate is verified, by name too. Raises OSError or smtplib.SMTPException, the connection closed.
    """
    address, name = (settings.EMAIL_HOST, settings.EMAIL_PORT), DNS_NAME.get_fqdn()
    connection: smtplib.SMTP
    if settings.EMAIL_USE_SSL:
        connection = smtplib.SMTP_SSL(*address, name, timeout=settings.EMAIL_TIMEOUT, context=_context())
    else:
        connection = smtplib.SMTP(*address, name, timeout=settings.EMAIL_TIMEOUT)
    try:
        if settings.EMAIL_USE_TLS:
            connection.starttls(context=_context())
        if settings.EMAIL_HOST_USER and settings.EMAIL_HOST_PASSWORD:
            connection.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        connection.ehlo_or_helo_if_needed()
    except BaseException:
        connection.close()
        raise
    return connection


def _context() -> ssl.SSLContext:
    return _context_with(settings.EMAIL_SSL_CERTFILE, settings.EMAIL_SSL_KEYFILE)


@lru_cache(maxsize=1)
def _context_with(certificate: str | None, key: str | None) -> ssl.SSLContext:
    """The system's authorities, read once: that takes 20 ms."""
    context = ssl.create_default_context()
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
