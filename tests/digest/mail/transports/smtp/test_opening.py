"""The connection that the settings ask for."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from digest.mail.transports.smtp import Session, connect
from digest.mail.transports.smtp.connect import _context_with
from tests.digest.mail.transports.smtp.test_session import LETTERS
from tests.scripted import OFFERS, Server

SECURE = (*OFFERS, "STARTTLS", "AUTH PLAIN")


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], ssl.SSLContext]]:
    """Makes a server's certificate for a name, by an authority that this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    _context_with.cache_clear()

    def make(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    yield make
    _context_with.cache_clear()


def use(settings: Any, server: Server, **others: object) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", server.port
    for name, value in others.items():
        setattr(settings, name, value)


def test_a_plain_server(settings: Any) -> None:
    with Server() as server:
        use(settings, server)
        with Session(connect()) as session:
            assert [answer.code for answer in session.send(LETTERS)] == [250] * 4


@pytest.mark.parametrize("at_once", [False, True], ids=["STARTTLS", "TLS at once"])
def test_encrypted_and_logged_in(settings: Any, tls: Callable[[str], ssl.SSLContext], at_once: bool) -> None:
    with Server(offers=SECURE, tls=tls("localhost"), tls_at_once=at_once) as server:
        use(settings, server, EMAIL_HOST_USER="me", EMAIL_HOST_PASSWORD="secret")
        use(settings, server, EMAIL_USE_TLS=not at_once, EMAIL_USE_SSL=at_once)
        with Session(connect()) as session:
            assert [answer.code for answer in session.send(LETTERS)] == [250] * 4
    login = next(line for line in server.lines if line.startswith(b"AUTH PLAIN"))
    assert base64.b64decode(login.split()[2]) == b"\0me\0secret"


def test_a_certificate_for_another_name_is_refused(settings: Any, tls: Callable[[str], ssl.SSLContext]) -> None:
    with Server(offers=SECURE, tls=tls("elsewhere.test")) as server:
        use(settings, server, EMAIL_USE_TLS=True, EMAIL_HOST_USER="me", EMAIL_HOST_PASSWORD="secret")
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            connect()
    assert not any(line.startswith(b"AUTH") for line in server.lines)


def test_a_certificate_of_an_unknown_authority_is_refused(settings: Any, tls: Callable[[str], ssl.SSLContext]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with Server(tls=context, tls_at_once=True) as server:
        use(settings, server, EMAIL_USE_SSL=True)
        with pytest.raises(ssl.SSLCertVerificationError):
            connect()


def test_a_server_without_tls_gets_no_password(settings: Any) -> None:
    with Server(offers=(*OFFERS, "AUTH PLAIN")) as server:
        use(settings, server, EMAIL_USE_TLS=True, EMAIL_HOST_USER="me", EMAIL_HOST_PASSWORD="secret")
        with pytest.raises(smtplib.SMTPNotSupportedError):
            connect()
    assert not any(line.startswith(b"AUTH") for line in server.lines)


def test_a_wrong_password_is_smtplibs_error_and_the_connection_is_closed(settings: Any) -> None:
    with Server(offers=(*OFFERS, "AUTH PLAIN"), login=b"535 5.7.8 No\r\n") as server:
        use(settings, server, EMAIL_HOST_USER="me", EMAIL_HOST_PASSWORD="secret")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            connect()
    assert not [thread for thread in server._threads if thread.is_alive()]
