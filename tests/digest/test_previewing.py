"""What a process keeps for previews, and that nobody waits long for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from digest import previewing
from digest.models import Paper
from digest.previewing import ready
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [item["paper"].title for item in found]


def test_a_process_that_is_warm_reads_no_paper_again(papers: list[Paper]) -> None:
    ready.warm_up(MORNING)
    with CaptureQueriesContext(connection) as queries:
        assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]
    assert sum('"abstract"' in query["sql"] for query in queries) == 1  # the one paper that is shown


def test_a_paper_that_comes_is_found_at_once(papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    ready.warm_up(MORNING)
    store(listing("Pruning Again"))
    assert set(titles(previewing.search("pruning", MORNING))) == {"Pruning Networks", "Pruning Again"}


def test_while_one_thread_reads_the_others_go_on_with_what_there_is(
    papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    ready.warm_up(MORNING)
    store(listing("Pruning Again"))
    with ready._recent._lock:
        assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]
    assert len(previewing.search("pruning", MORNING)) == 2


def test_nobody_is_told_that_there_are_no_papers_while_the_first_are_read(store: Callable[..., list[Paper]]) -> None:
    ready.warm_up(MORNING)  # nothing is there yet
    store(listing("Pruning Networks"))
    recent, read = ready._recent, ready._Recent().papers(MORNING)
    recent._lock.acquire()

    def finish() -> None:
        recent._postings = read
        recent._lock.release()
        recent._any.set()

    another = threading.Timer(0.2, finish)
    another.start()
    assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]
    another.join()


def test_the_newest_papers_are_there_before_all_are_read(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    read = ready.with_sources
    monkeypatch.setattr(ready, "FIRST", 1)
    monkeypatch.setattr(ready, "BATCH", 1)

    def reading(queryset: Any) -> Any:
        seen.append([paper.texts["title"] for paper in ready._recent._postings.papers])
        return read(queryset)

    monkeypatch.setattr(ready, "with_sources", reading)
    previewing.search("pruning", MORNING)
    newest = Paper.objects.order_by("-pk")[0].title
    assert seen == [[]] + [[newest]] * (len(papers) - 1)


def test_a_preview_does_not_wait_long_for_the_other_voices(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "PATIENCE", 0.01)
    with_all = previewing.preview(["pruning"], MORNING)
    ready._voices._idle.clear()  # another thread is at work
    try:
        without = previewing.preview(["pruning"], MORNING)
    finally:
        ready._voices._idle.set()
    assert titles(without.items) == titles(with_all.items) == ["Pruning Networks"]


def test_making_ready_what_fails_leaves_nobody_waiting(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no corpus")

    monkeypatch.setattr(ready.corpus, "at", fail)
    with pytest.raises(RuntimeError):
        ready.warm_up(MORNING)
    assert ready._voices._idle.is_set()


def test_what_a_look_saw_is_believed_until_a_paper_comes(
    papers: list[Paper], store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.look(MORNING)
    soon = MORNING + ready.LOOK_EVERY
    previewing.preview(["pruning"], soon)  # asks, for this second, whether one came
    with CaptureQueriesContext(connection) as queries:
        assert titles(previewing.preview(["pruning"], soon).items) == ["Pruning Networks"]
    assert len(queries) == 1  # the papers that are shown
    Paper.objects.filter(title="Pruning Networks").update(title="Cutting Networks", changed_at=soon)
    assert len(previewing.preview(["pruning"], soon).items) == 1
    for moment in (MORNING + ready.BELIEVED, MORNING - ready.LOOK_EVERY):
        assert not previewing.search("title:pruning", moment)
    store(listing("Pruning Again"))
    monkeypatch.setattr(ready, "ASKED_EVERY", 0.0)
    assert titles(previewing.preview(["title:pruning"], soon).items) == ["Pruning Again"]


def test_after_a_look_a_preview_is_the_same(papers: list[Paper]) -> None:
    before = previewing.preview(["pruning", "diffusion weather", "-survey"], MORNING, trending_share=30)
    ready.look(MORNING)
    assert previewing.preview(["pruning", "diffusion weather", "-survey"], MORNING, trending_share=30) == before


def test_a_page_waits_for_the_thread_that_reads_the_first_papers(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "COLD", 0.01)
    monkeypatch.setattr(ready._lookout, "is_on", True)
    assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]  # and reads them when it waits in vain


def test_of_very_many_papers_the_best_of_the_newest_are_shown_and_all_are_counted(
    store: Callable[..., list[Paper]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "MOST_ASKED", 3)
    old = store(listing("Pruning"), listing("Pruning of Pruning"))
    store(listing("About trees", "Pruning."), listing("Pruning Networks", "Pruning."), listing("Pruning Again"))
    new = list(Paper.objects.exclude(pk__in=[one.pk for one in old]).order_by("pk"))
    found = previewing.found_by("pruning", MORNING)
    assert [paper.paper_id for _, paper in found.best(2)] == [new[1].pk, new[2].pk]
    assert len(found) == 5
    assert found.count({old[0].pk, new[0].pk}) == 2
    assert [paper.paper_id for _, paper in found.best(5, {old[0].pk, new[0].pk})] == [old[0].pk, new[0].pk]
