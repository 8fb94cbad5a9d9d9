"""Where a fetch may connect to: the public internet's web, and what the operator adds."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpcore
import pytest
from django.core.management import CommandError, call_command

from config.environment import private_host
from digest.papers import fetch
from digest.papers.fetch import guard
from digest.papers.sources.parsed import SourceError
from tests.hostile import Server, head, ok


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch, settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.FETCH_PRIVATE_HOSTS = []
    monkeypatch.setattr(fetch.wait_budget, "sleep", lambda seconds: None)


@pytest.fixture
def web() -> Iterator[Server]:
    with Server() as server:
        server.answers["/"] = ok(b"papers")
        yield server


def allow(settings, *entries: str) -> None:
    settings.FETCH_PRIVATE_HOSTS = [private_host(entry) for entry in entries]


def names(monkeypatch: pytest.MonkeyPatch, **answers: list[list[str]]) -> list[str]:
    """What a name server would say, look-up by look-up; the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        found = answers[host.replace(".", "_")]
        return found.pop(0) if len(found) > 1 else found[0]

    monkeypatch.setattr(guard, "resolve", resolve)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.1", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1",
        "169.254.169.254",  # where clouds keep their secrets
        "100.64.0.1", "100.100.100.200",  # carriers' NAT; Alibaba's metadata
        "192.0.0.1", "192.0.0.192", "192.88.99.1", "198.18.0.1", "192.0.2.1", "203.0.113.9",
        "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",  # mapped
        "::127.0.0.1",  # compatible, deprecated
        "2002:7f00:1::", "2002:a9fe:a9fe::1",  # 6to4
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",  # NAT64
        "2001::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not guard.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2a04:4e42::1"]
)
def test_what_is_public_is_allowed(address: str) -> None:
    assert guard.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "LOCALHOST", "0", "127.1", "2130706433", "0x7f.1", "0x7f000001",
     "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_spelled(web: Server, host: str) -> None:
    with pytest.raises(SourceError, match=r"not on the public internet|there is no host"):
        fetch.fetch(f"http://{host}:{web.port}/")
    assert web.asked == []


@pytest.mark.parametrize("host", ["0177.0.0.1", "127.0.0.1%00.example.org", "①②⑦.0.0.1", "127。0。0。1"])
def test_a_spelling_that_no_page_needs_is_refused(web: Server, host: str) -> None:
    with pytest.raises(SourceError):
        fetch.fetch(f"http://{host}:{web.port}/")
    assert web.asked == []


def test_the_error_says_which_setting_allows_it(web: Server) -> None:
    with pytest.raises(SourceError) as caught:
        fetch.fetch(web.url)
    assert str(caught.value) == (
        f"{web.url}: 127.0.0.1 is not on the public internet: check it and, if it is meant, "
        f"add 127.0.0.1:{web.port} to the setting FETCH_PRIVATE_HOSTS."
    )


@pytest.mark.django_db
def test_the_command_refuses_it_with_the_same_words(web: Server) -> None:
    with pytest.raises(CommandError, match=r"FETCH_PRIVATE_HOSTS"):
        call_command("ingest", web.url)
    assert web.asked == []


