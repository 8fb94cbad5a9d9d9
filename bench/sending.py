"""Sending mails of 23 kB, each of its own bytes: what it costs us, and how fast it is near and far, beside its peers.

The far server is a proxy on the same cores that holds back what the client says for 50 ms. A private postfix queues
on disk as always, and discards what it queued.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import smtplib
import subprocess
import time
from collections.abc import Callable
from itertools import islice

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from bench import mailers
from bench.measure import Case, Figure
from digest.mail.messages import Letter
from digest.mail.transports.smtp import Session, send_all
from digest.mail.transports.smtp.dkim import Signer

SENDER = "papers@example.org"
FAR = 0.05  # seconds a round trip
LETTERS = 1_000
SIGNED = 20
_open = contextlib.ExitStack()
atexit.register(_open.close)


def letter(number: int) -> Letter:
    lines = (
        f"{number:06}-{line:03} <p>A line of a block{'.' * (line % 2)} with a link to it =\r\n" for line in range(415)
    )
    head = f"From: {SENDER}\r\nTo: reader{number}@example.net\r\nSubject: Ten papers for {number}\r\n"
    head += f"Message-ID: <{number}@example.org>\r\nDate: Mon, 16 Mar 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    head += "List-Unsubscribe: <https://example.org/u/x/>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    head += "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    data = (head + "".join(lines)).encode()
    return Letter(number, SENDER, f"reader{number}@example.net", data, is_plain=True)  # as the press makes them


def django_mail(number: int, backend: EmailBackend | None = None) -> EmailMultiAlternatives:
    """About as large, text and HTML together."""
    text = "".join(f"{number:06}-{line:03} A line of a paper's block\n" for line in range(150))
    html = "".join(f"{number:06}-{line:03} <p>A line of a paper's block, with a link\n" for line in range(300))
    to = f"reader{number}@example.net"
    mail = EmailMultiAlternatives(f"Ten papers for {number}", text, SENDER, [to], connection=backend)
    mail.attach_alternative(html, "text/html")
    return mail


class Ways:
    """Every way to send so many mails to one port. Each raises when a mail was not taken."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.letters = [letter(number) for number in range(LETTERS)]

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, "bench.test", timeout=60)

    def ours(self, count: int) -> None:
        with Session(self.connect()) as session:
            assert sum(answer.is_taken for answer in session.send(islice(self.letters, count))) == count

    def ours_many(self, count: int, connections: int) -> None:
        letters = (self.letters[number % LETTERS] for number in range(count))
        assert sum(answer.is_taken for answer in send_all(letters, self.connect, connections)) == count

    def smtplib(self, count: int) -> None:
        with self.connect() as connection:
            for one in islice(self.letters, count):
                connection.sendmail(one.sender, [one.recipient], one.data)

    def django_messages(self, count: int) -> None:
        backend = EmailBackend("127.0.0.1", self.port)
        assert backend.send_messages([django_mail(number) for number in range(count)]) == count

    def django_send(self, count: int) -> None:
        for number in range(count):
            assert django_mail(number, EmailBackend("127.0.0.1", self.port)).send() == 1

    def smtp_source(self, count: int, connections: int = 1) -> None:
        command = mailers.smtp_source(self.port, count, len(self.letters[0].data), connections)
        subprocess.run(command, env=mailers.environment(), check=True, capture_output=True)


def cases() -> list[Case]:
    port, name = _open.enter_context(mailers.sink())
    ways = Ways(port)
    group = f"SMTP client, {len(ways.letters[0].data) / 1000:.0f} kB a mail, to {name}"
    found = [Case(group, "one connection, pipelined", lambda: ways.ours(LETTERS), LETTERS, "mail", rounds=5)]
    if mailers.unpack():
        found.append(Case(group, "smtp-source -d", lambda: ways.smtp_source(LETTERS), LETTERS, "mail", 1, rounds=5))
    found += [
        Case(group, "100 connections at a time", lambda: ways.ours_many(4 * LETTERS, 100), 4 * LETTERS, "mail"),
        Case(group, "smtplib.sendmail, ready bytes", lambda: ways.smtplib(300), 300, "mail"),
        Case(group, "Django send_messages", lambda: ways.django_messages(50), 50, "mail"),
        Case(group, "Django send() each", lambda: ways.django_send(50), 50, "mail"),
    ]
    return found + _signing(ways.letters[0].data)


