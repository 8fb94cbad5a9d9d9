"""Every text in every language: none missing, none doubtful, none forgotten in a template, none left in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.template import engines
from django.template.base import FilterExpression, Node, Template, Variable
from django.template.base import VariableNode as PrintNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from config.catalogues import LOCALE, catalogues, compiled
from subscriptions.interests.topics import NAMES, topics

ROOT = LOCALE.parent
TEMPLATES = [
    path
    for path in sorted((ROOT / "templates").rglob("*"))
    if path.is_file() and not {"admin", "gallery.html"} & {*path.relative_to(ROOT).parts, path.name}
]
PYTHON = [path for app in ("subscriptions", "digest", "embedded") for path in sorted((ROOT / app).rglob("*.py"))]
MARKS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2}
HELD = re.compile(r"%\((\w+)\)s")
Text = tuple[str, str]  # context, text

by_language = pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.relative_to(LOCALE).parts[0])


def test_each_language_but_english_has_its_texts() -> None:
    assert {path.relative_to(LOCALE).parts[0] for path in catalogues()} == {code for code, _ in settings.LANGUAGES[1:]}


@by_language
def test_no_text_is_missing_or_doubtful(path: Path) -> None:
    texts = polib.pofile(str(path))
    assert not [entry.msgid for entry in texts.untranslated_entries()]
    assert not [entry.msgid for entry in texts.fuzzy_entries()]
    assert not [entry.msgid for entry in texts.obsolete_entries()]


@by_language
def test_what_is_compiled_is_what_was_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(path), "run `make words`"


@by_language
def test_the_catalogue_holds_what_the_source_says_and_nothing_else(path: Path) -> None:
    held = {(entry.msgctxt or "", entry.msgid) for entry in polib.pofile(str(path))}
    marked = set(marked_texts())
    assert not marked - held, "run `make words`, and translate them"
    assert not held - marked, "run `make words`"


@by_language
def test_a_translation_fills_in_the_same_values(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        wanted = set(HELD.findall(entry.msgid + entry.msgid_plural))
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            found = set(HELD.findall(text))
            assert found <= wanted if entry.msgid_plural else found == wanted, entry.msgid


@by_language
def test_a_translation_keeps_the_tags_and_the_signs_of_the_language(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert sorted(re.findall(r"</?\w+", text)) == sorted(re.findall(r"</?\w+", entry.msgid)), entry.msgid
            assert re.findall(r"<code>.*?</code>", text) == [
                code.replace(" to ", " bis ") for code in re.findall(r"<code>.*?</code>", entry.msgid)
            ], entry.msgid


def test_german_is_set_as_german_is() -> None:
    for entry in polib.pofile(str(LOCALE / "de" / "LC_MESSAGES" / "django.po")):
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            said = re.sub(r"<[^>]*>|<code>.*?</code>|\b(?:title|type):?=?\"[^\"]*\"|\"chain of thought\"", "", text)
            assert '"' not in said, text
            assert not re.search(r"”|…\w|\.\.\.", said), text
            assert said.count("„") == said.count("“") or said == "“, „", text
            assert not re.search(r"\b(?:du|dein\w*|dich|dir)\b", said, re.IGNORECASE), text


def test_topics_are_those_of_the_table() -> None:
    assert [topic.name for topic in topics()] == list(NAMES)


# --- what the source marks
def marked_texts() -> Iterator[Text]:
    for path in TEMPLATES:
        yield from of_template(path)
    for path in PYTHON:
        yield from of_module(path)


def of_module(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield "", first.value


def of_template(path: Path) -> Iterator[Text]:
    engine = engines["text" if path.suffix == ".txt" else "html"].engine
    for node in every_node(Template(path.read_text(encoding="utf-8"), engine=engine).nodelist):
        if isinstance(node, TranslateNode) and isinstance(node.filter_expression.var, Variable | str):
            literal = getattr(node.filter_expression.var, "literal", node.filter_expression.var)
            if isinstance(literal, str):
                yield _resolved(node.message_context), literal
        elif isinstance(node, BlockTranslateNode):
            text, _ = node.render_token_list(node.singular)
            yield _resolved(node.message_context), text.strip() if node.trimmed else text
        for expression in expressions(node):
            yield from (("", text) for text in in_filters(expression))


def _resolved(context: FilterExpression | None) -> str:
    return str(context.resolve({})) if context else ""


def every_node(nodes: object) -> Iterator[Node]:
    for node in nodes:
        yield node
        for name in node.child_nodelists:
            yield from every_node(getattr(node, name, None) or [])
        for _, inside in getattr(node, "conditions_nodelists", ()):
            yield from every_node(inside)


def expressions(node: Node) -> Iterator[FilterExpression]:
    if isinstance(node, PrintNode):
        yield node.filter_expression
    yield from getattr(node, "extra_context", {}).values()


def in_filters(expression: FilterExpression) -> Iterator[str]:
    """Texts marked by `_("...")` as a variable or as the argument of a filter."""
    for found in re.finditer(r"""(?:^|:)_\((?:"([^"]*)"|'([^']*)')\)""", expression.token):
        yield found[1] if found[1] is not None else found[2]


# --- what the source forgot to mark
class Visible(HTMLParser):
    """The words a visitor sees or hears: between the tags and in some attributes."""

    HEARD = ("aria-label", "title", "alt", "placeholder")
    NO_WORDS = ("code", "style", "script")  # lines of the language are the same in every language

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside += [tag] if tag in self.NO_WORDS else []
        self.found += [value for name, value in attrs if name in self.HEARD and value]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.append(data)


NAMES_OF_THINGS = {
    "BibTeX",
    "RIS",
    "PDF",
    "arXiv",
    "HTML",
    "interests",
    "diffusion",
    "Aagents",
}  # no words to translate


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_says_nothing_that_is_not_marked(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{% comment.*?endcomment %\}|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\{% blocktranslate.*?endblocktranslate %\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    if path.suffix == ".txt":
        words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\?paper=\S*|&say=\S*", "", text))
    else:
        page = Visible()
        page.feed(text)
        words = re.findall(r"[A-Za-z]{2,}", re.sub(r"&\w+;", " ", " ".join(page.found)))
    assert not set(words) - NAMES_OF_THINGS
