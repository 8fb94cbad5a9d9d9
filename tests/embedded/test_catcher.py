from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from embedded import catcher, mailbox

PLAIN = b"From: a@example.org\r\nSubject: Hello\r\n\r\n"


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.eml"))]


def send(port: int, content: bytes, to: list[str] | None = None, options: tuple[str, ...] = ()) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("from@example.org", to or ["to@example.org"], content, mail_options=options)


def test_it_stores_exactly_the_bytes_that_were_sent(catcher_port, mail_folder):
    content = PLAIN + b".one dot\r\n..two dots\r\n.\r\n\r\nGr\xc3\xbc\xc3\x9fe \xff\x00\r\n  \r\nlast\r\n"
    send(catcher_port, content, options=("BODY=8BITMIME",))
    assert stored(mail_folder) == [content]


def test_it_keeps_the_envelope_beside_the_message(catcher_port, mail_folder):
    send(catcher_port, PLAIN, to=["one@example.org", "two@example.org"])
    (envelope,) = mail_folder.glob("*.json")
    assert json.loads(envelope.read_text()) == {
        "from": "from@example.org",
        "to": ["one@example.org", "two@example.org"],
    }
    (summary,) = mailbox.messages(mail_folder)
    assert summary.recipients == ("one@example.org", "two@example.org")
    assert envelope.stem == summary.name


def test_it_takes_addresses_in_any_script(catcher_port, mail_folder):
    with smtplib.SMTP("127.0.0.1", catcher_port, timeout=10) as client:
        client.ehlo()
        client.mail("grüße@example.org", options=["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt("例@example.org")
        client.data("Subject: 例\r\n\r\nx\r\n".encode())
    (summary,) = mailbox.messages(mail_folder)
    assert (summary.subject, summary.recipients) == ("例", ("例@example.org",))


def test_it_takes_mail_from_many_clients_at_once(catcher_port, mail_folder):
    def many(who: int) -> None:
        with smtplib.SMTP("127.0.0.1", catcher_port, timeout=10) as client:
            for number in range(50):
                client.sendmail("a@example.org", ["b@example.org"], PLAIN + b"%d-%d\r\n" % (who, number))

    threads = [threading.Thread(target=many, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    bodies = [content.removeprefix(PLAIN).strip().decode() for content in stored(mail_folder)]
    for who in range(2):  # none lost, none mixed up, and in the order in which each client sent them
        assert [body for body in bodies if body.startswith(f"{who}-")] == [f"{who}-{n}" for n in range(50)]


def test_it_offers_pipelining_and_keeps_the_promise(catcher_port, mail_folder):
    with socket.create_connection(("127.0.0.1", catcher_port), timeout=10) as client:
        replies = client.makefile("rb")
        assert replies.readline().startswith(b"220 ")
        client.sendall(b"EHLO here\r\n")
        offered = [replies.readline()]
        while offered[-1][3:4] == b"-":
            offered.append(replies.readline())
        names = {line[4:].split()[0] for line in offered[1:]}
        assert {b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE"} <= names
        message = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
        # Two messages in one packet, the end of the one and the start of the other together.
        client.sendall(message)
        assert [replies.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        client.sendall(PLAIN + b"first\r\n.\r\n" + message)
        assert [replies.readline()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
        client.sendall(PLAIN + b"second\r\n.\r\nQUIT\r\n")
        assert [replies.readline()[:3] for _ in range(2)] == [b"250", b"221"]
    assert stored(mail_folder) == [PLAIN + b"first\r\n", PLAIN + b"second\r\n"]


def test_it_refuses_a_message_that_says_it_is_too_big(catcher_port, mail_folder):
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(catcher_port, PLAIN + b"x" * 70 * 160_000)
    assert refused.value.smtp_code == 552
    assert stored(mail_folder) == []


def test_it_refuses_a_message_that_turns_out_too_big(catcher_port, mail_folder):
    line = b"x" * 70 + b"\r\n"
    with smtplib.SMTP("127.0.0.1", catcher_port, timeout=30) as client:
        client.helo("here")  # HELO knows no SIZE
        client.mail("a@example.org")
        client.rcpt("b@example.org")
        code, _ = client.data(PLAIN + line * (catcher.SIZE_LIMIT // len(line) + 1))
        assert code == 552
        client.sendmail("a@example.org", ["b@example.org"], PLAIN)  # and goes on
    assert stored(mail_folder) == [PLAIN]


def test_it_says_452_when_it_cannot_store(catcher_port, mail_folder, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catcher, "store", full)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(catcher_port, PLAIN)
    assert refused.value.smtp_code == 452


def test_it_names_files_by_arrival_even_when_the_clock_steps_back(tmp_path, monkeypatch):
    import datetime as dt

    class Clock(dt.datetime):
        moments = [
            dt.datetime(2026, 11, 21, 8, 15, 2, 123456, dt.UTC),
            dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        ]

        @classmethod
        def now(cls, tz=None):
            return cls.moments.pop(0)

    handler = catcher.Catcher(tmp_path)
    monkeypatch.setattr(catcher.dt, "datetime", Clock)
    names = [handler._next_name(), handler._next_name()]
    assert names == sorted(names)
    assert names[0].startswith("20261121T081502.123456Z-")
    assert all(mailbox.NAME.fullmatch(name) for name in names)


def test_it_leaves_nothing_half_written_to_be_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(catcher.os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(5, "I/O error")))
    name = "20261121T081502.123456Z-00000000"
    with pytest.raises(OSError, match="I/O error"):
        catcher.store(tmp_path, name, PLAIN, "", [])
    assert mailbox.messages(tmp_path) == []


def test_it_drops_old_drafts_and_keeps_new_ones(tmp_path):
    for name, age in (("old", 2 * catcher.ABANDONED), ("new", 0)):
        path = tmp_path / f".{name}.eml.part"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    catcher.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".new.eml.part"]


def test_it_keeps_mail_for_this_user_only(catcher_port, mail_folder):
    send(catcher_port, PLAIN)
    assert mail_folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in mail_folder.iterdir()} == {0o600}


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_catches_until_a_signal(tmp_path, free_port, wait_until, number):
    port = free_port()
    env = {**os.environ, "DATA_DIR": str(tmp_path), "MAIL_CATCHER_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "catch_mail"], env=env,
        cwd=Path(__file__).resolve().parents[2], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert b"catching mail on 127.0.0.1:%d" % port in process.stdout.readline()
        send(port, PLAIN)
        assert stored(tmp_path / "mail") == [PLAIN]
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == b""
    finally:
        process.kill()
        process.communicate()
