"""Topics to start from: each can be read, and finds what nobody would call a surprise."""

from __future__ import annotations

from pathlib import Path

import pytest

from subscriptions.interests import topics
from subscriptions.interests.hints import notes
from subscriptions.interests.parser import parse


@pytest.mark.parametrize("topic", topics.topics(), ids=lambda topic: topic.name)
def test_every_line_of_a_topic_can_be_read_without_a_hint(topic: topics.Topic) -> None:
    assert 1 <= len(topic.lines) <= 2
    assert [notes(line, parse(line)) for line in topic.lines] == [[]] * len(topic.lines)


def test_names_are_distinct_and_few() -> None:
    names = [topic.name for topic in topics.topics()]
    assert len(set(names)) == len(names)
    assert 10 <= len(names) <= 15


def test_what_is_no_topic_has_no_lines() -> None:
    assert topics.lines_of("Agents")
    assert topics.lines_of("agents of change") == ()


@pytest.mark.parametrize("row", ["no lines", "= diffusion", "Empty =", "Empty = | "])
def test_a_row_that_cannot_be_read_is_named(row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "topics.txt").write_text(f"# a comment\n{row}\n", encoding="utf-8")
    monkeypatch.setattr(topics, "TABLE", tmp_path / "topics.txt")
    topics.topics.cache_clear()
    try:
        with pytest.raises(ValueError, match="line 2"):
            topics.topics()
    finally:
        topics.topics.cache_clear()
