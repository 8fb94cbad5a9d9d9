"""What a visitor sees when a request cannot be taken: pages of ours, which keep our own policy."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_form_without_its_cookie_is_told_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/preferences/", {"email": "ada@example.org"})
    assert answer.status_code == 403
    assert "keeps no cookie for us" in answer.text
    assert "<style" not in answer.text


def test_an_address_too_long_to_read_gets_a_page_of_ours(client: Client) -> None:
    answer = client.get("/search?" + "q&" * 1001)
    assert answer.status_code == 400
    assert "paper-round.css" in answer.text


def test_the_page_for_our_own_faults_needs_no_request() -> None:
    assert "It is not your fault" in render_to_string("500.html")


def test_a_wrong_form_keeps_its_scripts_where_the_mail_itself_may_have_none(client: Client) -> None:
    wrong = client.post("/preview/mail/", {"interests": "(agents OR"})
    assert wrong.status_code == 422
    assert "script-src" in wrong["Content-Security-Policy"]
