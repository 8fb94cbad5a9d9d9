"""In a burst of sign-ups a browser does a little work first."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator

import pytest
import time_machine
from altcha import v1 as altcha
from bs4 import BeautifulSoup
from django.test import Client

from subscriptions import proof_of_work
from subscriptions.models import MailRequest, SignupHour
from tests.conftest import MORNING
from tests.subscriptions.conftest import answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def burst(settings: object) -> None:
    """Far more sign-ups than usual."""
    settings.SIGNUP_BURST = 5
    SignupHour.objects.add(MORNING, requests=6)


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture(autouse=True)
def _easy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_of_work, "MAX_NUMBER", 500)


def solve(challenge: str) -> str:
    """What the page's script sends."""
    given = json.loads(challenge)
    options = {name: given[name] for name in ("algorithm", "challenge", "salt")}
    found = altcha.solve_challenge(options["challenge"], options["salt"], options["algorithm"], given["maxNumber"])
    assert found
    payload = {**options, "number": found.number, "signature": given["signature"]}
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_without_a_burst_nothing_is_asked(client: Client) -> None:
    assert client.post("/subscribe/", answers()).status_code == 302


@pytest.mark.parametrize("path", ["/subscribe/", "/preview/"])
def test_in_a_burst_the_form_brings_a_challenge_and_loses_nothing(path: str, burst: None, client: Client) -> None:
    page = client.post(path, answers())
    soup = BeautifulSoup(page.content, "lxml")
    assert soup.select_one("input[name=proof][data-challenge]")
    assert soup.select_one("script[src$='proof-of-work.js']")
    assert soup.select_one("input[name=email]")["value"] == "dora@example.org"
    assert not MailRequest.objects.exists()
    if path == "/subscribe/":
        assert page.status_code == 422
        assert "Without JavaScript, please try again in an hour." in page.content.decode()


def test_a_solution_signs_up_once(burst: None, client: Client) -> None:
    proof = solve(proof_of_work.challenge(MORNING))
    assert client.post("/subscribe/", answers(proof=proof)).status_code == 302
    assert client.post("/subscribe/", answers(proof=proof)).status_code == 422
    assert MailRequest.objects.count() == 1


def test_a_mistake_in_the_form_does_not_use_the_solution_up(burst: None, client: Client) -> None:
    proof = solve(proof_of_work.challenge(MORNING))
    assert client.post("/subscribe/", answers(proof=proof, interests="(")).status_code == 422
    assert client.post("/subscribe/", answers(proof=proof)).status_code == 302


def test_a_solution_ends_after_an_hour(burst: None, client: Client) -> None:
    proof = solve(proof_of_work.challenge(MORNING))
    with time_machine.travel(MORNING + dt.timedelta(minutes=61), tick=False):
        assert client.post("/subscribe/", answers(proof=proof)).status_code == 422


@pytest.mark.parametrize("payload", [
    "", "x", "e30=", "W10=", "bnVsbA==", "MQ==", "é", "\x01", "A" * 5000,
    base64.b64encode(b'{"algorithm": [], "challenge": 1, "number": 1, "salt": {}, "signature": 1}').decode(),
    base64.b64encode(b"[" * 1400).decode(),
])  # fmt: skip
def test_what_is_no_solution_is_refused(payload: str, burst: None, client: Client) -> None:
    assert client.post("/subscribe/", answers(proof=payload)).status_code == 422


def test_one_that_was_not_ours_is_refused(burst: None, client: Client) -> None:
    options = altcha.ChallengeOptions(max_number=9, hmac_key="another", expires=MORNING + dt.timedelta(hours=1))
    forged = json.dumps(altcha.create_challenge(options).to_dict())
    assert client.post("/subscribe/", answers(proof=solve(forged))).status_code == 422


@pytest.mark.parametrize("mode, status", [("off", 302), ("burst", 422), ("always", 422)])
def test_the_setting_decides(mode: str, status: int, burst: None, settings: object, client: Client) -> None:
    settings.SIGNUP_PROOF_OF_WORK = mode
    assert client.post("/subscribe/", answers()).status_code == status