def _signing(data: bytes) -> list[Case]:
    at = dt.datetime(2026, 3, 16, 8, tzinfo=dt.UTC)
    rsa, ed25519 = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
    pem = _pem(rsa)
    names = [b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post"]

    def times(run: Callable[[], object]) -> Callable[[], None]:
        def all_of_them() -> None:
            for _ in range(SIGNED):
                run()

        return all_of_them

    def theirs() -> bytes:
        options = {"canonicalize": (b"relaxed", b"relaxed"), "include_headers": names}
        return bytes(dkim.sign(data, b"s", b"example.org", pem, **options))

    ways: list[tuple[str, Callable[[], object], float]] = [
        ("RSA-2048", lambda: Signer("example.org", "s", rsa).header(data, at), 0),
        ("OpenSSL's RSA signature alone", lambda: rsa.sign(data[:500], PKCS1v15(), SHA256()), 0),
        ("dkimpy, RSA-2048", theirs, 5),
        ("Ed25519", lambda: Signer("example.org", "s", ed25519).header(data, at), 0),
        ("OpenSSL's Ed25519 signature alone", lambda: ed25519.sign(data[:32]), 0),
    ]
    return [Case("DKIM signature", name, times(run), SIGNED, "mail", least) for name, run, least in ways]


def _pem(key: RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def figures() -> list[Figure]:
    return [*_real_server(), *_far_server()]


def _real_server() -> list[Figure]:
    with mailers.postfix() as found:
        if not found:
            return [Figure("postfix: not measured (Debian's package and root are needed)", 0, "mails/s")]
        port, master = found
        ways = Ways(port)
        ways.ours(20)  # its processes are started
        one, many, theirs, django = _rates(
            (lambda: ways.ours(300), 300),
            (lambda: ways.ours_many(500, 8), 500),
            (lambda: ways.smtplib(300), 300),
            (lambda: ways.django_messages(40), 40),
            rounds=3,
        )
        own, its = time.process_time(), mailers.seconds(master)
        ways.ours_many(500, 8)
        own, its = time.process_time() - own, mailers.seconds(master) - its
    return [
        Figure("a real postfix: 8 connections, pipelined", many, "mails/s"),
        Figure("a real postfix: one connection, pipelined", one, "mails/s"),
        Figure("a real postfix: one connection, smtplib.sendmail", theirs, "mails/s"),
        Figure("a real postfix: one connection, Django send_messages", django, "mails/s"),
        Figure("a real postfix: our 8 connections against smtplib's one", many / theirs, "times", least=1.5),
        Figure("a real postfix: our one connection against smtplib's one", one / theirs, "times"),
        Figure("a real postfix: the client's share of CPU", 100 * own / (own + its), "%", most=15),
    ]


def _far_server() -> list[Figure]:
    with mailers.sink() as (port, name), mailers.far_away(port, FAR) as far:
        ways = Ways(far)
        where = f"{FAR * 1000:.0f} ms away ({name})"
        (django,) = _rates((lambda: ways.django_send(6), 6), rounds=1)
        (one,) = _rates((lambda: ways.ours(40), 40), rounds=1)
        runs: list[tuple[Callable[[], None], int]] = [(lambda: ways.ours_many(4_000, 100), 4_000)]
        if mailers.unpack():
            runs.append((lambda: ways.smtp_source(1_200, 100), 1_200))
        many, *source = _rates(*runs)
    found = [
        Figure(f"{where}: 100 connections, pipelined", many, "mails/s"),
        Figure(f"{where}: one connection, pipelined", one, "mails/s"),
        Figure(f"{where}: Django send() each", django, "mails/s"),
        Figure(f"{where}: ours against Django", many / django, "times", least=250),
    ]
    for rate in source:
        found.append(Figure(f"{where}: smtp-source -d, 100 connections", rate, "mails/s"))
        found.append(Figure(f"{where}: ours against smtp-source", many / rate, "times", least=2.5))
    return found


def _rates(*runs: tuple[Callable[[], None], int], rounds: int = 3) -> list[float]:
    """Units a second of each over all rounds, in turn: a busy machine disturbs all alike."""
    took = [0.0] * len(runs)
    for _ in range(rounds):
        for number, (run, _units) in enumerate(runs):
            start = time.perf_counter()
            run()
            took[number] += time.perf_counter() - start
    return [rounds * units / seconds for (_, units), seconds in zip(runs, took, strict=True)]
