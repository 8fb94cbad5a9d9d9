"""People, papers, and real services that several tests need."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, sync_playwright

from config.environment import private_host
from digest.mail.transports import rendered
from digest.models import Delivery, Paper
from digest.papers.fetch import host_lock
from digest.papers.ingest import ingest, storage
from digest.papers.ingest.editions import Circumstances
from digest.papers.sources.parsed import ParsedEdition, ParsedListing
from digest.picks.preview import preview_cache
from digest.picks.selection.select import select_due
from digest.relevance import match_papers
from digest.relevance.ranking import corpus, score_cache
from subscriptions.models import Subscriber
from tests.smtp import Server
from tests.stack import BROWSERS, QUIET
from tests.web import Web

# How fast a machine makes up examples says nothing of what they show.
UNHURRIED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("unhurried", UNHURRIED)
hypothesis.settings.register_profile("quick", UNHURRIED, max_examples=10)  # `make quick` names it
hypothesis.settings.load_profile("unhurried")

MORNING = dt.datetime(2026, 3, 16, 8, 0, tzinfo=dt.UTC)  # a Monday


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pages, feeds and judgements, which are not part of the project."""
    folder = Path(os.environ.get("PAPER_ROUND_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real data is not at {folder}; PAPER_ROUND_DATA names it")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's browser. On CI its absence is a failure, not a skip."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium: install Debian's package `chromium`.")
        pytest.skip("no Chromium on this machine")
    return found


# A module at a time: while its loop runs, Django takes every query for one from asynchronous code.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield found
        found.close()


@pytest.fixture(autouse=True)
def counters(settings: object) -> None:
    """An empty cache that works, for each test of its own; see `no_redis`."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid.uuid4().hex}}


@pytest.fixture
def no_redis(counters: None, settings: object) -> None:
    """A cache whose Redis is down."""
    backend = "config.redis_cache.RedisCache"
    down = {"BACKEND": backend, "LOCATION": "unix:///nowhere/redis.sock"}
    settings.CACHES = {"default": down}


@pytest.fixture
def morning() -> dt.datetime:
    return MORNING


def all_sent() -> None:
    """As if every mail that waits had left: else it gives way to its reader's next."""
    Delivery.objects.filter(status=Delivery.Status.WAITING).update(status=Delivery.Status.SENT)


def make_reader(address: str, *lines: str, status: str = Subscriber.Status.ACTIVE, **columns: object) -> Subscriber:
    """A reader with these interests, due on MORNING unless said otherwise."""
    reader = Subscriber.objects.at_address(address)
    reader.status = status
    reader.confirmed_at = MORNING - dt.timedelta(days=30)
    reader.next_digest_at = MORNING if status == Subscriber.Status.ACTIVE else None
    for name, value in columns.items():
        setattr(reader, name, value)
    reader.save()
    reader.set_lines(list(lines))
    match_papers.match_interests(MORNING)
    return reader


@pytest.fixture
def alice(db: None) -> Subscriber:
    """Active; likes two things and never wants surveys."""
    return make_reader("alice@example.org", "diffusion", '"chain of thought"', "-survey")


@pytest.fixture
def bob(db: None) -> Subscriber:
    """Signed up, has not confirmed."""
    return make_reader(
        "bob@example.org", "agents", status=Subscriber.Status.PENDING, confirmed_at=None, next_digest_at=None
    )


@pytest.fixture
def carol(db: None) -> Subscriber:
    """Has left."""
    return make_reader("carol@example.org", "diffusion", status=Subscriber.Status.UNSUBSCRIBED)


def listing(title: str, abstract: str = "", **more: object) -> ParsedListing:
    return ParsedListing(title=title, abstract=abstract, **more)


PAPERS = (
    listing("Diffusion for Weather", "We forecast rain with a diffusion model.", arxiv_id="2603.00001", upvotes=12),
    listing("Thinking Aloud", "Chain-of-thought prompts make small models reason.", arxiv_id="2603.00002", upvotes=40),
    listing("A Survey of Diffusion", "We review diffusion models.", arxiv_id="2603.00003", upvotes=90),
    listing("R&D: p < 0.05 for Agents", "Agents plan trips <b>badly</b>.", arxiv_id="2603.00004", upvotes=3),
    listing("Pruning Networks", "Fewer weights, same accuracy.", arxiv_id="2603.00005", upvotes=7),
)


@pytest.fixture
def store(db: None) -> Callable[..., list[Paper]]:
    """Store listings as an edition of the day before MORNING, match them, and return their papers."""

    def store_and_match(*listings: ParsedListing, now: dt.datetime | None = None) -> list[Paper]:
        seen = now or MORNING - dt.timedelta(hours=6)
        parsed = ParsedEdition(
            listings=tuple(one if one.rank > 1 else _at(one, rank) for rank, one in enumerate(listings, 1))
        )
        storage.store(ingest.huggingface(), parsed, Circumstances(now=seen))
        match_papers.match_new(seen)
        return list(Paper.objects.order_by("pk"))

    return store_and_match


def _at(one: ParsedListing, rank: int) -> ParsedListing:
    values = {name: getattr(one, name) for name in one.__slots__}
    return ParsedListing(**values | {"rank": rank})


@pytest.fixture
def papers(store: Callable[..., list[Paper]]) -> list[Paper]:
    """Five invented papers, matched."""
    return store(*PAPERS)


@pytest.fixture
def waiting(papers: list[Paper]) -> list[Delivery]:
    """Seven mails that wait."""
    for number in range(7):
        make_reader(f"reader{number}@example.org", "diffusion")
    select_due(MORNING)
    return list(Delivery.objects.order_by("pk"))


@pytest.fixture
def smtp_server(settings: object) -> Iterator[Server]:
    """A real SMTP server on loopback, to which Django's mail goes; `script` makes it misbehave."""
    with Server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_TIMEOUT = 5
        yield server


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process keeps papers and interests taken apart by id; each test's database begins those anew."""
    monkeypatch.setattr(match_papers, "_ready", match_papers._Ready())
    monkeypatch.setattr(preview_cache, "_recent", preview_cache._Recent())
    monkeypatch.setattr(preview_cache, "_lines", preview_cache._Lines())
    monkeypatch.setattr(preview_cache, "_lookout", preview_cache._Lookout())
    monkeypatch.setattr(corpus, "_kept", corpus._Kept())
    monkeypatch.setattr(score_cache, "_cache", score_cache.ScoreCache())
    rendered._press.cache_clear()


@pytest.fixture
def web(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server on loopback, which may be fetched from although it is inside, and which needs no rest."""
    monkeypatch.setattr(host_lock, "REST", 0.0)
    with Web() as server:
        settings.FETCH_PRIVATE_HOSTS = [private_host(server.url.removeprefix("http://"))]
        yield server


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()
