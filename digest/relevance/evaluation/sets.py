"""Judged sets, read from their files; which kind a folder holds is told by the files in it.

A collection: `corpus`, `queries` {id, text}, `qrels.tsv` (query, document, grade).
Libraries:    `corpus`, `users` {user, liked: [id, ...]}, without times.
A stream:     `users` {user, liked: [{id, date}]}, or `likes` {list, paper_id, added_at} with any `interests*.json`
              {list: [line, ...]}; its papers are lists of days, in the folder or in an `hf_daily` folder near it.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digest.relevance.evaluation.files import UNREADABLE, SetError, cells, find, need, of_json, opened, rows, said

_YEARS = range(1800, 2200)
_VOTES = range(10**9)


@dataclass(frozen=True)
class Document:
    key: str
    title: str
    text: str
    date: str = ""
    rank: int = 1
    authors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collection:
    """Queries, and the grade of each relevant document by its place."""

    name: str
    documents: list[Document]
    queries: list[str]
    gains: list[dict[int, float]]


@dataclass(frozen=True)
class Libraries:
    """What each reader keeps, by place; no times."""

    name: str
    documents: list[Document]
    liked: list[list[int]]


@dataclass(frozen=True)
class Reader:
    name: str
    lines: list[str]
    likes: list[tuple[int, dt.datetime]]  # a place among the papers, and when it became known; UTC, in order


@dataclass(frozen=True)
class Stream:
    """Papers in the order of their days, readers, and the upvotes seen at times, in order, by place."""

    name: str
    documents: list[Document]
    readers: list[Reader]
    upvotes: dict[int, list[tuple[dt.datetime, int]]] = field(default_factory=dict)


JudgedSet = Collection | Libraries | Stream


def read(folder: Path, dailies: Path | None = None) -> JudgedSet:
    """The set in a folder. Raises SetError."""
    if not folder.is_dir():
        raise SetError(f"{folder} is no folder: name the folder of a judged set.")
    if find(folder, "qrels.tsv"):
        return _collection(folder)
    users = find(folder, "users.jsonl")
    if users and not _is_dated(users):
        return _libraries(folder, users)
    if users or find(folder, "likes.jsonl"):
        return _stream(folder, dailies)
    raise SetError(f"{folder} holds neither qrels.tsv nor users.jsonl nor likes.jsonl: not a judged set.")


def _corpus(folder: Path) -> tuple[list[Document], dict[str, int]]:
    documents = _once(_document(row) for row in rows(need(folder, "corpus.jsonl"), "id"))
    if not documents:
        raise SetError(f"{need(folder, 'corpus.jsonl')} is empty.")
    return documents, {document.key: place for place, document in enumerate(documents)}


def _once(documents: Iterable[Document]) -> list[Document]:
    """A paper listed again counts where it stood first."""
    first: dict[str, Document] = {}
    for document in documents:
        first.setdefault(document.key, document)
    return list(first.values())


def _document(row: dict[str, Any], date: str = "", rank: int = 1) -> Document:
    """A paper with what it has: titles, abstracts and authors may be missing; an author is a name or holds one."""
    text = next((row[key] for key in ("text", "abstract", "summary") if row.get(key)), "")
    listed = row.get("authors")
    named = [one.get("name") if isinstance(one, dict) else one for one in listed] if isinstance(listed, list) else []
    authors = tuple(said(name) for name in named if name)
    return Document(str(row["id"]), said(row.get("title")), said(text), date, rank, authors)


def _collection(folder: Path) -> Collection:
    documents, place = _corpus(folder)
    path, grades = need(folder, "qrels.tsv"), defaultdict[str, dict[int, float]](dict)
    for number, row in enumerate(cells(path), start=1):
        if not any(row) or (number == 1 and not _is_number(row[-1])):
            continue
        if len(row) < 3 or not _is_number(row[-1]):
            raise SetError(f"{path}, line {number}: expected query, document and grade, separated by tabs.")
        document = row[-2]
        if document in place and float(row[-1]) > 0:
            grades[row[0]][place[document]] = float(row[-1])
    queries = [(str(row["id"]), said(row["text"])) for row in rows(need(folder, "queries.jsonl"), "id", "text")]
    judged = [(text, grades[key]) for key, text in queries if grades.get(key)]
    if not judged:
        raise SetError(f"{path} judges none of the queries.")
    return Collection(folder.name, documents, [text for text, _ in judged], [gains for _, gains in judged])


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_dated(users: Path) -> bool:
    first = next((row for row in _liking(users) if row["liked"]), None)
    return bool(first and isinstance(first["liked"][0], dict))


def _liking(users: Path) -> Iterator[dict[str, Any]]:
    """The readers; `liked` is a list. Raises SetError."""
    for number, row in enumerate(rows(users, "liked"), start=1):
        if not isinstance(row["liked"], list):
            raise SetError(f"{users}, reader {number}: “liked” is no list.")
        yield row


def _libraries(folder: Path, users: Path) -> Libraries:
    documents, place = _corpus(folder)
    liked = []
    for row in _liking(users):
        liked.append(list(dict.fromkeys(place[str(key)] for key in row["liked"] if str(key) in place)))
    if not any(len(one) > 1 for one in liked):
        raise SetError(f"{users}: no reader likes two papers of the corpus.")
    return Libraries(folder.name, documents, liked)


def _stream(folder: Path, dailies: Path | None) -> Stream:
    lists = _lists_of_days(folder, dailies)
    listed = [(_day(row["date"], lists), row) for row in rows(lists, "id", "title", "date")]
    dated = sorted(enumerate(listed), key=lambda pair: pair[1][0])
    documents = _once(_document(row, date, rank) for rank, (date, row) in dated)
    place = {document.key: number for number, document in enumerate(documents)}
    readers = _curators(folder, place) if find(folder, "likes.jsonl") else _users(folder, place)
    if not any(reader.likes for reader in readers):
        raise SetError(f"{folder}: none of the papers liked are in {lists}.")
    return Stream(folder.name, documents, readers, _observations(lists.parent, place))


def _lists_of_days(folder: Path, given: Path | None) -> Path:
    """The file of dated papers: given, in the set's folder, or in an `hf_daily` folder beside or above it."""
    if given and given.is_file():
        return given
    if given and not given.exists():
        raise SetError(f"{given} is neither a file nor a folder: name the papers by day of {folder}.")
    near = [given] if given else [folder, *(parent / "hf_daily" for parent in (folder, *folder.resolve().parents[:3]))]
    for one in near:
        for pattern in ("papers.jsonl*", "*daily*.jsonl*"):
            found = sorted(one.glob(pattern)) if one.is_dir() else []
            if found:
                return found[0]
    raise SetError(f"{folder} is a stream, and its papers by day are not found: name their file with --dailies.")


