"""The JSON interface: what it answers, that its description is true, and that nothing makes it fail."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from digest.models import Paper
from digest.urls import urlpatterns
from digest.web.api import openapi
from digest.web.api.answers import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, as_json
from subscriptions.models import Subscriber
from tests.conftest import MORNING, listing
from tests.digest.web.feeds.test_feeds import HOSTILE, store_rows

pytestmark = pytest.mark.django_db

INDEX, PAPERS, EDITIONS, SCHEMA = "/api/v1/", "/api/v1/papers/", "/api/v1/editions/", "/api/v1/openapi.json"
DESCRIPTION = json.loads(openapi.text())
KINDS: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
FORMATS = {"date": r"\d{4}-\d{2}-\d{2}", "uri": r"https?://\S+"}


@pytest.fixture(autouse=True)
def _in_the_morning() -> Iterator[None]:
    with time_machine.travel(MORNING, tick=False):
        yield


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """The node a $ref points at, or the node itself."""
    while "$ref" in node:
        found: Any = DESCRIPTION
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def check(value: Any, schema: dict[str, Any], place: str = "answer") -> None:
    """Whether the value is what the schema says, and holds nothing the schema does not name."""
    schema = resolve(schema)
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert any(KINDS[kind](value) for kind in kinds), f"{place} is {value!r}, not {kinds}"
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), place
        for name, part in value.items():
            check(part, schema["properties"][name], f"{place}.{name}")
    if isinstance(value, list):
        assert len(value) <= schema.get("maxItems", len(value)), place
        for number, part in enumerate(value):
            check(part, schema["items"], f"{place}[{number}]")
    if isinstance(value, int):
        assert value >= schema.get("minimum", value), place
    assert "const" not in schema or value == schema["const"], place
    assert "enum" not in schema or value in schema["enum"], place
    if isinstance(value, str) and "format" in schema:
        assert re.fullmatch(FORMATS[schema["format"]], value), f"{place} is {value!r}"


def described(path: str, answer: HttpResponse) -> Any:
    """The answer's JSON, held to what the description says of this path and status."""
    responses = DESCRIPTION["paths"][path]["get"]["responses"]
    response = resolve(responses[str(answer.status_code)])
    (kind, content), *others = response["content"].items()
    assert not others
    assert answer["Content-Type"] == kind
    assert answer["Access-Control-Allow-Origin"] == "*"
    for name in response.get("headers", ()):
        assert answer.has_header(name)
    value = json.loads(answer.content.decode("utf-8"))
    check(value, content["schema"])
    if kind == "application/problem+json":
        assert value["status"] == answer.status_code
        assert value["detail"][0].isupper() or value["detail"].startswith("“")
        assert value["detail"].endswith(".")
    return value


def ask(client: Client, path: str, **query: object) -> Any:
    return described(path, client.get(path, query))


def titles(answer: Any) -> list[str]:
    return [paper["title"] for paper in answer["results"]]


