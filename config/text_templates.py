"""The template engine of subjects and text parts: no HTML in, and nothing out that HTML would trust."""

from __future__ import annotations

from typing import Any

from django.template.backends.django import DjangoTemplates, Template


class PlainText:
    """A template whose text is a plain `str`.

    Django marks whatever a template makes as safe HTML, also where it escaped nothing: a page that shows the text
    part of a mail would run what a title holds.
    """

    def __init__(self, template: Template) -> None:
        self._template = template

    def render(self, context: dict[str, Any] | None = None, request: Any = None) -> str:
        return str.__str__(self._template.render(context, request))  # a SafeString's own __str__ returns itself

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)


class TextTemplates(DjangoTemplates):
    """Django's templates without escaping."""

    def __init__(self, params: dict[str, Any]) -> None:
        params = params | {"OPTIONS": {**params["OPTIONS"], "autoescape": False}}
        super().__init__(params)

    def from_string(self, template_code: str) -> PlainText:  # type: ignore[override]
        return PlainText(super().from_string(template_code))

    def get_template(self, template_name: str) -> PlainText:  # type: ignore[override]
        return PlainText(super().get_template(template_name))