def _when(text: Any, path: Path) -> dt.datetime:
    """A moment in UTC; a bare date is its noon."""
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError as error:
        raise SetError(f"{path}: “{text}” is no date or time.") from error
    if moment.year not in _YEARS:
        raise SetError(f"{path}: “{text}” is no date of our time.")
    if len(str(text)) == 10:
        moment = moment.replace(hour=12)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _day(text: Any, path: Path) -> str:
    """The date of a list, as 2025-06-01, which sorts by time; of a moment its day. Raises SetError."""
    try:
        day = dt.datetime.fromisoformat(str(text)).date()
    except ValueError as error:
        raise SetError(f"{path}: “{text}” is no date.") from error
    if day.year not in _YEARS:
        raise SetError(f"{path}: “{text}” is no date of our time.")
    return day.isoformat()


def _curators(folder: Path, place: dict[str, int]) -> list[Reader]:
    path, likes = need(folder, "likes.jsonl"), defaultdict[str, list[tuple[int, dt.datetime]]](list)
    for row in rows(path, "list", "paper_id", "added_at"):
        if (paper := str(row["paper_id"])) in place:
            likes[said(row["list"])].append((place[paper], _when(row["added_at"], path)))
    lines: dict[str, list[str]] = {}
    for found in sorted(folder.glob("interests*.json")):
        try:
            typed = of_json(found.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise SetError(f"{found}: no JSON ({error}).") from error
        if not isinstance(typed, dict) or not all(isinstance(of_one, list) for of_one in typed.values()):
            raise SetError(f"{found}: expected the lines of each list, as {{list: [line, ...]}}.")
        lines |= {said(name): _lines(of_one) for name, of_one in typed.items()}
    return [Reader(name, lines.get(name, []), _in_time(held)) for name, held in likes.items()]


def _lines(typed: Iterable[Any]) -> list[str]:
    """Each once, without empty ones."""
    return [line for line in dict.fromkeys(said(line) for line in typed) if line.strip()]


def _in_time(likes: list[tuple[int, dt.datetime]]) -> list[tuple[int, dt.datetime]]:
    return sorted(likes, key=lambda like: (like[1], like[0]))


def _users(folder: Path, place: dict[str, int]) -> list[Reader]:
    path = need(folder, "users.jsonl")
    readers = []
    for number, row in enumerate(_liking(path)):
        for like in row["liked"]:
            if not isinstance(like, dict) or not {"id", "date"} <= like.keys():
                raise SetError(f"{path}, reader {number + 1}: a like needs “id” and “date”.")
        known = [like for like in row["liked"] if str(like["id"]) in place]
        likes = [(place[str(like["id"])], _when(like["date"], path)) for like in known]
        readers.append(Reader(said(row.get("user", number)), [], _in_time(likes)))
    return readers


def _observations(folder: Path, place: dict[str, int]) -> dict[int, list[tuple[dt.datetime, int]]]:
    seen = defaultdict[int, list[tuple[dt.datetime, int]]](list)
    for path in sorted(folder.glob("*upvote_observations*.csv*")):
        try:
            with opened(path) as lines:
                for row in csv.DictReader(lines):
                    if row["paper_id"] in place:
                        moment = _when(row["observed_at"], path)
                        seen[place[row["paper_id"]]].append((moment, _votes(row["upvotes"])))
        except (*UNREADABLE, ValueError, KeyError, TypeError, csv.Error) as error:
            raise SetError(f"{path}: expected paper_id, observed_at and upvotes in each row ({error}).") from error
    return {number: sorted(times) for number, times in seen.items()}


def _votes(text: str) -> int:
    """Raises ValueError."""
    if int(text) not in _VOTES:
        raise ValueError(f"{text[:20]} upvotes")
    return int(text)
