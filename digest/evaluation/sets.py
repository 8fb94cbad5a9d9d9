"""Judged sets, read from their files; which kind a folder holds is told by the files in it.

A collection: `corpus`, `queries` {id, text}, `qrels.tsv` (query, document, grade).
Libraries:    `corpus`, `users` {user, liked: [id, ...]}, without times.
A stream:     `users` {user, liked: [{id, date}]}, or `likes` {list, paper_id, added_at} with any `interests*.json`
              {list: [line, ...]}; its papers are lists of days, in the folder or in an `hf_daily` folder near it.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


class SetError(Exception):
    """A judged set that cannot be read; the message says which file and why."""


@dataclass(frozen=True)
class Document:
    key: str
    title: str
    text: str
    date: str = ""
    rank: int = 1


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
    if _find(folder, "qrels.tsv"):
        return _collection(folder)
    users = _find(folder, "users.jsonl")
    if users and not _is_dated(users):
        return _libraries(folder, users)
    if users or _find(folder, "likes.jsonl"):
        return _stream(folder, dailies)
    raise SetError(f"{folder} holds neither qrels.tsv nor users.jsonl nor likes.jsonl: not a judged set.")


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _need(folder: Path, name: str) -> Path:
    path = _find(folder, name)
    if path is None:
        raise SetError(f"{folder / name} is missing (nor is there a {name}.gz).")
    return path


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _rows(path: Path, *keys: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file. Raises SetError naming the line."""
    number = 0
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                missing = [key for key in keys if not isinstance(row, dict) or key not in row]
                if missing:
                    raise SetError(f"{path}, line {number}: no “{missing[0]}”.")
                yield row
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SetError(f"{path} cannot be read: {error}.") from error
    except json.JSONDecodeError as error:
        raise SetError(f"{path}, line {number}: no JSON ({error.msg}).") from error


def _corpus(folder: Path) -> tuple[list[Document], dict[str, int]]:
    rows = _rows(_need(folder, "corpus.jsonl"), "id")
    documents = [
        Document(str(row["id"]), row.get("title") or "", row.get("text") or row.get("abstract") or "") for row in rows
    ]
    if not documents:
        raise SetError(f"{_need(folder, 'corpus.jsonl')} is empty.")
    return documents, {document.key: place for place, document in enumerate(documents)}


def _collection(folder: Path) -> Collection:
    documents, place = _corpus(folder)
    path, grades = _need(folder, "qrels.tsv"), defaultdict[str, dict[int, float]](dict)
    with _open(path) as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
            if not row or (number == 1 and not _is_number(row[-1])):
                continue
            if len(row) < 3 or not _is_number(row[-1]):
                raise SetError(f"{path}, line {number}: expected query, document and grade, separated by tabs.")
            document = row[-2]
            if document in place and float(row[-1]) > 0:
                grades[row[0]][place[document]] = float(row[-1])
    queries = [(str(row["id"]), str(row["text"])) for row in _rows(_need(folder, "queries.jsonl"), "id", "text")]
    judged = [(text, grades[key]) for key, text in queries if grades.get(key)]
    if not judged:
        raise SetError(f"{path} judges none of the queries.")
    return Collection(folder.name, documents, [text for text, _ in judged], [gains for _, gains in judged])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_dated(users: Path) -> bool:
    first = next(_rows(users, "liked"), None)
    return bool(first and first["liked"] and isinstance(first["liked"][0], dict))


def _libraries(folder: Path, users: Path) -> Libraries:
    documents, place = _corpus(folder)
    liked = []
    for row in _rows(users, "liked"):
        liked.append(list(dict.fromkeys(place[str(key)] for key in row["liked"] if str(key) in place)))
    if not any(len(one) > 1 for one in liked):
        raise SetError(f"{users}: no reader likes two papers of the corpus.")
    return Libraries(folder.name, documents, liked)


def _stream(folder: Path, dailies: Path | None) -> Stream:
    lists = _lists_of_days(folder, dailies)
    documents = [
        Document(str(row["id"]), row["title"], row.get("abstract") or row.get("summary") or "", row["date"], rank)
        for rank, row in sorted(enumerate(_rows(lists, "id", "title", "date")), key=lambda pair: pair[1]["date"])
    ]
    place = {document.key: number for number, document in enumerate(documents)}
    readers = _curators(folder, place) if _find(folder, "likes.jsonl") else _users(folder, place)
    if not any(reader.likes for reader in readers):
        raise SetError(f"{folder}: none of the papers liked are in {lists}.")
    return Stream(folder.name, documents, readers, _observations(lists.parent, place))


def _lists_of_days(folder: Path, given: Path | None) -> Path:
    """The file of dated papers: given, in the set's folder, or in an `hf_daily` folder beside or above it."""
    if given and given.is_file():
        return given
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
    if len(str(text)) == 10:
        moment = moment.replace(hour=12)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _curators(folder: Path, place: dict[str, int]) -> list[Reader]:
    path, likes = _need(folder, "likes.jsonl"), defaultdict[str, list[tuple[int, dt.datetime]]](list)
    for row in _rows(path, "list", "paper_id", "added_at"):
        if row["paper_id"] in place:
            likes[row["list"]].append((place[row["paper_id"]], _when(row["added_at"], path)))
    lines: dict[str, list[str]] = {}
    for found in sorted(folder.glob("interests*.json")):
        try:
            lines |= json.loads(found.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SetError(f"{found}: no JSON ({error}).") from error
    return [Reader(name, lines.get(name, []), _in_time(held)) for name, held in likes.items()]


def _in_time(likes: list[tuple[int, dt.datetime]]) -> list[tuple[int, dt.datetime]]:
    return sorted(likes, key=lambda like: (like[1], like[0]))


def _users(folder: Path, place: dict[str, int]) -> list[Reader]:
    path = _need(folder, "users.jsonl")
    readers = []
    for number, row in enumerate(_rows(path, "liked")):
        likes = [(place[like["id"]], _when(like["date"], path)) for like in row["liked"] if like["id"] in place]
        readers.append(Reader(str(row.get("user", number)), [], _in_time(likes)))
    return readers


def _observations(folder: Path, place: dict[str, int]) -> dict[int, list[tuple[dt.datetime, int]]]:
    seen = defaultdict[int, list[tuple[dt.datetime, int]]](list)
    for path in sorted(folder.glob("*upvote_observations*.csv*")):
        with _open(path) as lines:
            for row in csv.DictReader(lines):
                if row.get("paper_id") in place:
                    moment = _when(row["observed_at"], path)
                    seen[place[str(row["paper_id"])]].append((moment, int(row["upvotes"])))
    return {number: sorted(times) for number, times in seen.items()}
