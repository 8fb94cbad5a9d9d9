"""What one method of an address does: the view, and what the description says of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from digest.web.api.answers import JSON
from digest.web.api.parameters import Parameter

View = Callable[..., HttpResponse]
Shape = type | JSON  # a type of schemas.py, or a JSON schema


@dataclass(frozen=True, slots=True)
class Operation:
    """A view. The first line of its docstring is the summary, the rest the description."""

    view: View
    name: str  # `operationId`, by which clients are generated
    tag: str
    answer: Shape | None  # None: no content
    parameters: tuple[Parameter, ...]
    body: Shape | None
    example: JSON
    is_limited: bool

    def __call__(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.view(*args, **kwargs)


def operation(
    name: str, tag: str, answer: Shape | None, *parameters: Parameter,
    body: Shape | None = None, example: JSON | None = None, is_limited: bool = False,
) -> Callable[[View], Operation]:  # fmt: skip
    """Describe a view beside its code. `is_limited`: it may answer 429 or 503."""

    def decorate(view: View) -> Operation:
        return Operation(view, name, tag, answer, parameters, body, example or {}, is_limited)

    return decorate


def with_operations(view: View, operations: Mapping[str, Operation]) -> View:
    """Let the description find what an address does, by method."""
    view.operations = operations  # type: ignore[attr-defined]
    return view


def allowed(methods: Collection[str]) -> str:
    """Return what an address answers, as the header `Allow` says it."""
    head = ["HEAD"] if "GET" in methods else []
    return ", ".join(sorted([*methods, *head, "OPTIONS"]))
