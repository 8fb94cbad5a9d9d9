"""What a process keeps for previews, and that nobody waits long for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from digest import previewing
from digest.models import Paper
from tests.conftest import MORNING, listing

pytestmark = pytest.mark.django_db


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [item["paper"].title for item in found]


def test_a_process_that_is_warm_reads_no_paper_again(papers: list[Paper]) -> None:
    previewing.warm_up(MORNING)
    with CaptureQueriesContext(connection) as queries:
        assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]
    assert sum('"abstract"' in query["sql"] for query in queries) == 1  # the one paper that is shown


def test_a_paper_that_comes_is_found_at_once(papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    previewing.warm_up(MORNING)
    store(listing("Pruning Again"))
    assert set(titles(previewing.search("pruning", MORNING))) == {"Pruning Networks", "Pruning Again"}


def test_while_one_thread_reads_the_others_go_on_with_what_there_is(
    papers: list[Paper], store: Callable[..., list[Paper]]
) -> None:
    previewing.warm_up(MORNING)
    store(listing("Pruning Again"))
    with previewing._recent._lock:
        assert titles(previewing.search("pruning", MORNING)) == ["Pruning Networks"]
    assert len(previewing.search("pruning", MORNING)) == 2


def test_the_newest_papers_are_there_before_all_are_read(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    read = previewing.with_sources
    monkeypatch.setattr(previewing, "BATCH", 1)

    def reading(queryset: Any) -> Any:
        seen.append([paper.texts["title"] for paper in previewing._recent._postings.papers])
        return read(queryset)

    monkeypatch.setattr(previewing, "with_sources", reading)
    previewing.search("pruning", MORNING)
    newest = Paper.objects.order_by("-pk")[0].title
    assert seen == [[]] + [[newest]] * (len(papers) - 1)


def test_a_preview_does_not_wait_long_for_the_other_voices(
    papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "PATIENCE", 0.01)
    with_all = previewing.preview(["pruning"], MORNING)
    previewing._voices._idle.clear()  # another thread is at work
    try:
        without = previewing.preview(["pruning"], MORNING)
    finally:
        previewing._voices._idle.set()
    assert titles(without.items) == titles(with_all.items) == ["Pruning Networks"]


def test_making_ready_what_fails_leaves_nobody_waiting(papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no corpus")

    monkeypatch.setattr(previewing.corpus, "at", fail)
    with pytest.raises(RuntimeError):
        previewing.warm_up(MORNING)
    assert previewing._voices._idle.is_set()
