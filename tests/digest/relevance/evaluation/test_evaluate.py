"""manage.py evaluate, on sets made here and on a real one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from digest.relevance.evaluation import protocols, report
from digest.relevance.evaluation.sets import read

pytestmark = pytest.mark.django_db

TOPICS = {
    "birds": "feathers nesting migration songbirds wings",
    "rocks": "granite basalt erosion minerals crystal",
    "ships": "harbour hull cargo sailing rudder",
    "bread": "flour yeast oven dough baking",
}


def write(path: Path, rows: list[Any]) -> None:
    text = "\n".join(json.dumps(row) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def documents(count: int = 24) -> list[dict[str, str]]:
    names = list(TOPICS)
    rows = []
    for number in range(count):
        topic = names[number % 4]
        words = TOPICS[topic].split()
        turned = words[number % 5 :] + words[: number % 5]
        rows.append({"id": f"d{number}", "title": f"On {topic} {number}", "text": f"We study {' '.join(turned[:4])}."})
    return rows


def collection(folder: Path) -> Path:
    write(folder / "corpus.jsonl.gz", documents())
    write(
        folder / "queries.jsonl", [{"id": "1", "text": "what of migration of songbirds?"}, {"id": "2", "text": "yeast"}]
    )
    grades = [f"{1 if n % 4 == 0 else 2}\td{n}\t1" for n in range(24) if n % 4 in (0, 3)]
    (folder / "qrels.tsv").write_text("\n".join(["query_id\tdoc_id\trel", *grades]))
    return folder


def stream(folder: Path, votes: str = "") -> Path:
    """Four papers a day from 1 to 28 June, one of each topic; a reader who likes birds, and says so a day later."""
    rows = []
    for day in range(1, 29):
        for row in documents(4):
            key = f"{day}-{row['id']}"
            rows.append(row | {"id": key, "date": f"2025-06-{day:02}", "abstract": f"{row['text']} Number {day}."})
    write(folder / "hf_daily" / "some_daily.jsonl.gz", rows)
    likes = [
        {"list": "birder", "paper_id": f"{day}-d0", "added_at": f"2025-06-{day + 1:02}T09:00:00+00:00"}
        for day in range(1, 28)
    ]
    write(folder / "likes.jsonl", likes)
    (folder / "interests_keywords.json").write_text(json.dumps({"birder": ["songbirds", "feathers OR wings"]}))
    observed = ["paper_id,observed_at,upvotes", "5-d1,2025-06-05T10:00:00+00:00,7"]
    (folder / "hf_daily" / "upvote_observations.csv").write_text("\n".join([*observed, votes]))
    return folder


def orders(folder: Path) -> dict[tuple[str, str, str], list[int]]:
    return {(one.section, one.system, one.unit): one.ranked for one in protocols.play(read(folder))}


def evaluate(capsys: pytest.CaptureFixture[str], *paths: Path, **options: Any) -> str:
    call_command("evaluate", *map(str, paths), **options)
    return capsys.readouterr().out


def test_a_collection_gives_a_table_that_is_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = collection(tmp_path / "tiny")
    first = evaluate(capsys, folder, json=tmp_path / "table.json")
    assert "## tiny" in first
    assert "| BM25 |" in first
    table = json.loads((tmp_path / "table.json").read_text())["tiny"]
    ours = next(row for row in table if row["system"] == "Paper Round")
    assert ours["ndcg"] > 0.9
    assert evaluate(capsys, folder).split("sets in")[0] == first.split("sets in")[0]


def test_libraries_are_told_from_streams_by_what_is_liked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "corpus.jsonl", documents())
    liked = [[f"d{n}" for n in range(24) if n % 4 == topic] for topic in range(4)]
    write(tmp_path / "users.jsonl", [{"user": n, "liked": held} for n, held in enumerate(liked)])
    out = evaluate(capsys, tmp_path)
    assert "1 like (" in out
    assert "half the library" in out
    assert "linear SVM" in out


def test_a_stream_is_played_with_lines_and_with_likes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = evaluate(capsys, stream(tmp_path))
    assert "birder: lines alone (27 judged)" in out
    assert "birder: 5 or more earlier likes" in out
    assert "| Paper Round: lines and likes | 1.000 |" in out


def test_what_becomes_known_later_changes_no_earlier_order(tmp_path: Path) -> None:
    """Upvotes counted after the send hour, papers of later days and likes made known later."""
    before = orders(stream(tmp_path / "a"))
    folder = stream(tmp_path / "b", votes="10-d1,2025-06-11T08:00:01+00:00,900")
    likes = [json.loads(line) for line in (folder / "likes.jsonl").read_text().splitlines()]
    write(folder / "likes.jsonl", [*likes, {"list": "birder", "paper_id": "9-d2", "added_at": "2025-06-20T00:00:00Z"}])
    daily = folder / "hf_daily" / "some_daily.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(daily.read_bytes()).splitlines()]
    write(daily, [row | ({"abstract": "songbirds"} if row["date"] > "2025-06-15" else {}) for row in rows])
    after = orders(folder)
    # The learners of scikit-learn break their ties by how many words there are in all.
    steady = {key for key in before if key[1] not in ("linear SVM", "logistic regression")}
    early = {key: before[key] for key in steady if key[2] <= "birder 2025-06-15"}
    assert early
    assert {key: after[key] for key in early} == early


def test_upvotes_seen_before_the_send_hour_do_count(tmp_path: Path) -> None:
    seen = orders(stream(tmp_path / "a", votes="10-d1,2025-06-11T07:59:59+00:00,900"))
    place = seen["lines alone", "upvotes", "birder 2025-06-10"][0]
    assert read(tmp_path / "a").documents[place].key == "10-d1"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("qrels.tsv", "1\td0\t1\n1\td0", "line 2: expected query, document and grade"),
        ("queries.jsonl", '{"id": "1"}', "line 1: no “text”"),
        ("queries.jsonl", "{", "line 1: no JSON"),
        ("queries.jsonl", "[" * 100_000, "line 1: no JSON .nested too deep"),
        ("queries.jsonl", '{"id": ' + "1" * 5000 + "}", "line 1: no JSON"),
        ("corpus.jsonl.gz", "plain", "cannot be read"),
    ],
)
def test_a_malformed_file_is_an_error_that_names_it(tmp_path: Path, name: str, text: str, says: str) -> None:
    folder = collection(tmp_path)
    (folder / name).write_text(text)
    with pytest.raises(CommandError, match=says) as error:
        call_command("evaluate", str(folder))
    assert name in str(error.value)


def test_a_packed_file_with_a_hole_in_it_is_an_error_that_names_it(tmp_path: Path) -> None:
    packed = collection(tmp_path) / "corpus.jsonl.gz"
    data = bytearray(packed.read_bytes())
    data[40:60] = b"\xff" * 20
    packed.write_bytes(data)
    with pytest.raises(CommandError, match=r"corpus\.jsonl\.gz cannot be read"):
        call_command("evaluate", str(tmp_path))


def test_a_missing_file_or_folder_is_an_error(tmp_path: Path) -> None:
    folder = collection(tmp_path / "tiny")
    (folder / "queries.jsonl").unlink()
    with pytest.raises(CommandError, match=r"queries\.jsonl is missing"):
        call_command("evaluate", str(folder))
    with pytest.raises(CommandError, match="is no folder"):
        call_command("evaluate", str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="not a judged set"):
        call_command("evaluate", str(tmp_path / "empty"))


def test_a_stream_without_its_papers_says_what_to_name(tmp_path: Path) -> None:
    write(tmp_path / "likes.jsonl", [{"list": "a", "paper_id": "1", "added_at": "2025-06-01"}])
    with pytest.raises(CommandError, match="--dailies"):
        call_command("evaluate", str(tmp_path))


def test_on_real_judgements_it_is_better_than_bm25(shared_data: Path) -> None:
    table = report.rows(protocols.play(read(shared_data / "eval" / "cran")))
    bm25 = next(row for row in table if row.system == "BM25")
    assert bm25.low > 0.02


ONE = [{"id": 1, "text": "songbirds"}]


@pytest.mark.parametrize(
    ("corpus", "queries", "grades"),
    [
        (documents(1), ONE, "1\td0\t1"),
        (documents(), ONE, "1 0 d0 2\n1 0 d1 0"),  # as TREC writes it
        (documents(), ONE, "\n1\td0\t1\n\t\n  \n"),
        ([one | {"text": "songbirds \ud800 \0"} for one in documents()], [{"id": 1, "text": "\ud800"}], "1\td0\t1"),
        ([{"id": n} for n in range(5)], ONE, "1\t3\t1"),
        ([{"id": n, "title": f"扩散模型 {n}", "text": None} for n in range(5)], [{"id": 1, "text": "扩散"}], "1\t3\t1"),
        (
            documents(),
            [{"id": 1, "text": "the of"}, {"id": 2, "text": None}, {"id": 3, "text": "(("}],
            "1\td1\t1\n2\td0\t1\n3\td2\t1",
        ),
    ],
    ids=[
        "one paper",
        "blanks for tabs",
        "empty lines",
        "half a character",
        "no words",
        "no blanks between words",
        "queries of nothing",
    ],
)
def test_an_odd_collection_gives_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], corpus: list[Any], queries: list[Any], grades: str
) -> None:
    write(tmp_path / "corpus.jsonl", corpus)
    write(tmp_path / "queries.jsonl", queries)
    (tmp_path / "qrels.tsv").write_text(grades)
    assert "| Paper Round | " in evaluate(capsys, tmp_path)


def test_a_reader_without_likes_or_papers_without_words_are_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "corpus.jsonl", [{"id": n} for n in range(6)])
    write(tmp_path / "users.jsonl", [{"user": 1, "liked": []}, {"user": 2, "liked": [0, 1, 2, 3]}])
    assert "1 like (" in evaluate(capsys, tmp_path)


def test_a_stream_may_lack_abstracts_lines_and_a_first_like(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {
            "id": 10 * day + n,
            "title": f"Birds {n}",
            "date": f"2025-06-{day:02}T09:00:00Z",
            "authors": [{"name": "A B"}, None],
        }
        for day in range(1, 9)
        for n in range(3)
    ]
    write(tmp_path / "papers.jsonl", rows)
    likes = [{"id": 10 * day, "date": f"2025-06-{day:02}"} for day in range(1, 9)]
    write(tmp_path / "users.jsonl", [{"user": "none", "liked": []}, {"user": "some", "liked": likes}])
    assert "some: 5 or more earlier likes (3 judged)" in evaluate(capsys, tmp_path)


@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("users.jsonl", [{"user": 1, "liked": None}], "“liked” is no list"),
        (
            "users.jsonl",
            [{"user": 1, "liked": [{"id": "1-d0", "date": "2025-06-01"}, "2-d0"]}],
            "needs “id” and “date”",
        ),
        ("users.jsonl", [{"user": 1, "liked": [{"id": "1-d0", "date": "soon"}]}], "“soon” is no date"),
        ("hf_daily/some_daily.jsonl.gz", [{"id": 1, "title": "x", "date": "today"}], "“today” is no date"),
        ("hf_daily/some_daily.jsonl.gz", [{"id": 1, "title": "x", "date": "9999-12-31"}], "no date of our time"),
        ("interests_keywords.json", ["songbirds"], "expected the lines of each list"),
        (
            "hf_daily/upvote_observations.csv",
            ["paper_id,upvotes", "1-d0,5"],
            "expected paper_id, observed_at and upvotes",
        ),
        (
            "hf_daily/upvote_observations.csv",
            ["paper_id,observed_at,upvotes", "5-d1,2025-06-05," + "9" * 400],
            "expected paper_id, observed_at and upvotes",
        ),
    ],
)
def test_a_malformed_stream_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, rows: list[Any], says: str
) -> None:
    stream(tmp_path)
    if name == "users.jsonl":
        (tmp_path / "likes.jsonl").unlink()
    if name.endswith(".csv"):
        (tmp_path / name).write_text("\n".join(rows))
    elif name == "interests_keywords.json":
        (tmp_path / name).write_text(json.dumps(rows))
    else:
        write(tmp_path / name, rows)
    with pytest.raises(CommandError, match=says) as error:
        call_command("evaluate", str(tmp_path))
    assert name in str(error.value)


def test_files_from_another_system_are_read_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A byte order mark, and lines that end in two signs."""
    before = evaluate(capsys, collection(tmp_path / "a"))
    folder = collection(tmp_path / "b" / "a")
    for path in folder.iterdir():
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        data = b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    assert evaluate(capsys, folder).split("sets in")[0] == before.split("sets in")[0]


