from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import NoReverseMatch, reverse

from embedded import catcher

NAME = "20261121T081502.123456Z-0123abcd"
MAIL = (
    b"From: Paper Round <papers@example.org>\r\nTo: reader@example.org\r\nSubject: <b>R&D</b>\r\n"
    b"Message-ID: <1@example.org>\r\nList-Unsubscribe: <http://127.0.0.1:8000/unsubscribe/x/>\r\n"
    b"X-Other: not shown\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=cut\r\n\r\n"
    b"--cut\r\nContent-Type: text/plain\r\n\r\nin <plain> text\r\n"
    b"--cut\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><title>x</title><script>alert(1)</script>\r\n"
    b"--cut--\r\n"
)
HOSTILE = Path(__file__).resolve().parents[3] / "shared/data/hostile/mime_cpython"

pytestmark = pytest.mark.urls("tests.embedded.mailbox_urls")


@pytest.fixture
def local(settings, mail_folder):
    """A local site that catches its mail, and a base template that needs no other address."""
    settings.EMBEDDED_MAIL = settings.SITE_IS_LOCAL = True
    settings.MAIL_CATCHER_DIR = mail_folder
    html = settings.TEMPLATES[0]
    folders = [Path(__file__).parent / "templates", *html["DIRS"]]
    settings.TEMPLATES = [{**html, "DIRS": folders}, *settings.TEMPLATES[1:]]
    catcher.prepare(mail_folder)
    return settings


@pytest.fixture
def mail(local, mail_folder):
    catcher.store(mail_folder, NAME, MAIL, "papers@example.org", ["reader@example.org"])


def test_it_lists_what_was_caught(client, mail):
    page = client.get("/mailbox/").content.decode()
    assert f'href="/mailbox/{NAME}/"' in page
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in page
    assert "2026-11-21 08:15:02" in page


def test_it_says_so_when_nothing_was_caught(client, local):
    assert "No mail yet" in client.get("/mailbox/").content.decode()


def test_it_turns_pages_of_fifty(client, local, mail_folder):
    for number in range(51):
        name = f"20261121T081502.{number:06}Z-0123abcd"
        catcher.store(mail_folder, name, b"Subject: number %d.\r\n\r\n" % number, "", [])
    first, second = (client.get("/mailbox/", {"page": page}).content.decode() for page in (1, 2))
    assert "number 50." in first and "number 1." in first and "number 0." not in first
    assert "number 0." in second and "number 1." not in second


def test_it_shows_a_message_with_its_html_in_a_frame(client, mail):
    page = client.get(f"/mailbox/{NAME}/").content.decode()
    assert "in &lt;plain&gt; text" in page
    assert "&lt;http://127.0.0.1:8000/unsubscribe/x/&gt;" in page
    assert "not shown" not in page
    assert "<script>" not in page
    assert f'src="/mailbox/{NAME}/html"' in page
    assert "allow-scripts" not in page and "allow-same-origin" not in page and "allow-popups" in page


def test_it_serves_the_html_part_harmless_and_framed_by_us_only(client, mail):
    response = client.get(f"/mailbox/{NAME}/html")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "style-src 'unsafe-inline'" in policy and "img-src data:" in policy
    assert "script-src" not in policy and "allow-scripts" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content.startswith(b'<!DOCTYPE html><base target="_blank"><title>')


def test_its_pages_can_be_framed_by_nobody(client, mail):
    for address in ("/mailbox/", f"/mailbox/{NAME}/"):
        response = client.get(address)
        assert response["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in response["Content-Security-Policy"]


def test_it_gives_the_raw_message_to_download(client, mail):
    response = client.get(f"/mailbox/{NAME}/source")
    assert b"".join(response.streaming_content) == MAIL
    assert response["Content-Disposition"] == f'attachment; filename="{NAME}.eml"'
    assert response["Content-Type"] == "message/rfc822"


@pytest.mark.parametrize("path", ["", "/html", "/source"])
@pytest.mark.parametrize(
    "name", ["nothing", "..", "%2e%2e%2fsecret", "..%2fsecret", "20261121T081502.123456Z-ffffffff",
             f"{NAME}.eml", f"{NAME}%00", f"{NAME}%0a", f".%5c{NAME}"]
)  # fmt: skip
def test_it_has_no_page_for_other_names(client, mail, mail_folder, name, path):
    (mail_folder.parent / "secret.eml").write_bytes(b"\r\nsecret")
    assert client.get(f"/mailbox/{name}{path or '/'}").status_code == 404


def test_it_has_no_html_page_for_a_mail_without_html(client, local, mail_folder):
    catcher.store(mail_folder, NAME, b"Subject: x\r\n\r\nonly text", "", [])
    assert client.get(f"/mailbox/{NAME}/html").status_code == 404
    assert "iframe" not in client.get(f"/mailbox/{NAME}/").content.decode()


@pytest.mark.parametrize(
    "address", ["/mailbox/", f"/mailbox/{NAME}/", f"/mailbox/{NAME}/html", f"/mailbox/{NAME}/source"]
)
class TestItIsForTheLocalMachineOnly:
    def test_it_is_there_for_this_machine(self, client, mail, address):
        assert client.get(address).status_code == 200
        assert client.get(address, REMOTE_ADDR="::1").status_code == 200
        assert client.get(address, REMOTE_ADDR="::ffff:127.0.0.1").status_code == 200

    def test_it_is_not_there_on_a_public_site(self, client, mail, address, settings):
        settings.SITE_IS_LOCAL = False
        assert client.get(address).status_code == 404

    def test_it_is_not_there_when_mail_really_leaves(self, client, mail, address, settings):
        settings.EMBEDDED_MAIL = False
        assert client.get(address).status_code == 404

    @pytest.mark.parametrize("remote", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", "", "unix:"])
    def test_it_is_not_there_for_another_machine(self, client, mail, address, remote):
        assert client.get(address, REMOTE_ADDR=remote).status_code == 404

    def test_it_is_not_there_through_a_proxy(self, client, mail, address):
        assert client.get(address, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404

    @pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host", "CF-Connecting-IP"])
    def test_it_is_not_there_through_a_proxy_of_another_kind(self, client, mail, address, header):
        assert client.get(address, headers={header: "127.0.0.1"}).status_code == 404

    def test_it_can_only_be_read(self, client, mail, address):
        assert client.post(address).status_code == 405


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="../shared/data/hostile/mime_cpython is not here")
def test_it_shows_every_hostile_message(client, local, mail_folder):
    for number, file in enumerate(sorted(HOSTILE.glob("*.txt"))):
        name = f"20261121T081502.{number:06}Z-0123abcd"
        catcher.store(mail_folder, name, file.read_bytes(), "", [])
        assert client.get(f"/mailbox/{name}/").status_code == 200
        assert client.get(f"/mailbox/{name}/html").status_code in (200, 404)
    assert client.get("/mailbox/").status_code == 200


@pytest.mark.urls("config.urls")
@pytest.mark.django_db
def test_it_is_part_of_the_site(client, settings, mail_folder):
    settings.EMBEDDED_MAIL = settings.SITE_IS_LOCAL = True
    settings.MAIL_CATCHER_DIR = mail_folder
    try:
        address = reverse("embedded:mailbox")
    except NoReverseMatch:
        pytest.skip("config.urls does not include embedded.urls yet")
    assert client.get(address).status_code == 200
