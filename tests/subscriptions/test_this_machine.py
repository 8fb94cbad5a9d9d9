"""Who sits at this machine, by the word of proxies we trust only."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from subscriptions.this_machine import PROXY_HEADERS, is_from_this_machine

HERE, AWAY = "127.0.0.1", "203.0.113.7"


@pytest.mark.parametrize(("trusted", "remote", "headers", "is_here"), [
    (0, HERE, {}, True),
    (0, "::1", {}, True),
    (0, "::ffff:127.0.0.1", {}, True),
    (0, AWAY, {}, False),
    (0, "", {}, False),
    (0, HERE, {"X-Forwarded-For": HERE}, False),
    (0, HERE, {"X-Real-IP": AWAY}, False),
    (1, HERE, {}, True),
    (1, HERE, {"X-Forwarded-For": HERE}, True),
    (1, HERE, {"X-Forwarded-For": f"{HERE}:4711"}, True),
    (1, HERE, {"X-Forwarded-For": AWAY}, False),
    (1, HERE, {"X-Forwarded-For": f"{HERE}, {AWAY}"}, False),
    (1, HERE, {"X-Forwarded-For": HERE, "X-Real-IP": AWAY}, False),
    (1, HERE, {"X-Forwarded-For": HERE, "X-Real-IP": HERE}, True),
    (1, HERE, {"X-Real-IP": HERE}, False),
    (1, AWAY, {"X-Forwarded-For": HERE}, False),
    (2, HERE, {"X-Forwarded-For": HERE}, False),
    (2, HERE, {"X-Forwarded-For": f"{HERE}, 10.0.0.2"}, True),
])  # fmt: skip
def test_who_is_here(
    trusted: int, remote: str, headers: dict[str, str], is_here: bool, settings: Any, rf: RequestFactory
) -> None:
    settings.TRUSTED_PROXIES = trusted
    assert is_from_this_machine(rf.get("/", REMOTE_ADDR=remote, headers=headers)) == is_here


@pytest.mark.parametrize("name", PROXY_HEADERS)
def test_any_header_of_a_proxy_means_elsewhere(name: str, rf: RequestFactory) -> None:
    assert not is_from_this_machine(rf.get("/", REMOTE_ADDR=HERE, **{name: HERE}))
