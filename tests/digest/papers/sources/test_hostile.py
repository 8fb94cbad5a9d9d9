"""Pages made to hurt, and real pages hurt by chance: papers or a SourceError, soon, in little memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.papers.sources import kinds
from tests.digest.papers.sources.test_kinds import holds

ROOT = Path(__file__).resolve().parents[4]
MEGABYTES = 200
SECONDS = 5.0  # CPU for one file by one parser; the slowest takes about a fifth of one

TAG = re.compile(rb"</?[A-Za-z][^<>]{0,200}>")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-be", "iso-8859-1", "windows-1252", "koi8-r", "utf-7", "cp037")


def test_every_hostile_file_by_every_parser_in_one_process(shared_data: Path) -> None:
    command = [sys.executable, "-m", "tests.digest.papers.sources.reading", str(shared_data / "hostile")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    report = json.loads(done.stdout)
    assert len(report["rows"]) > 900 * (len(kinds.PARSERS) + 1)
    assert [row for row in report["rows"] if row[2] not in ("papers", "error")] == []
    assert [row for row in report["rows"] if row[3] > SECONDS] == []
    assert report["grown"] < MEGABYTES * 1_000_000
    # Most of them have no titles; were nothing read at all, the rest of this test would prove nothing.
    assert sum(row[2] == "papers" for row in report["rows"] if row[1] is None) > 30


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_no_accident_to_a_real_page_of_xml_breaks_the_rule(shared_data: Path, data: st.DataObject) -> None:
    page = data.draw(st.sampled_from(real_pages(shared_data))).read_bytes()
    for accident in data.draw(st.lists(st.sampled_from(ACCIDENTS), min_size=1, max_size=3)):
        page = accident(data, page)
    holds(page, data.draw(st.sampled_from([None, None, None, *kinds.PARSERS])))


def real_pages(shared_data: Path) -> list[Path]:
    folders = ("arxiv", "hf_daily/rss_samples", "other_sources")
    return sorted(path for name in folders for path in (shared_data / name).rglob("*.xml"))


def truncated(data: st.DataObject, page: bytes) -> bytes:
    return page[: data.draw(st.integers(0, len(page)))]


def dropped(data: st.DataObject, page: bytes) -> bytes:
    start = data.draw(st.integers(0, len(page)))
    return page[:start] + page[start + data.draw(st.integers(1, 400)) :]


def doubled(data: st.DataObject, page: bytes) -> bytes:
    """A part of the page twice; often from one tag to another, so that it may stay well-formed."""
    start, end = sorted((place(data, page), place(data, page)))
    return page[:end] + page[start:]


def tags_swapped(data: st.DataObject, page: bytes) -> bytes:
    tags = list(TAG.finditer(page))
    if len(tags) < 2:
        return page
    first, second = sorted(data.draw(st.lists(st.integers(0, len(tags) - 1), min_size=2, max_size=2)))
    one, other = tags[first], tags[second]
    if first == second:
        return page[: one.start()] + page[one.end() :]
    return page[: one.start()] + other[0] + page[one.end() : other.start()] + one[0] + page[other.end() :]


def names_swapped(data: st.DataObject, page: bytes) -> bytes:
    """One element's name for another's all over the page: well-formed, and not what it should be."""
    names = sorted({found for tag in TAG.findall(page) for found in re.findall(rb"</?([\w:.-]+)", tag)})
    if len(names) < 2:
        return page
    one, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    return re.sub(rb"(</?)" + re.escape(one) + rb"(?=[\s/>])", lambda found: found[1] + other, page)


def emptied(data: st.DataObject, page: bytes) -> bytes:
    """The text of one element gone, all over the page."""
    name = data.draw(st.sampled_from(sorted(set(re.findall(rb"<([A-Za-z][\w:.-]*)", page))) or [b"x"]))
    return re.sub(rb"(<" + re.escape(name) + rb"(?:\s[^<>]*)?>)[^<]*", lambda found: found[1], page)


def noise(data: st.DataObject, page: bytes) -> bytes:
    start = place(data, page)
    return page[:start] + data.draw(st.binary(min_size=1, max_size=12) | st.sampled_from(TOKENS)) + page[start:]


def recoded(data: st.DataObject, page: bytes) -> bytes:
    text = page.decode("utf-8", errors="replace")
    text = text.replace("encoding=", data.draw(st.sampled_from(["encoding=", "x=", "encoding='koi8-r' x="])), 1)
    return text.encode(data.draw(st.sampled_from(ENCODINGS)), errors="replace")


def place(data: st.DataObject, page: bytes) -> int:
    """A place in the page: anywhere, or where a tag begins."""
    tags = [found.start() for found in TAG.finditer(page)]
    return data.draw(st.integers(0, len(page)) | st.sampled_from(tags or [0]))


ACCIDENTS = (truncated, dropped, doubled, tags_swapped, names_swapped, emptied, noise, recoded)
TOKENS = [
    *(b"<record>", b"<item>", b"<metadata/>", b'<header status="deleted"/>', b"<author/>", b"<title/>", b"</title>"),
    *(b"<sup>3</sup>", b"<alternatives/>", b"<![CDATA[", b"]]>", b"&nbsp;", b"&#0;", b"&amp;amp;", b"<!ENTITY a 'b'>"),
    *(b"<error code='noRecordsMatch'/>", b"<resumptionToken>", b' xmlns="urn:x"', b"9" * 5_000, b"\xff\xfe", b"\x00"),
]
