"""Signed links: one purpose each, bound to a reader and a version."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import signing

from subscriptions import links
from subscriptions.models import Subscriber
from tests.conftest import MORNING

PURPOSES = [links.CONFIRM, links.PREFERENCES, links.UNSUBSCRIBE]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_names_its_reader_and_version(purpose: str, alice: Subscriber) -> None:
    assert links.read_token(links.token_for(alice, purpose), purpose) == (alice.code, 1)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("other", PURPOSES)
def test_a_token_is_good_for_its_own_purpose_only(purpose: str, other: str, alice: Subscriber) -> None:
    if purpose != other:
        with pytest.raises(signing.BadSignature):
            links.read_token(links.token_for(alice, purpose), other)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_no_character_of_a_token_can_be_changed(purpose: str, alice: Subscriber) -> None:
    token = links.token_for(alice, purpose)
    for place, letter in enumerate(token):
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(signing.BadSignature):
            links.read_token(forged, purpose)


def test_a_token_is_signed_with_256_bits_and_holds_no_address(alice: Subscriber) -> None:
    token = links.token_for(alice, links.UNSUBSCRIBE)
    assert len(token.rpartition(":")[2]) == 43  # 256 bits in base64
    assert "alice" not in token


def test_two_readers_have_different_codes(alice: Subscriber, bob: Subscriber) -> None:
    assert alice.code != bob.code
    assert len(alice.code) == 16  # 96 bits in base64


def test_confirming_expires_after_a_week_and_nothing_else_does(alice: Subscriber) -> None:
    with time_machine.travel(MORNING, tick=False):
        tokens = {purpose: links.token_for(alice, purpose) for purpose in PURPOSES}
    with time_machine.travel(MORNING + dt.timedelta(days=7), tick=False):
        assert links.read_token(tokens[links.CONFIRM], links.CONFIRM)
    late = MORNING + dt.timedelta(days=7, seconds=1)
    with time_machine.travel(late, tick=False), pytest.raises(signing.SignatureExpired):
        links.read_token(tokens[links.CONFIRM], links.CONFIRM)
    with time_machine.travel(MORNING + dt.timedelta(days=7000), tick=False):
        assert links.read_token(tokens[links.PREFERENCES], links.PREFERENCES)
        assert links.read_token(tokens[links.UNSUBSCRIBE], links.UNSUBSCRIBE)


def test_links_outlive_a_change_of_the_secret_key(alice: Subscriber, settings: object) -> None:
    token = links.token_for(alice, links.UNSUBSCRIBE)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert links.read_token(token, links.UNSUBSCRIBE) == (alice.code, 1)


def test_links_are_on_our_own_site(alice: Subscriber, settings: object) -> None:
    settings.SITE_URL = "https://papers.example.org"
    for link in (links.confirm(alice), links.preferences(alice), links.unsubscribe(alice)):
        assert link.startswith("https://papers.example.org/")
        assert link.endswith("/")  # a missing slash would redirect a one-click POST
