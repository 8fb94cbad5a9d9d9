"""The page for Prometheus: who may see it, and that its numbers are right."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from digest.models import Delivery, Digest, Paper, Source
from digest.operations.metrics import Gauge, exposition
from digest.papers.ingest import ingest
from digest.picks.selection.select import select_due
from subscriptions.models import Subscriber
from tests.conftest import MORNING, make_reader

pytestmark = pytest.mark.django_db

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"\})? (\S+)')
OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


def read(client: Client) -> dict[str, float]:
    """'name{value}' or 'name' -> number; fails on a line that is not in the format, or out of its group."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode()
    assert text.endswith("\n")
    found: dict[str, float] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert line.split()[2] != current
            current = line.split()[2]
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {current} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match and match[1] == current, line
            key = f"{match[1].removeprefix('paper_round_')}{{{match[3]}}}" if match[2] else match[1][12:]
            assert key not in found
            found[key] = float(match[4])
    return found


def test_empty_it_counts_nothing_and_names_every_status(client: Client) -> None:
    Source.objects.all().delete()
    found = read(client)
    assert {f"readers{{{status}}}" for status in Subscriber.Status.values} < set(found)
    assert {f"deliveries{{{status}}}" for status in Delivery.Status.values} < set(found)
    assert not any(found.values())


def test_it_counts_readers_papers_digests_and_mails(
    client: Client, alice: Subscriber, bob: Subscriber, carol: Subscriber, papers: list[Paper]
) -> None:
    make_reader("dora@example.org", "entomology")
    before = read(client)
    assert (before["readers{active}"], before["readers{pending}"], before["readers{unsubscribed}"]) == (2, 1, 1)
    assert before["readers_due"] == 2
    assert (before["papers"], before["papers_unmatched"]) == (5, 0)
    select_due(MORNING)
    Paper.objects.filter(pk=papers[0].pk).update(matched_at=None)
    after = read(client)
    assert after["readers_due"] == 0
    assert (after["digests_last_day{yes}"], after["digests_last_day{no}"]) == (1, 1)
    assert after["deliveries{waiting}"] == 1
    assert after["papers_unmatched"] == 1


def test_mails_of_last_week_are_forgotten_unless_they_wait(client: Client, alice: Subscriber) -> None:
    for days, status in ((3, "sent"), (2, "waiting"), (0, "sent"), (1, "failed")):
        created = MORNING - dt.timedelta(days=days, minutes=1)
        digest = Digest.objects.create(subscriber=alice, issue_date=created.date(), created_at=created)
        Delivery.objects.create(digest=digest, status=status, not_before=created)
    found = read(client)
    assert found["deliveries{sent}"] == 1
    assert found["deliveries{waiting}"] == 1
    assert found["deliveries{failed}"] == 0
    assert found["digests_last_day{yes}"] == 1


def test_sources_say_how_long_ago_they_were_read_and_how_often_they_failed(client: Client) -> None:
    good, bad = ingest.huggingface(), Source.objects.create(slug="bad", name="Bad", url="https://example.org/feed")
    Source.objects.create(slug="files", name="Only files")
    Source.objects.create(slug="off", name="Switched off", url="https://example.org/off", is_enabled=False)
    good.succeeded(MORNING - dt.timedelta(hours=1))
    bad.failed("no answer", MORNING)
    bad.failed("no answer", MORNING)
    found = read(client)
    assert found["source_last_success_age_seconds{huggingface}"] == 3600
    assert found["source_last_success_age_seconds{bad}"] == math.inf
    assert found["source_consecutive_failures{bad}"] == 2
    assert not [name for name in found if "files" in name or "off}" in name]


def test_nothing_in_it_is_personal(client: Client, alice: Subscriber, bob: Subscriber, papers: list[Paper]) -> None:
    select_due(MORNING)
    text = client.get("/metrics").content.decode()
    for word in ("alice", "bob", "@", "diffusion", alice.code, papers[0].title):
        assert word not in text


def test_values_and_help_are_escaped() -> None:
    text = exposition([Gauge("x", "One\nline \\", {'a"b\\c\nd': 1.5}, "source")])
    assert text == (
        '# HELP paper_round_x One\\nline \\\\\n# TYPE paper_round_x gauge\npaper_round_x{source="a\\"b\\\\c\\nd"} 1.5\n'
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_sees_it(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("address", [OUTSIDE, "10.0.0.1", "2001:db8::1", "::ffff:203.0.113.9", "", "nonsense"])
def test_others_do_not(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_a_visitor_behind_a_proxy_on_this_machine_is_not_this_machine(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


def test_the_token_opens_it_from_anywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "s3cret-ü"
    for given, status in (
        ("Bearer s3cret-ü", 200),
        ("bearer s3cret-ü", 200),
        ("Bearer s3cret", 404),
        ("Bearer ", 404),
        ("Basic s3cret-ü", 404),
        ("s3cret-ü", 404),
    ):
        answer = client.get("/metrics", REMOTE_ADDR=OUTSIDE, HTTP_AUTHORIZATION=given)
        assert answer.status_code == status, given


def test_an_empty_token_opens_nothing(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for given in ("Bearer ", "Bearer", ""):
        assert client.get("/metrics", REMOTE_ADDR=OUTSIDE, HTTP_AUTHORIZATION=given).status_code == 404


def test_it_is_only_read_and_asks_a_fixed_number_of_queries(
    client: Client, alice: Subscriber, papers: list[Paper], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert client.post("/metrics").status_code == 405
    with django_assert_num_queries(13):
        client.get("/metrics")
    select_due(MORNING)
    for number in range(5):
        Source.objects.create(slug=f"s{number}", name="One", url="https://example.org/feed")
        make_reader(f"reader{number}@example.org", "agents")
    with django_assert_num_queries(13):
        client.get("/metrics")
