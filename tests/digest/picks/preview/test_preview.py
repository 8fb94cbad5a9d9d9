"""What a process keeps for previews, and that nobody waits long for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from digest.models import Paper
from digest.picks.preview import digest_preview, preview_cache
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [item["paper"].title for item in found]


def test_a_process_that_is_warm_reads_no_paper_again(papers: list[Paper]) -> None:
    preview_cache.warm_up(MORNING)
    with CaptureQueriesContext(connection) as queries:
        assert titles(digest_preview.search("pruning", MORNING)) == ["Pruning Networks"]
    assert sum('"abstract"' in query["sql"] for query in queries) == 1  # the one paper that is shown


def test_a_paper_that_comes_is_found_at_once(papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    preview_cache.warm_up(MORNING)
    store(listing("Pruning Again"))
    assert set(titles(digest_preview.search("pruning", MORNING))) == {"Pruning Networks", "Pruning Again"}


def test_while_one_thread_reads_the_others_go_on_with_what_there_is(
    papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    preview_cache.warm_up(MORNING)
    store(listing("Pruning Again"))
    with preview_cache._recent._lock:
        assert titles(digest_preview.search("pruning", MORNING)) == ["Pruning Networks"]
    assert len(digest_preview.search("pruning", MORNING)) == 2


def test_nobody_is_told_that_there_are_no_papers_while_the_first_are_read(store: Callable[..., list[Paper]]) -> None:
    preview_cache.warm_up(MORNING)  # nothing is there yet
    store(listing("Pruning Networks"))
    recent, read = preview_cache._recent, preview_cache._Recent().papers(MORNING)
    recent._lock.acquire()

    def finish() -> None:
        recent._postings = read
        recent._lock.release()
        recent._any.set()

    another = threading.Timer(0.2, finish)
    another.start()
    assert titles(digest_preview.search("pruning", MORNING)) == ["Pruning Networks"]
    another.join()


def test_the_newest_papers_are_there_before_all_are_read(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    read = preview_cache.with_sources
    monkeypatch.setattr(preview_cache, "FIRST", 1)
    monkeypatch.setattr(preview_cache, "BATCH", 1)

    def reading(queryset: Any) -> Any:
        seen.append([paper.texts["title"] for paper in preview_cache._recent._postings.papers])
        return read(queryset)

    monkeypatch.setattr(preview_cache, "with_sources", reading)
    digest_preview.search("pruning", MORNING)
    newest = Paper.objects.order_by("-pk")[0].title
    assert seen == [[]] + [[newest]] * (len(papers) - 1)


def test_a_preview_does_not_wait_long_for_the_other_voices(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_cache, "PATIENCE", 0.01)
    with_all = digest_preview.preview(["pruning"], MORNING)
    preview_cache._voices._idle.clear()  # another thread is at work
    try:
        without = digest_preview.preview(["pruning"], MORNING)
    finally:
        preview_cache._voices._idle.set()
    assert titles(without.items) == titles(with_all.items) == ["Pruning Networks"]


def test_making_ready_what_fails_leaves_nobody_waiting(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no corpus")

    monkeypatch.setattr(preview_cache.corpus, "at", fail)
    with pytest.raises(RuntimeError):
        preview_cache.warm_up(MORNING)
    assert preview_cache._voices._idle.is_set()


def test_what_a_look_saw_is_believed_until_a_paper_comes(
    papers: list[Paper], store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    preview_cache.look(MORNING)
    soon = MORNING + preview_cache.LOOK_EVERY
    digest_preview.preview(["pruning"], soon)  # asks, for this second, whether one came
    with CaptureQueriesContext(connection) as queries:
        assert titles(digest_preview.preview(["pruning"], soon).items) == ["Pruning Networks"]
    assert len(queries) == 1  # the papers that are shown
    Paper.objects.filter(title="Pruning Networks").update(title="Cutting Networks", changed_at=soon)
    assert len(digest_preview.preview(["pruning"], soon).items) == 1
    for moment in (MORNING + preview_cache.BELIEVED, MORNING - preview_cache.LOOK_EVERY):
        assert not digest_preview.search("title:pruning", moment)
    store(listing("Pruning Again"))
    monkeypatch.setattr(preview_cache, "ASKED_EVERY", 0.0)
    assert titles(digest_preview.preview(["title:pruning"], soon).items) == ["Pruning Again"]


def test_after_a_look_a_preview_is_the_same(papers: list[Paper]) -> None:
    before = digest_preview.preview(["pruning", "diffusion weather", "-survey"], MORNING, trending_share=30)
    preview_cache.look(MORNING)
    assert digest_preview.preview(["pruning", "diffusion weather", "-survey"], MORNING, trending_share=30) == before


def test_a_page_waits_for_the_thread_that_reads_the_first_papers(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_cache, "COLD", 0.01)
    monkeypatch.setattr(preview_cache._lookout, "is_on", True)
    assert titles(digest_preview.search("pruning", MORNING)) == [
        "Pruning Networks"
    ]  # and reads them when it waits in vain


def test_of_very_many_papers_the_best_of_the_newest_are_shown_and_all_are_counted(
    store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_cache, "MOST_ASKED", 3)
    old = store(listing("Pruning"), listing("Pruning of Pruning"))
    store(listing("About trees", "Pruning."), listing("Pruning Networks", "Pruning."), listing("Pruning Again"))
    new = list(Paper.objects.exclude(pk__in=[one.pk for one in old]).order_by("pk"))
    found = digest_preview.found_by("pruning", MORNING)
    assert [paper.paper_id for _, paper in found.best(2)] == [new[1].pk, new[2].pk]
    assert len(found) == 5
    assert found.count({old[0].pk, new[0].pk}) == 2
    assert [paper.paper_id for _, paper in found.best(5, {old[0].pk, new[0].pk})] == [old[0].pk, new[0].pk]