@pytest.mark.parametrize(
    ("grades", "says"),
    [("", "judges none of the queries"), ("1\tnowhere\t1\n7\td1\t1", "judges none"), ("1\td1\t-1", "judges none")],
    ids=["empty", "unknown ids", "nothing relevant"],
)
def test_judgements_of_nothing_are_an_error(tmp_path: Path, grades: str, says: str) -> None:
    folder = collection(tmp_path)
    (folder / "qrels.tsv").write_text(grades)
    with pytest.raises(CommandError, match=says):
        call_command("evaluate", str(folder))


def test_a_table_that_cannot_be_written_is_an_error_before_the_work(tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere" / "table.json", tmp_path):
        with pytest.raises(CommandError, match="cannot be written there"):
            call_command("evaluate", str(collection(tmp_path)), json=place)


def test_two_sets_of_one_name_both_have_their_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [collection(tmp_path / name / "tiny") for name in "ab"]
    evaluate(capsys, *folders, json=tmp_path / "table.json")
    assert list(json.loads((tmp_path / "table.json").read_text())) == ["tiny", str(folders[1])]


def test_dailies_that_are_not_there_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere is neither a file nor a folder"):
        call_command("evaluate", str(stream(tmp_path)), dailies=tmp_path / "nowhere")


def test_several_curators_are_also_judged_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stream(tmp_path)
    likes = [json.loads(line) for line in (folder / "likes.jsonl").read_text().splitlines()]
    other = [like | {"list": "geologist", "paper_id": like["paper_id"].replace("d0", "d1")} for like in likes]
    write(folder / "likes.jsonl", likes + other)
    out = evaluate(capsys, folder)
    assert "all together: 5 or more earlier likes" in out
    together = out.split("all together: 5 or more earlier likes")[1]
    assert "| linear SVM |" in together
    assert "lines and likes" not in together  # the geologist typed no line


def test_authors_are_read_where_the_papers_have_them(tmp_path: Path) -> None:
    folder = stream(tmp_path)
    daily = folder / "hf_daily" / "some_daily.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(daily.read_bytes()).splitlines()]
    assert "Paper Round: likes, no authors" not in {one[1] for one in orders(folder)}
    liked = {"authors": ["Ann Bird"]}
    write(daily, [row | (liked if row["id"].endswith("d0") else {"authors": []}) for row in rows])
    assert {"Paper Round: likes, no authors", "linear SVM, authors too"} <= {one[1] for one in orders(folder)}


def test_a_paper_listed_again_counts_on_its_first_day(tmp_path: Path) -> None:
    daily = stream(tmp_path) / "hf_daily" / "some_daily.jsonl.gz"
    before = read(tmp_path).documents
    rows = [json.loads(line) for line in gzip.decompress(daily.read_bytes()).splitlines()]
    write(daily, rows + [row | {"date": "2025-06-28"} for row in rows[:40]])
    assert read(tmp_path).documents == before


def test_a_mute_and_a_pin_do_in_the_table_what_they_do_in_the_mail(tmp_path: Path) -> None:
    typed = stream(tmp_path) / "interests_keywords.json"
    typed.write_text("\ufeff" + json.dumps({"birder": ["songbirds", "-rocks", "!yeast", "songbirds", ""]}))
    judged = read(tmp_path)
    assert judged.readers[0].lines == ["songbirds", "-rocks", "!yeast"]
    ranked = orders(tmp_path)["lines alone", "Paper Round: lines", "birder 2025-06-20"]
    assert [judged.documents[place].title[3:8] for place in ranked] == ["bread", "birds", "ships"]
