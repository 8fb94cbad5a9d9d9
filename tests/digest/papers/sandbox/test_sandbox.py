"""Pages are parsed in a process that can be killed: what it says, and what becomes of pages that hang, grow or kill."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import multiprocessing
import time

import pytest

from digest.papers import sandbox
from digest.papers.sandbox import child, messages, pool
from digest.papers.sources import kinds
from digest.papers.sources.parsed import EmptyEdition, ParsedEdition, ParsedListing, SourceError, TryLater
from tests import sandboxed

PAGE = b"@article{one,\n title = {A study of things},\n author = {Byron, Ada and others},\n year = 2026\n}\n"
TEXT = b"A title\nAn abstract that is prose, and ends with a full stop. It goes on for a while.\n"


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    """No process that an earlier test left behind."""
    pool.end_idle()


# --- the same as without it
def test_a_page_is_read_as_it_would_be_here() -> None:
    found = sandbox.parse(PAGE)
    assert found == sandbox.Parsed("bibtex", kinds.parse(PAGE))
    assert found.edition.listings[0].authors == ("Ada Byron",)


def test_a_file_of_unknown_columns_is_told_by_its_name() -> None:
    with pytest.raises(SourceError) as raised:
        sandbox.parse(b"a;b\n1;2\n", name="papers.CSV")
    with pytest.raises(SourceError) as expected:
        kinds.parse(b"a;b\n1;2\n", "csv")
    assert str(raised.value) == str(expected.value)


def test_an_empty_list_stays_an_empty_list() -> None:
    with pytest.raises(EmptyEdition, match="no entries: nothing is listed"):
        sandbox.parse(b"% nothing", "bibtex")


def test_the_links_of_a_page_come_through() -> None:
    page = b'<link rel=alternate type="application/rss+xml" href="/feed" title="News">'
    links = sandbox.feeds_in(page, "https://example.org/a")
    assert [(link.url, link.title) for link in links] == [("https://example.org/feed", "News")]


def test_every_field_comes_through() -> None:
    listing = ParsedListing(
        title="ἀ 🎉", abstract="b", authors=("c", "d"), arxiv_id="e", arxiv_version=2, doi="f", url="https://g.org/",
        rank=7, upvotes=0, comments=None, categories=("h",), published_on=dt.date(2026, 3, 1), announce_type="cross",
        is_withdrawn=True, listed_on=dt.date(1999, 12, 31),
    )  # fmt: skip
    edition = ParsedEdition(
        listings=(listing,), date=dt.date(2026, 3, 2), month_day=(2, 29), title="i", next_token="j", total=3,
        warnings=("k",),
    )  # fmt: skip
    answer = json.loads(messages.packed(messages.of_parsed("feed", edition)))
    assert messages.parsed_of(answer) == sandbox.Parsed("feed", edition)


@pytest.mark.parametrize("error", [SourceError("a"), EmptyEdition("b", "c"), TryLater("d", dt.timedelta(hours=1))])
def test_every_error_comes_through(error: SourceError) -> None:
    with pytest.raises(type(error)) as raised:
        messages.parsed_of(json.loads(messages.packed(messages.of_error(error))))
    assert (str(raised.value), vars(raised.value)) == (str(error), vars(error))


# --- a warm process
def test_the_second_page_costs_no_start() -> None:
    sandbox.parse(PAGE)
    (reader,) = pool._idle
    sandbox.parse(PAGE)
    assert pool._idle == [reader]
    assert reader.pages == 2


def test_a_large_parent_has_a_warm_process_too() -> None:
    ballast = b"\x01" * (child.LARGE + 50_000_000)
    sandbox.parse(PAGE)
    time.sleep(0.2)
    (reader,) = pool._idle
    assert reader.process.poll() is None
    sandbox.parse(PAGE)
    assert reader.pages == 2
    assert ballast


def test_a_process_that_ended_while_it_waited_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    sandboxed.run_first(monkeypatch, "child.IDLE = 0.05")
    for _ in range(3):
        assert sandbox.parse(PAGE).kind == "bibtex"
        time.sleep(0.2)


def test_a_fork_does_not_share_its_parents_process() -> None:
    sandbox.parse(PAGE)
    with multiprocessing.get_context("fork").Pool(1) as fork:  # daemonic, as Celery's workers are
        assert fork.apply(_parsed_in_fork) == ("bibtex", 1)
    assert sandbox.parse(PAGE).kind == "bibtex"


def _parsed_in_fork() -> tuple[str, int]:
    kind = sandbox.parse(PAGE).kind
    (reader,) = pool._idle
    return kind, reader.pages


def test_it_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s" * 50)
    code = "import os\ndef tell(page): raise kinds.SourceError(' '.join(os.environ))\nkinds.PARSERS['text'] = tell"
    sandboxed.run_first(monkeypatch, code)
    with pytest.raises(SourceError) as raised:
        sandbox.parse(TEXT, "text")
    assert set(str(raised.value).split()) <= {"PYTHONPATH", "PYTHONUTF8", "PATH", "LC_CTYPE"}


# --- pages that harm
def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sandboxed.run_first(monkeypatch, sandboxed.HANG_ON_FEEDS)
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"took longer than 1\.5 seconds to read and was given up"):
        sandbox.parse(TEXT, "feed", seconds=1.5)
    assert time.monotonic() - began < 10
    assert sandbox.parse(PAGE).kind == "bibtex"  # the next page has a process of its own


def test_time_is_limited_even_where_nobody_looks_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.Reader, "_end_overdue", lambda self, overdue: None)
    sandboxed.run_first(monkeypatch, "def spin(page):\n while True: pass\nkinds.PARSERS['text'] = spin")
    with pytest.raises(SourceError, match=r"took longer than 0\.1 seconds"):
        sandbox.parse(TEXT, "text", seconds=0.1)


def test_a_page_that_takes_too_much_memory_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sandboxed.run_first(monkeypatch, "kinds.PARSERS['text'] = lambda page: bytearray(2_000_000_000)")
    with pytest.raises(SourceError, match="takes more than 1,000 MB of memory: split it"):
        sandbox.parse(TEXT, "text")
    assert sandbox.parse(PAGE).kind == "bibtex"


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), 9)", "os._exit(0)", "os.close(1); os.close(4)"])
def test_a_page_that_kills_its_reader_is_an_error_like_others(monkeypatch: pytest.MonkeyPatch, death: str) -> None:
    sandboxed.run_first(monkeypatch, f"import os\ndef die(page):\n {death}\nkinds.PARSERS['text'] = die")
    with pytest.raises(SourceError):
        sandbox.parse(TEXT, "text", seconds=5)


def test_a_fault_of_a_parser_is_an_error_of_that_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sandboxed.run_first(monkeypatch, "kinds.PARSERS['text'] = lambda page: {}['x']")
    with pytest.raises(SourceError, match=r"cannot be read \(KeyError\); the log has the details"):
        sandbox.parse(TEXT, "text")
    assert "    Traceback" in caplog.text


def test_it_writes_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    code = f"def write(page): open({str(tmp_path / 'a')!r}, 'wb', 0).write(b'x')\nkinds.PARSERS['text'] = write"
    sandboxed.run_first(monkeypatch, code)
    with pytest.raises(SourceError, match=r"cannot be read \(OSError\)"):
        sandbox.parse(TEXT, "text")
    assert not (tmp_path / "a").read_text()


def test_an_interrupted_wait_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task's time limit and Ctrl-C are raised in the middle of the wait."""
    sandboxed.run_first(monkeypatch, "")
    started: list[pool.Reader] = []
    monkeypatch.setattr(pool.Reader, "_exchange", lambda self, *args: started.append(self) or _interrupt())
    with pytest.raises(KeyboardInterrupt):
        sandbox.parse(PAGE)
    assert started[0].process.poll() is not None


