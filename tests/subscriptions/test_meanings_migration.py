"""Keys made anew where the language has learned that lines mean the same."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from subscriptions.models import Interest, InterestLine
from tests.conftest import MORNING, make_reader

pytestmark = pytest.mark.django_db

renew = import_module("subscriptions.migrations.0003_meanings").renew


def test_lines_that_now_mean_the_same_share_an_interest() -> None:
    alice = make_reader("alice@example.org", "author:LeCun", "graphs")
    bob = make_reader("bob@example.org", "agents")
    old = Interest.objects.create(key="old", text="graph", matched_at=MORNING)
    for reader in (alice, bob):
        InterestLine.objects.create(subscriber=reader, interest=old, typed="graph", position=5)
    renew(apps, None)
    assert not Interest.objects.filter(pk=old.pk).exists()
    assert sorted(bob.interests.values_list("text", flat=True)) == ["agents", "graphs"]
    assert sorted(alice.interests.values_list("text", flat=True)) == ["author:lecun", "graphs"]
    assert not Interest.objects.exclude(matched_at=None).exists()


def test_a_pin_is_known_as_one() -> None:
    alice = make_reader("alice@example.org", "!mamba")
    Interest.objects.update(is_pin=False)
    renew(apps, None)
    assert alice.interests.get().is_pin
