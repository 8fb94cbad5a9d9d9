"""`manage.py check`: settings that do not go together are told, and a local site is left in peace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.checks.registry import registry

from subscriptions.checks import TAG
from tests.stack import ROOT

PUBLIC = {
    "SITE_URL": "https://papers.example.org",
    "SITE_IS_LOCAL": False,
    "EMBEDDED_MAIL": False,
    "POSTAL_ADDRESS": "Paper Round, 1 Main Street, Springfield",
}


def found(settings: Any, **other: object) -> list[str]:
    for name, value in (PUBLIC | other).items():
        setattr(settings, name, value)
    messages = run_checks(tags=[TAG])
    assert all(message.hint for message in messages)
    return [str(message.id) for message in messages]


def test_the_checks_are_registered() -> None:
    assert registry.tag_exists(TAG)


@pytest.mark.parametrize(("other", "ids"), [
    ({}, []),
    ({"EMBEDDED_MAIL": True}, ["paper_round.E001"]),
    ({"SITE_URL": "http://papers.example.org"}, ["paper_round.W001"]),
    ({"POSTAL_ADDRESS": ""}, ["paper_round.W002"]),
    ({"POSTAL_ADDRESS": " \n"}, ["paper_round.W002"]),
    ({"EMBEDDED_MAIL": True, "SITE_URL": "http://papers.example.org", "POSTAL_ADDRESS": ""},
     ["paper_round.E001", "paper_round.W001", "paper_round.W002"]),
])  # fmt: skip
def test_a_public_site(settings: Any, other: dict[str, object], ids: list[str]) -> None:
    assert sorted(found(settings, **other)) == ids


def test_a_local_site_is_left_in_peace(settings: Any) -> None:
    local = {"SITE_URL": "http://127.0.0.1:8000", "SITE_IS_LOCAL": True, "EMBEDDED_MAIL": True, "POSTAL_ADDRESS": ""}
    assert found(settings, **local) == []


@pytest.mark.parametrize(("url", "says"), [
    ("https://papers.example.org", "(paper_round.E001) SITE_URL is public (https://papers.example.org)"),
    ("http://127.0.0.1:8000", "no issues"),
])  # fmt: skip
def test_manage_py_check_says_so(tmp_path: Path, url: str, says: str) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path), "SITE_URL": url}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert says in done.stdout + done.stderr
    assert done.returncode == ("127.0.0.1" not in url)