@pytest.mark.parametrize("entry", ["127.0.0.1:{port}", "127.0.0.0/8:{port}", "papers.lan:{port}", "Papers.LAN:{port}"])
def test_what_the_operator_allows_is_fetched(
    web: Server, settings, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    names(monkeypatch, papers_lan=[["127.0.0.1"]])
    allow(settings, "wiki.lan", entry.format(port=web.port))
    page = fetch.fetch(f"http://papers.lan:{web.port}/")
    assert page and page.content == b"papers"


@pytest.mark.parametrize(
    "entry", ["127.0.0.1", "127.0.0.1:1", "lan", "papers.lan", "other.papers.lan:{port}", "10.0.0.0/8:{port}"]
)
def test_an_entry_opens_nothing_else(web: Server, settings, monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    names(monkeypatch, papers_lan=[["127.0.0.1"]])
    allow(settings, entry.format(port=web.port))
    with pytest.raises(SourceError, match=r"papers\.lan \(127\.0\.0\.1\) is not on the public internet"):
        fetch.fetch(f"http://papers.lan:{web.port}/")
    assert web.asked == []


def test_an_entry_without_a_port_opens_those_of_the_web(settings) -> None:
    allow(settings, "10.1.0.0/16")
    assert guard.addresses("10.1.2.3", 80, 1) == guard.addresses("10.1.2.3", 443, 1) == ["10.1.2.3"]
    with pytest.raises(SourceError, match=r"add 10\.1\.2\.3:8080 to"):
        guard.addresses("10.1.2.3", 8080, 1)


def test_a_public_host_has_the_ports_of_the_web_alone(settings) -> None:
    assert guard.addresses("8.8.8.8", 443, 1) == ["8.8.8.8"]
    with pytest.raises(SourceError, match=r"port 6379 is not one of the web's"):
        guard.addresses("8.8.8.8", 6379, 1)
    allow(settings, "10.0.0.0/8:6379")
    with pytest.raises(SourceError, match=r"port 6379 is not one of the web's"):
        guard.addresses("8.8.8.8", 6379, 1)
    allow(settings, "8.8.8.8:6379")
    assert guard.addresses("8.8.8.8", 6379, 1) == ["8.8.8.8"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, papers_example=[["8.8.8.8", "2606:4700::1111", "10.0.0.1"]])
    with pytest.raises(SourceError, match=r"papers\.example \(10\.0\.0\.1\) is not on"):
        fetch.fetch("http://papers.example/")


# --- a name that changes what it says
def test_the_connection_goes_to_the_address_that_was_checked(
    web: Server, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(monkeypatch, papers_example=[["127.0.0.1"], ["10.0.0.1"]])
    allow(settings, f"127.0.0.1:{web.port}")
    connected: list[tuple[str, int]] = []
    connect = socket.create_connection

    def noted(address: tuple[str, int], *args: object, **more: object) -> socket.socket:
        connected.append(address)
        return connect(address, *args, **more)

    monkeypatch.setattr(socket, "create_connection", noted)
    page = fetch.fetch(f"http://papers.example:{web.port}/")
    assert page and page.content == b"papers"
    assert (asked, connected) == (["papers.example"], [("127.0.0.1", web.port)])
    assert web.asked[0].headers["host"] == f"papers.example:{web.port}"


def test_a_name_is_checked_again_at_each_redirect(web: Server, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, papers_example=[["127.0.0.1"], ["127.0.0.2"]])
    allow(settings, f"127.0.0.1:{web.port}")
    web.answers["/"] = head("HTTP/1.1 302 Found", "Location: /again", "Content-Length: 0")
    web.answers["/again"] = ok(b"secret")
    with pytest.raises(SourceError, match=r"papers\.example \(127\.0\.0\.2\) is not on"):
        fetch.fetch(f"http://papers.example:{web.port}/")
    assert len(asked) == 2
    assert [one.target for one in web.asked] == ["/"]


def test_a_page_outside_leads_nobody_to_what_is_allowed_inside(
    web: Server, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, outside_example=[["127.0.0.1"]], wiki_lan=[["127.0.0.2"]])
    monkeypatch.setattr(guard, "is_public", lambda address: str(address) == "127.0.0.1")
    allow(settings, f"outside.example:{web.port}", f"wiki.lan:{web.port}")
    web.answers["/"] = head("HTTP/1.1 302 Found", f"Location: http://wiki.lan:{web.port}/secret", "Content-Length: 0")
    with pytest.raises(SourceError, match=r"a page on the public internet redirects to wiki\.lan, which is not"):
        fetch.fetch(f"http://outside.example:{web.port}/")


def test_a_second_address_is_tried_where_the_first_is_dead(
    web: Server, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, papers_example=[["127.0.0.9", "127.0.0.1"]])
    allow(settings, f"127.0.0.0/8:{web.port}")
    page = fetch.fetch(f"http://papers.example:{web.port}/")
    assert page and page.content == b"papers"


# --- a name that says nothing
def test_a_name_server_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "resolve", lambda host, port: time.sleep(30))
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"not answer in time, tried 3 times|not there within"):
        fetch.fetch("http://papers.example/", limits=fetch.Limits(connect=0.1, total=0.5))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("error", "says", "look_ups"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "there is no host papers.example", 1),
        (UnicodeError("label too long"), "there is no host papers.example", 1),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "papers.example could not be looked up", 3),
    ],
)
def test_a_name_nobody_knows_is_not_looked_up_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, says: str, look_ups: int
) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        raise error

    monkeypatch.setattr(guard, "resolve", resolve)
    with pytest.raises(SourceError) as caught:
        fetch.fetch("http://papers.example/")
    assert says in str(caught.value)
    assert len(asked) == look_ups


def test_no_proxy_and_no_password_comes_from_the_environment(
    web: Server, settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9/")
    allow(settings, f"127.0.0.1:{web.port}")
    assert fetch.fetch(web.url)
    assert "authorization" not in web.asked[0].headers


def test_no_unix_socket_is_ever_connected_to() -> None:
    network = fetch.network._Network(fetch.network.Allowance(fetch.LIMITS))
    with pytest.raises(NotImplementedError):
        network.connect_unix_socket("/run/redis.sock")
    assert isinstance(network, httpcore.NetworkBackend)