def _interrupt() -> None:
    raise KeyboardInterrupt


# --- answers that no parser gives
GOOD = json.loads(messages.packed(messages.of_parsed("bibtex", kinds.parse(PAGE))))


def _listing(**fields: object) -> dict[str, object]:
    edition = GOOD["edition"]
    return GOOD | {"edition": edition | {"listings": [edition["listings"][0] | fields]}}


@pytest.mark.parametrize(
    "answer",
    [
        None, [], {}, {"kind": "feed"}, {"error": 1}, {"later": "x", "wait": -1}, {"later": "x", "wait": 10**30},
        GOOD | {"kind": 1}, GOOD | {"edition": []}, GOOD | {"edition": {}}, _listing(title=1), _listing(more="x"),
        _listing(url="javascript:alert(1)"), _listing(authors="Ada"), _listing(authors=[1]), _listing(rank=True),
        _listing(rank=2**40), _listing(upvotes=-1), _listing(is_withdrawn=1), _listing(published_on="2026-99-01"),
        GOOD | {"edition": GOOD["edition"] | {"month_day": [1]}},
    ],
)  # fmt: skip
def test_an_odd_answer_is_refused(answer: object) -> None:
    messages.parsed_of(json.loads(json.dumps(GOOD)))  # which is not
    with pytest.raises(messages.Garbled):
        messages.parsed_of(json.loads(json.dumps(answer)))


@pytest.mark.parametrize("line", ["nonsense\\n", "[" * 9_999 + "\\n", "1" * 9_999 + "\\n", "\\n"])
def test_what_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    sandboxed.run_first(monkeypatch, f"child.answer_to = lambda *args: b'{line}'")
    with pytest.raises(SourceError):
        sandbox.parse(PAGE)


def test_the_table_of_fields_is_whole() -> None:
    assert {field.name for field in dataclasses.fields(ParsedListing)} == set(messages._LISTING)
