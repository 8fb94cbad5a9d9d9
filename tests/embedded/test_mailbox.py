from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from embedded import catcher, mailbox

HOSTILE = Path(__file__).resolve().parents[3] / "shared/data/hostile/mime_cpython"


def keep(folder: Path, content: bytes, number: int = 0) -> str:
    folder.mkdir(exist_ok=True)
    name = f"20261121T081502.{number:06}Z-0123abcd"
    catcher.store(folder, name, content, "from@example.org", ["to@example.org"])
    return name


def test_it_reads_both_parts_and_the_headers(mail_folder):
    message = EmailMessage()
    message["From"] = "Paper Round <papers@example.org>"
    message["To"] = "reader@example.org"
    message["Subject"] = "Grüße & 例"
    message["List-Id"] = "<round.example.org>"
    message.set_content("Text: grüße\n")
    message.add_alternative("<p>Grüße</p>\n", subtype="html")
    name = keep(mail_folder, bytes(message))
    mail = mailbox.read(mail_folder, name)
    assert mail is not None
    assert (mail.sender, mail.to) == ("Paper Round <papers@example.org>", "reader@example.org")
    assert (mail.subject, mail.text, mail.html) == ("Grüße & 例", "Text: grüße\n", "<p>Grüße</p>\n")
    assert mail.header("list-id") == "<round.example.org>"
    assert mail.received == "2026-11-21 08:15:02"
    assert mail.size == len(bytes(message))


def test_it_lists_newest_first_a_page_at_a_time(mail_folder):
    for number in range(5):
        keep(mail_folder, b"Subject: %d\r\n\r\n" % number, number)
    assert mailbox.count(mail_folder) == 5
    assert [one.subject for one in mailbox.messages(mail_folder, limit=2)] == ["4", "3"]
    assert [one.subject for one in mailbox.messages(mail_folder, limit=2, offset=4)] == ["0"]


def test_it_is_empty_before_the_first_mail(tmp_path):
    assert mailbox.messages(tmp_path / "nowhere") == []
    assert mailbox.count(tmp_path / "nowhere") == 0


def test_it_shows_no_attachment_as_the_text(mail_folder):
    message = EmailMessage()
    message.set_content("the text")
    message.add_attachment("the attachment", filename="a.txt")
    mail = mailbox.read(mail_folder, keep(mail_folder, bytes(message)))
    assert mail is not None
    assert mail.text.strip() == "the text"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "20261121T081502.000000Z-0123abcd\n", "x/20261121T081502.000000Z-0123abcd",
     "20261121T081502.000000Z-0123abcd.eml", "20261121T081502.000000Z-0123ABCD",
     "²0261121T081502.000000Z-0123abcd"],
)  # fmt: skip
def test_it_reads_no_name_that_the_catcher_could_not_have_given(mail_folder, name):
    keep(mail_folder, b"\r\n")
    (mail_folder.parent / "secret.eml").write_bytes(b"\r\n")
    assert mailbox.read(mail_folder, name) is None
    assert mailbox.path_of(mail_folder, name) is None


def test_it_reads_a_message_whose_envelope_is_missing_or_broken(mail_folder):
    name = keep(mail_folder, b"Subject: x\r\n\r\n")
    for broken in (b"", b"{}", b'{"to": 5}', b"\xff", b'["to"]'):
        (mail_folder / f"{name}.json").write_bytes(broken)
        assert [one.recipients for one in mailbox.messages(mail_folder)] == [()]
    (mail_folder / f"{name}.json").unlink()
    assert mailbox.read(mail_folder, name) is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"no header at all",
        b"Subject: =?utf-8?b?!!!?=\r\n\r\n",
        b"Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff",
        b"Subject: =?utf-8?q?=ED=A0=80?=\r\n\r\n",
        b"Subject: \xed\xa0\x80\xff raw\r\n\r\n",
        b"Content-Type: text/plain; charset=hex\r\n\r\n61",
        b'Content-Type: text/html; charset="\xff\x00"\r\n\r\n<p>',
        b"Content-Type: text/plain; charset*=utf-16''x\r\n\r\nabc",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!=",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 x\r\n!!!\r\nend\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a\r\n\r\n--a--",
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1500)),
        b"Content-Disposition: attachment; filename*0*=utf-8''%ff%\r\n\r\nx",
        b"From: " + b"a@b, " * 30_000 + b"\r\n\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n\r\n+2AAAAA-",
    ],
    ids=range(19),
)
def test_it_never_raises_for_what_is_stored(mail_folder, content):
    name = keep(mail_folder, content)
    (summary,) = mailbox.messages(mail_folder)
    mail = mailbox.read(mail_folder, name)
    assert mail is not None
    for text in (
        summary.subject,
        summary.sender,
        mail.text,
        mail.html,
        *(v for pair in mail.headers for v in pair),
    ):
        text.encode()  # what a page can hold: no lone surrogates
    assert "\n" not in mail.subject + mail.sender


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="../shared/data/hostile/mime_cpython is not here")
def test_it_lists_and_shows_every_hostile_message(mail_folder):
    files = sorted(HOSTILE.glob("*.txt"))
    assert files
    names = [keep(mail_folder, file.read_bytes(), number) for number, file in enumerate(files)]
    assert len(mailbox.messages(mail_folder, limit=100)) == len(files)
    mails = [mailbox.read(mail_folder, name) for name in names]
    assert all(mail is not None for mail in mails)
    assert sum(bool(mail and mail.subject) for mail in mails) > len(files) / 2
