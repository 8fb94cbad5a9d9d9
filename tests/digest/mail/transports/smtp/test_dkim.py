"""Our signatures, verified by dkimpy."""

from __future__ import annotations

import base64
import datetime as dt
import re
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from digest.mail.transports.smtp.dkim import KeyProblem, Signer, configured, mail_can_be_signed
from tests.conftest import MORNING

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()

HEAD = (
    b"From: Paper Round <papers@example.org>\r\n"
    b"To: reader@example.net\r\n"
    b"Subject: Ten papers\r\n"
    b"Date: Mon, 16 Mar 2026 08:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"List-Unsubscribe: <https://example.org/unsubscribe/x/>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"X-Other: not signed\r\n"
)
MAIL = HEAD + b"\r\nOne.\r\nTwo.\r\n"


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def record(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """What DNS would hold."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)


RECORDS = {b"rsa._domainkey.example.org.": record(RSA), b"ed._domainkey.example.org.": record(ED25519)}
SIGNERS = [Signer("example.org", "rsa", RSA), Signer("example.org", "ed", ED25519)]


def verifies(mail: bytes) -> bool:
    return bool(dkim.verify(mail, dnsfunc=lambda name, timeout=5: RECORDS.get(name)))


@pytest.fixture(params=SIGNERS, ids=lambda signer: signer.algorithm)
def signer(request: pytest.FixtureRequest) -> Signer:
    found: Signer = request.param
    return found


BODIES = [
    b"",
    b"\r\n",
    b"\r\n\r\n\r\n",
    b"no end",
    b"one\r\n",
    b"one\r\n\r\n\r\n",
    b"blanks  in \t the   line \r\nand at its end \t \r\n\t\r\n \r\n",
    b" \r\n \r\n",
    b"\r\n\r\nfirst lines empty\r\n",
    b"x" * 100_000 + b"\r\n",
    b"quoted=20printable=\r\n.dots\r\n..\r\n",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_any_body_verifies(signer: Signer, body: bytes) -> None:
    assert verifies(signer.sign(HEAD + b"\r\n" + body, MORNING))


@pytest.mark.parametrize(
    "field",
    [
        b"Subject: folded\r\n  over\r\n\tthree lines  \r\n",
        b"sUBJECT:  spaces   about   \r\n",
        b"Subject:\r\n",
        b"Subject: " + b"long " * 500 + b"\r\n",
        b"List-ID: a\r\nList-ID: b\r\n",  # twice
        b"Received: from a\r\n\tby b: c\r\n",
    ],
)
def test_any_header_verifies(signer: Signer, field: bytes) -> None:
    head = HEAD.replace(b"Subject: Ten papers\r\n", b"") + field
    assert verifies(signer.sign(head + b"\r\nbody\r\n", MORNING))


@given(
    body=st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"=", b".", b"word "]), max_size=40).map(b"".join),
    subject=st.lists(st.sampled_from([b" ", b"\t", b"a", b":", b"\r\n ", b"\r\n\tx", b"="]), max_size=12).map(b"".join),
)
def test_whatever_the_blanks_it_verifies(body: bytes, subject: bytes) -> None:
    head = HEAD.replace(b"Ten papers", b"x" + subject + b"x")
    assert verifies(SIGNERS[1].sign(head + b"\r\n" + body, MORNING))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"One.", b"Ome."),
        (b"Ten papers", b"Eleven papers"),
        (b"unsubscribe/x", b"unsubscribe/y"),
        (b"=One-Click", b"=Two-Click"),
        (b"reader@example.net", b"other@example.net"),
        (b"X-Other: not signed\r\n", b"From: other@example.org\r\n"),  # one more From is an attack
        (b"X-Other: not signed\r\n", b"Subject: another\r\n"),
    ],
)
def test_what_is_signed_cannot_be_changed(signer: Signer, before: bytes, after: bytes) -> None:
    signed = signer.sign(MAIL, MORNING)
    assert verifies(signed)
    assert not verifies(signed.replace(before, after))


def test_what_relays_add_does_no_harm(signer: Signer) -> None:
    signed = signer.sign(MAIL, MORNING)
    assert verifies(b"Received: from a by b\r\n" + signed.replace(b"X-Other: not signed", b"X-Other: x") + b"\r\n")


def test_the_signature_names_what_it_covers(signer: Signer) -> None:
    field = signer.header(MAIL, dt.datetime(2026, 3, 16, 8, tzinfo=dt.UTC))
    tags = dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", field.decode().partition(":")[2])))
    assert tags["h"].split(":") == [
        "from", "from", "to", "to", "subject", "subject", "date", "message-id", "list-unsubscribe",
        "list-unsubscribe-post", "mime-version", "content-type",
    ]  # fmt: skip
    assert (tags["d"], tags["c"], tags["t"]) == ("example.org", "relaxed/relaxed", "1773648000")
    assert all(len(line) <= 78 for line in field.decode().splitlines())


# --- the key
def test_a_key_comes_as_text_on_one_line_or_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_text(pem(RSA))
    for given_key in (pem(RSA), pem(RSA).replace("\n", "\\n"), str(path)):
        assert verifies(Signer.of("example.org", "rsa", given_key).sign(MAIL, MORNING))


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("/nowhere/key.pem", "neither a PEM key nor a file that can be read (No such file or directory)"),
        ("/", "neither a PEM key nor a file"),
        ("a\0b", "neither a PEM key nor a file"),
        ("-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----\n", "no PEM private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither an RSA nor an Ed25519 key"),
        ("-----BEGIN PUBLIC KEY-----", "no PEM private key"),
    ],
)
def test_a_bad_key_is_one_clear_line_that_shows_nothing_of_it(key: str, says: str) -> None:
    with pytest.raises(KeyProblem, match=re.escape(says)) as raised:
        Signer.of("example.org", "rsa", key)
    assert "rubbish" not in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("domain", "selector"), [("", "a"), ("example.org", "a b"), ("example.org", "a;b"), ("-", "a")]
)
def test_a_name_that_dns_cannot_hold_is_refused(domain: str, selector: str) -> None:
    with pytest.raises(KeyProblem, match="is not a name that DNS can hold"):
        Signer.of(domain, selector, pem(ED25519))


# --- the settings
def test_nothing_is_signed_unless_it_is_wanted() -> None:
    assert configured() is None
    assert mail_can_be_signed(None) == []


def test_the_settings_make_a_signer(settings: Any) -> None:
    settings.DKIM_SELECTOR, settings.DKIM_PRIVATE_KEY, settings.DKIM_DOMAIN = "ed", pem(ED25519), "example.org"
    signer = configured()
    assert signer
    assert verifies(signer.sign(MAIL, MORNING))


def test_half_a_setting_is_an_error_of_check(settings: Any) -> None:
    settings.DKIM_SELECTOR = "ed"
    assert ["go together" in error.msg for error in mail_can_be_signed(None)] == [True]
    settings.DKIM_PRIVATE_KEY = "/nowhere"
    assert ["neither a PEM key" in error.msg for error in mail_can_be_signed(None)] == [True]


def test_a_short_key_is_told_with_what_to_do(settings: Any) -> None:
    settings.DKIM_SELECTOR, settings.DKIM_DOMAIN = "s2020", "example.org"
    for bits, said in ((1024, ["paper_round.W005"]), (2047, ["paper_round.W005"]), (2048, [])):
        settings.DKIM_PRIVATE_KEY = pem(rsa.generate_private_key(65537, bits))
        found = mail_can_be_signed(None)
        assert [one.id for one in found] == said
        assert all("genrsa" in str(one.hint) and "s2020._domainkey.example.org" in str(one.hint) for one in found)


# `openssl genrsa -traditional 512`: the library that we use makes none so short.
TINY = """
-----BEGIN RSA PRIVATE KEY-----
MIIBOQIBAAJBALuMxHD0eBCF7xtEd0jm8EjlonD3Rupcg0RgAy/s2EaRkDhIk8SR
ZZPCbGnaOwVkySTUIWDrrVBcRNkOoX4e4aMCAwEAAQJAZSXxF/4w9rBVGT6empm6
Q4ZdSlGCVIkaXnjtnx48MioIlp0DgfrkNVp6SL479sgdOiybUihPqamZ7plJx+Bm
OQIhAOaScH1wBmKoAtYMwD6sXRmbb4oWhbhGMLF9DBPujIEVAiEA0Du3hbYjWYtK
MnuL/4qxp5FCid8KIDjXbGQmPkHY1dcCIGTplJghznmhRNR/8ie78mdBsziBkPbM
qYUU0JNspUvdAiALi+QnQ+w94N1iYztmFhi3w/Q+lOGI294GIp+EQD53zQIgagyy
ElRHOB2XwI/mZXGQnE07etUvH7ZB3l6mUp1giH4=
-----END RSA PRIVATE KEY-----
"""


def test_a_key_that_receivers_need_not_take_is_refused() -> None:
    with pytest.raises(KeyProblem, match="has 512 bits; use RSA of 2048, or Ed25519"):
        Signer.of("example.org", "rsa", TINY)