def test_the_description_is_whole() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert {INDEX, PAPERS, f"{PAPERS}{{id}}/", EDITIONS, SCHEMA} < set(DESCRIPTION["paths"])
    named = {f"/{route.pattern}" for route in urlpatterns if str(route.pattern).startswith("api/v1/")}
    assert {name.replace("<int:pk>", "{id}") for name in named} == set(DESCRIPTION["paths"])
    refs = re.findall(r'"\$ref": "([^"]+)"', openapi.text().decode())
    assert refs
    for target in refs:
        assert resolve({"$ref": target})
    used = {target.split("/")[-1] for target in refs}
    for name, group in DESCRIPTION["components"].items():
        assert name == "securitySchemes" or set(group) <= used
    ids = [operation["operationId"] for path in DESCRIPTION["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_the_description_states_the_limits_of_the_code() -> None:
    for path, others in ((PAPERS, {"date", "q"}), (EDITIONS, set())):
        parameters = {one["name"]: one["schema"] for one in DESCRIPTION["paths"][path]["get"]["parameters"]}
        assert set(parameters) == others | {"limit", "offset", "If-None-Match"}
        limit, offset = parameters["limit"], parameters["offset"]
        assert (limit["default"], limit["maximum"]) == (DEFAULT_LIMIT, MAX_LIMIT)
        assert offset["maximum"] == MAX_OFFSET


def test_the_first_address_says_what_there_is(client: Client) -> None:
    answer = ask(client, INDEX)
    paths = {link.removeprefix("http://127.0.0.1:8000") for link in answer.values()}
    assert paths == {PAPERS, EDITIONS, SCHEMA, "/api/v1/me/", "/feeds/papers.atom"}
    assert client.get("/api/v1")["Location"] == INDEX


def test_it_describes_itself(client: Client) -> None:
    assert ask(client, SCHEMA) == DESCRIPTION
    assert reverse("digest:api_schema") == SCHEMA


def test_all_papers_newest_list_first(client: Client, papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    answer = ask(client, PAPERS)
    assert answer["count"] == 5
    assert titles(answer)[:2] == ["A Survey of Diffusion", "Thinking Aloud"]
    assert answer["next"] is answer["previous"] is None
    first = answer["results"][0]
    assert first["link"] == "https://arxiv.org/abs/2603.00003"
    assert first["pdf"] == "https://arxiv.org/pdf/2603.00003"
    assert first["page"] == f"http://127.0.0.1:8000{papers[2].get_absolute_url()}"
    assert (first["upvotes"], first["doi"], first["first_listed_on"]) == (90, None, "2026-03-16")


def test_the_papers_of_a_date(client: Client, papers: list[Paper]) -> None:
    assert ask(client, PAPERS, date="2026-03-16")["count"] == 5
    assert ask(client, PAPERS, date="2026-03-01") == {"count": 0, "next": None, "previous": None, "results": []}


def test_an_interest_line_finds_what_the_search_page_finds(client: Client, papers: list[Paper]) -> None:
    assert titles(ask(client, PAPERS, q="diffusion -survey")) == ["Diffusion for Weather"]
    assert ask(client, PAPERS, q="diffusion", date="2026-03-16")["count"] == 2
    assert ask(client, PAPERS, q="diffusion", date="2026-03-15")["count"] == 0
    assert titles(ask(client, PAPERS, q="diffusion", limit=1, offset=1))


def test_parts_lead_to_their_neighbours(client: Client, papers: list[Paper]) -> None:
    seen: list[str] = []
    address: str | None = f"{PAPERS}?limit=2&date=2026-03-16"
    while address:
        answer = described(PAPERS, client.get(address))
        seen += titles(answer)
        address = answer["next"] and answer["next"].removeprefix("http://127.0.0.1:8000")
    assert len(seen) == len(set(seen)) == 5
    assert urlsplit(answer["previous"]).query == "limit=2&date=2026-03-16&offset=2"


def test_one_paper_with_its_listings(client: Client, papers: list[Paper]) -> None:
    answer = described(f"{PAPERS}{{id}}/", client.get(f"{PAPERS}{papers[3].pk}/"))
    assert answer["title"] == "R&D: p < 0.05 for Agents"
    assert answer["abstract"] == "Agents plan trips <b>badly</b>."
    assert answer["listings"] == [
        {
            "source": "huggingface",
            "source_name": "Hugging Face Daily Papers",
            "date": "2026-03-16",
            "rank": 4,
            "upvotes": 3,
        }
    ]


@pytest.mark.parametrize("number", ["99999", "0", "9" * 19, "9" * 30, "9" * 5000])
def test_a_paper_that_is_not_there(client: Client, papers: list[Paper], number: str) -> None:
    answer = client.get(f"{PAPERS}{number}/")
    assert answer.status_code == 404
    described(f"{PAPERS}{{id}}/", answer)


@pytest.mark.parametrize("path", ["/api/", "/api/v1/x/", "/api/v2/papers/", "/api/v1/papers/abc/", "/api/v1/x/y.json/"])
def test_an_address_that_is_not_there(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "openapi.json" in described(f"{PAPERS}{{id}}/", answer)["detail"]


def test_a_forgotten_slash_is_put_right(client: Client) -> None:
    answer = client.get("/api/v1/papers?limit=3")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/papers/?limit=3")


def test_editions(client: Client, papers: list[Paper], store: Callable[..., list[Paper]]) -> None:
    store_rows(["Later"], dt.date(2026, 3, 17))
    answer = ask(client, EDITIONS)
    assert [(one["source"], one["date"], one["papers"]) for one in answer["results"]] == [
        ("huggingface", "2026-03-17", 1),
        ("huggingface", "2026-03-16", 5),
    ]
    assert [one["date"] for one in ask(client, EDITIONS, limit=1, offset=1)["results"]] == ["2026-03-16"]


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("limit=0", 422, "limit"),
        ("limit=101", 422, "limit"),
        ("limit=-1", 422, "limit"),
        ("limit=1.5", 422, "limit"),
        ("limit=", 422, "limit"),
        ("limit=%D9%A1", 422, "limit"),
        ("limit=" + "9" * 3000, 422, "limit"),
        ("offset=10001", 422, "offset"),
        ("offset=99999999999999999999", 422, "offset"),
        ("date=yesterday", 422, "date"),
        ("date=2026-02-30", 422, "date"),
        ("date=20260316", 422, "date"),
        ("date=2026-W12-1", 422, "date"),
        ("date=0000-01-01", 422, "date"),
        ("date=", 422, "date"),
        ("q=", 422, "q"),
        ("q=%22open", 422, "q"),
        ("q=%00", 422, "q"),
        ("dat=2026-03-16", 400, "dat"),
        ("limit=1&limit=2", 400, "limit"),
        ("&".join(f"a{number}" for number in range(1100)), 400, None),
    ],
)
def test_a_bad_parameter_is_named(
    client: Client, papers: list[Paper], query: str, status: int, parameter: str | None
) -> None:
    answer = client.get(f"{PAPERS}?{query}")
    assert answer.status_code == status
    assert described(PAPERS, answer).get("parameter") == parameter


def test_a_bad_line_gets_its_place_and_a_mend(client: Client) -> None:
    problem = ask(client, PAPERS, q='agents "open')
    assert (problem["position"], problem["suggestion"]) == (7, 'agents "open"')


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_it_can_only_be_read(method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(PAPERS)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    described(PAPERS, answer)


def test_any_sites_script_may_ask(client: Client, papers: list[Paper]) -> None:
    asked = client.options(PAPERS, headers={"Origin": "https://else.example", "Access-Control-Request-Method": "GET"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked["Access-Control-Allow-Origin"] == "*"
    assert asked["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert client.head(PAPERS).status_code == 200
    answer = client.get(PAPERS)
    assert "Access-Control-Allow-Credentials" not in answer
    assert not answer.cookies


def test_what_is_unchanged_costs_a_304(client: Client, papers: list[Paper]) -> None:
    etag = client.get(PAPERS)["ETag"]
    again = client.get(PAPERS, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["Access-Control-Allow-Origin"]) == (304, b"", "*")
    Paper.objects.update(upvotes=1000)
    assert client.get(PAPERS, headers={"If-None-Match": etag}).status_code == 200


def test_it_knows_nothing_of_readers(client: Client, alice: Subscriber, papers: list[Paper]) -> None:
    for path in (PAPERS, f"{PAPERS}{papers[0].pk}/", EDITIONS):
        text = client.get(path).content.decode()
        assert "alice" not in text and "example.org" not in text and "subscriber" not in text


def test_the_number_of_queries_is_fixed(
    client: Client, store: Callable[..., list[Paper]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for many in (2, 40):
        rows = store(*(listing(f"Diffusion {number} of {many}") for number in range(many)))
        client.get(PAPERS, {"q": "diffusion"})  # this process takes the new papers apart once
        for path, queries in (
            (PAPERS, 2),
            (f"{PAPERS}?date=2026-03-16", 2),
            (f"{PAPERS}?q=diffusion", 2),
            (f"{PAPERS}?q=diffusion&date=2026-03-16", 3),
            (f"{PAPERS}{rows[0].pk}/", 2),
            (EDITIONS, 2),
            (SCHEMA, 0),
            (f"{PAPERS}?limit=x", 0),
        ):
            with django_assert_num_queries(queries):
                client.get(path)


def test_hostile_papers_make_valid_json(client: Client) -> None:
    store_rows(HOSTILE, authors=HOSTILE, categories=HOSTILE, abstract=HOSTILE[0])
    assert sorted(titles(ask(client, PAPERS))) == sorted(HOSTILE)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    answer = as_json({"authors": ["Ada \ud800"]})
    assert json.loads(answer.content.decode("utf-8")) == {"authors": ["Ada ?"]}


def test_the_naughty_strings_as_papers(client: Client, shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "blns" / "blns.json").read_text(encoding="utf-8"))
    store_rows(strings, authors=strings[:20], abstract="; ".join(strings[:50]))
    seen = [title for offset in range(0, 600, 100) for title in titles(ask(client, PAPERS, limit=100, offset=offset))]
    assert sorted(seen) == sorted(strings)


TEXT = st.text(max_size=40) | st.sampled_from(["2026-03-16", "diffusion", '"open', "-survey", "50", "title:a OR (b"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    path=st.sampled_from([PAPERS, EDITIONS, SCHEMA, f"{PAPERS}1/"]),
    query=st.dictionaries(st.sampled_from(["date", "q", "limit", "offset"]) | st.text(max_size=8), TEXT, max_size=4),
)
def test_no_query_makes_it_fail(client: Client, papers: list[Paper], path: str, query: dict[str, str]) -> None:
    encoded = {name.encode("utf-8", "replace"): text.encode("utf-8", "replace") for name, text in query.items()}
    answer = client.get(path, encoded)
    assert answer.status_code in (200, 400, 404, 422)
    described(path if path in DESCRIPTION["paths"] else f"{PAPERS}{{id}}/", answer)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(raw=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60))
def test_no_raw_query_string_makes_it_fail(client: Client, papers: list[Paper], raw: str) -> None:
    assert client.get(PAPERS, QUERY_STRING=raw).status_code in (200, 400, 422)
