"""The API described in OpenAPI 3.1, from its addresses, their operations and the types of their answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from digest.web.api.answers import JSON
from digest.web.api.endpoints import endpoint
from digest.web.api.operations import Operation, Shape, allowed, operation
from digest.web.api.own import MAX_BODY
from digest.web.api.schemas import Problem

INFO = {
    "title": "Paper Round",
    "version": "1.1.0",
    "summary": "Daily lists of research papers, and a subscriber's own subscription.",
    "description": (
        "What the public pages show, for programs, and below `/api/v1/me/` a subscriber's own subscription. The public "
        "part only reads, needs no key and may be asked by any site's script; ask again with `If-None-Match` and an "
        "unchanged answer costs a 304. A subscriber's own part needs the token they make in their preferences, is "
        "never cached, and 300 requests in ten minutes are the most. What is wrong with a request is said as "
        "`application/problem+json` (RFC 9457). Atom feeds of the same papers: /feeds/papers.atom and "
        "/feeds/search.atom?q=LINE."
    ),
}
TOKEN = {"type": "http", "scheme": "bearer", "description": "Made and revoked in the preferences, shown once."}
TEXT = {"schema": {"type": "string"}}
PROBLEMS = {
    400: "A parameter that is not there, or is given twice; a body that is no JSON object.",
    401: "No token, or one that opens nothing: a wrong one, a revoked one, or one of a subscriber who left.",
    404: "No such thing.",
    413: f"The body is longer than {MAX_BODY:,} bytes.",
    415: "The body is of another kind than JSON.",
    422: "A parameter, or a part of the body, whose value cannot be read.",
    429: "Too many searches of this network, or too many requests of this token.",
    503: "Too many searches at once.",
}
RETRY_AFTER = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
HEADERS: dict[int, JSON] = {
    401: {"WWW-Authenticate": TEXT | {"description": "RFC 6750."}},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
ETAG = {"ETag": TEXT | {"description": "Names this answer; send it back in `If-None-Match`."}}
NOT_KEPT = {"Cache-Control": TEXT | {"description": "Nobody keeps such an answer."}}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "description": "The `ETag` of the answer you have."} | TEXT


@endpoint
@operation("getDescription", "description", {"type": "object"})
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document that you are reading."""
    return HttpResponse(text(), content_type="application/json")


@cache
def text() -> bytes:
    """Return the document as it is served."""
    return json.dumps(document(), ensure_ascii=False, indent=1).encode()


def document() -> JSON:
    addresses = dict(_addresses())
    operations = [one for methods in addresses.values() for one in methods.values()]
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "security": [],
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in operations)],
        "paths": {path: _path(path, methods) for path, methods in addresses.items()},
        "components": {
            "schemas": _schemas(operations),
            "responses": {f"Problem{status}": _problem(text, HEADERS.get(status)) for status, text in PROBLEMS.items()},
            "securitySchemes": {"token": TOKEN},
        },
    }


def _addresses() -> Iterator[tuple[str, Mapping[str, Operation]]]:
    for one in get_resolver("digest.urls").url_patterns:
        operations = getattr(one.callback, "operations", None)
        if operations and isinstance(one.pattern, RoutePattern):  # an expression stands for whatever is not there
            yield f"/{one.pattern}".replace("<int:pk>", "{id}"), operations


def _path(path: str, operations: Mapping[str, Operation]) -> JSON:
    allow = {"description": "What the address can do.", "schema": {"type": "string", "const": allowed(operations)}}
    refusal = {"405": _problem("This address does other things.", {"Allow": allow})}
    described = {method.lower(): _operation(path, method, one) for method, one in operations.items()}
    return {method: one | {"responses": one["responses"] | refusal} for method, one in described.items()}


def _operation(path: str, method: str, one: Operation) -> JSON:
    summary, _, description = inspect.cleandoc(one.view.__doc__ or "").partition("\n\n")
    values: JSON = {"operationId": one.name, "tags": [one.tag], "summary": summary.removesuffix(".")}
    if description:
        values["description"] = description.replace("\n", " ")
    if one.tag == "me":
        values["security"] = [{"token": []}]
    if parameters := _parameters(path, one):
        values["parameters"] = parameters
    if one.body:
        values["requestBody"] = _body(method, one.body, one.example)
    return values | {"responses": _responses(path, one)}


def _parameters(path: str, one: Operation) -> list[JSON]:
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    in_path = [number] if "{id}" in path else []
    return in_path + [each.describe() for each in one.parameters] + ([] if one.tag == "me" else [IF_NONE_MATCH])


def _body(method: str, shape: Shape, example: JSON) -> JSON:
    content = {"application/json": {"schema": _reference(shape), "example": example}}
    if method == "PATCH":
        content["application/merge-patch+json"] = {"schema": _reference(shape)}
    return {"required": True, "content": content}


def _responses(path: str, one: Operation) -> JSON:
    is_own = one.tag == "me"
    good = HTTPStatus.OK if one.answer else HTTPStatus.NO_CONTENT
    answer: JSON = {"description": good.phrase, "headers": NOT_KEPT if is_own else ETAG}
    if one.answer:
        answer["content"] = {"application/json": {"schema": _reference(one.answer)}}
    problems = {400} | ({401, 429} if is_own else set()) | ({404} if "{id}" in path else set())
    problems |= ({422} if one.parameters or one.body else set()) | ({413, 415} if one.body else set())
    problems |= {429, 503} if one.is_limited else set()
    same = {} if is_own else {"304": {"description": "What you have is still right."}}
    references = {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(problems)}
    return {str(good.value): answer} | same | references


def _problem(description: str, headers: JSON | None) -> JSON:
    content = {"application/problem+json": {"schema": _reference(Problem)}}
    return {"description": description, **({"headers": headers} if headers else {}), "content": content}


# --- schemas
def _reference(shape: Shape) -> JSON:
    """Types stand among the components, and so do JSON schemas with a title."""
    name = shape.__name__ if isinstance(shape, type) else shape.get("title")
    return {"$ref": f"#/components/schemas/{name}"} if name else cast(JSON, shape)


def _schemas(operations: list[Operation]) -> JSON:
    shapes = [shape for one in operations for shape in (one.answer, one.body) if shape] + [Problem]
    types = [shape for shape in shapes if isinstance(shape, type)]
    titled = {shape["title"]: shape for shape in shapes if isinstance(shape, dict) and "title" in shape}
    found = _schemas_of(types) | titled
    found["Problem"]["properties"]["status"]["enum"] = sorted([*PROBLEMS, 405])
    return found


def _schemas_of(types: list[type]) -> JSON:
    adapters: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]
    adapters = [(one.__name__, "serialization", TypeAdapter(one)) for one in types]
    reference = "#/components/schemas/{model}"
    _, found = TypeAdapter.json_schemas(adapters, schema_generator=_Schemas, ref_template=reference)
    return {name: {key: value for key, value in one.items() if key != "title"} for name, one in found["$defs"].items()}


class _Schemas(GenerateJsonSchema):
    """Pydantic's, without the fields' titles, which repeat their names, and with null as a type beside another."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return inner | {"type": [inner["type"], "null"]}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
