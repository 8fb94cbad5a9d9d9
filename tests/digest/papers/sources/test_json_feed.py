"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from digest.papers.sources import json_feed, kinds
from digest.papers.sources.parsed import ParsedEdition, ParsedListing, SourceError

VERSION = "https://jsonfeed.org/version/1.1"


def parse(*items: object, **changes: Any) -> ParsedEdition:
    return json_feed.parse(json.dumps({"version": VERSION, "title": "A <b>Kettle</b> Feed", "items": items} | changes))


ITEM = {
    "id": "https://kettles.example/1",
    "url": "https://kettles.example/1",
    "external_url": "https://arxiv.org/abs/2503.10613v2",
    "title": "Kettles &amp; Pots",
    "content_html": "<p>We count</p><p>kettles.</p><script>x()</script>",
    "date_published": "2025-03-14T01:00:00-02:00",
    "authors": [{"name": "Ada Byron", "url": "https://ada.example"}],
    "tags": ["cookery", "iron"],
}


def test_an_item_is_read_field_by_field() -> None:
    edition = parse(ITEM)
    assert (edition.title, edition.date) == ("A Kettle Feed", None)
    assert edition.listings == (
        ParsedListing(
            title="Kettles & Pots",
            abstract="We count kettles.",
            authors=("Ada Byron",),
            arxiv_id="2503.10613",
            arxiv_version=2,
            url="https://kettles.example/1",
            categories=("cookery", "iron"),
            published_on=dt.date(2025, 3, 14),
        ),
    )


@pytest.mark.parametrize(
    ("item", "abstract"),
    [
        ({"summary": "Short.", "content_text": "Long."}, "Short."),
        ({"content_text": "p < q", "content_html": "<p>p &lt; q</p>"}, "p < q"),
        ({"summary": "", "content_html": "<p>p &lt; q</p>"}, "p < q"),
        ({"content_html": 5}, ""),
    ],
)
def test_the_summary_comes_before_the_content(item: dict[str, Any], abstract: str) -> None:
    assert parse({"title": "Kettles"} | item).listings[0].abstract == abstract


def test_version_1_has_one_author() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1",
        "items": [{"id": 1, "title": "K", "author": {"name": "Ada Byron"}}],
    }
    page = json.dumps(feed)
    assert kinds.detect(page) == "json-feed"
    assert kinds.parse(page).listings[0].authors == ("Ada Byron",)


def test_an_item_without_a_title_is_passed_over() -> None:
    edition = parse({"id": "1", "content_text": "A thought."}, ITEM)
    assert [listing.rank for listing in edition.listings] == [2]
    assert edition.warnings == ("item 1 passed over: it has no title (it has 'id', 'content_text')",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"items": []}, "the feed 'A Kettle Feed' has no items"),
        ({"items": None}, "has no list of items"),
        ({"items": {"a": 1}}, "has no list of items"),
        ({"items": [1, None]}, "none a paper"),
    ],
)
def test_a_feed_of_nothing_is_an_error(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(SourceError, match=says):
        parse(**changes)
