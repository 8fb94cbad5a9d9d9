"""What is an address, and which two are one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.utils.translation import override
from hypothesis import example, given, settings
from hypothesis import strategies as st

from subscriptions import addresses
from subscriptions.addresses import AddressError, key, masked, read
from subscriptions.forms import SignupForm
from subscriptions.preferences import DEFAULTS


@pytest.mark.parametrize("typed, address", [
    ("a@example.org", "a@example.org"),
    ("  a@example.org\n", "a@example.org"),
    ("A.B+papers@EXAMPLE.org", "A.B+papers@example.org"),
    ("a@Bücher.example.org", "a@xn--bcher-kva.example.org"),
    ("a@例え.jp", "a@xn--r8jz45g.jp"),
    ("o'neil@example.org", "o'neil@example.org"),
    ("a@lab.test", "a@lab.test"),
])  # fmt: skip
def test_it_reads(typed: str, address: str) -> None:
    assert read(typed) == address


@pytest.mark.parametrize("typed", [
    "", "a", "a@", "@example.org", "a@b", "a b@example.org", "a@exa mple.org", "a@example..org", "a@-example.org",
    "A <a@example.org>", "a@example.org, b@example.org", '"a b"@example.org', "a@[127.0.0.1]", "a@localhost",
    "a@example.invalid", f"a@{'b' * 64}.org", f"a@{'ü' * 60}.{'ü' * 60}.{'ü' * 60}.org",
])  # fmt: skip
def test_it_refuses_what_is_no_address(typed: str) -> None:
    with pytest.raises(AddressError) as caught:
        read(typed)
    assert str(caught.value)


@pytest.mark.parametrize("typed", [
    "a\x00@example.org", "a\x7f@example.org", "a\n@example.org", "a@exam\rple.org",
    "a@example.org\r\nBcc: victim@example.org", "a@example.org\nSubject: hello", "a%0d%0a@example.org\u2028",
    "a\u202e@example.org", "a@\u202eexample.org", "a\u200b@example.org", "a\u2066@example.org", "a@\ud800.org",
])  # fmt: skip
def test_it_refuses_control_characters_and_overrides_inside(typed: str) -> None:
    if typed.strip() != typed:
        typed += "x"
    with pytest.raises(AddressError):
        read(typed)


def test_it_refuses_a_mailbox_that_plain_smtp_cannot_name() -> None:
    with pytest.raises(AddressError, match="before the @-sign"):
        read("jörg@example.org")


def test_two_spellings_of_one_address_share_a_key() -> None:
    assert len({key(read(typed)) for typed in ("A.B@Example.ORG", "a.b@example.org", " a.B@EXAMPLE.org ")}) == 1
    assert key(read("a@BÜCHER.example.org")) == key(read("a@xn--bcher-kva.example.org"))


def test_two_addresses_do_not() -> None:
    assert key("a.b@example.org") != key("ab@example.org")
    assert key("a@example.org") != key("a+x@example.org")


def test_a_log_line_shows_no_name() -> None:
    assert masked("alice@example.org") == "a***@example.org"


@settings(deadline=dt.timedelta(seconds=2))
@given(
    st.one_of(
        st.text(max_size=300), st.emails(), st.builds("{}@{}".format, st.text(max_size=70), st.text(max_size=200))
    )
)
@example("ΐ" * 32 + "@" + ".".join(["x" * 60] * 3) + ".de")
def test_any_text_is_an_address_that_fits_its_column_or_an_error(text: str) -> None:
    try:
        address = read(text)
    except AddressError:
        return
    assert read(address) == address
    assert len(address) <= 254
    assert len(key(address)) <= 254
    assert address.isascii()
    assert address.isprintable()


def test_every_address_of_the_isemail_corpus_is_read_or_refused(shared_data: Path) -> None:
    file = shared_data / "hostile" / "isemail" / "tests.xml"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    symbols = {0x2400 + code: chr(code) for code in range(33)} | {0x2421: "\x7f"}
    read_ones = refused = 0
    for case in ElementTree.parse(file).iter("test"):
        typed = (case.findtext("address") or "").translate(symbols)
        try:
            addresses.read(typed)
            read_ones += 1
        except AddressError:
            refused += 1
            continue
        assert "ERR" not in str(case.findtext("category")) or typed != typed.strip(), typed
    assert (read_ones > 20, refused > 100) == (True, True)


@pytest.mark.parametrize(("language", "says"), [("en", "longer than 64 characters"), ("de", "hat mehr als 64 Zeichen")])
def test_a_long_local_part_is_refused_in_the_visitors_language(language: str, says: str, db: None) -> None:
    with override(language):
        form = SignupForm(DEFAULTS | {"email": "a" * 65 + "@example.org", "interests": "pots"})
        assert says in form.errors["email"][0]


@pytest.mark.parametrize(
    "text", ["a..b@example.org", ".a@example.org", "a@-x.org", "a@b", f"{'a' * 64}@{'b' * 63}.x" * 4]
)
def test_the_short_way_for_usual_addresses_refuses_as_the_library_does(text: str) -> None:
    with pytest.raises(AddressError):
        read(text)


def test_a_domain_that_is_known_is_read_as_before() -> None:
    for _ in range(2):
        assert [read(f"Ada+x@{name}") for name in ("EXAMPLE.org", "münchen.example")] == [
            "Ada+x@example.org", "Ada+x@xn--mnchen-3ya.example",
        ]  # fmt: skip
