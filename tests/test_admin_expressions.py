"""The interpreter that evaluates Alpine's attributes in the admin, under the admin's Content-Security-Policy."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route

from config.content_policy import ADMIN

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parent.parent / "static"
UNFOLD = Path(str(files("unfold")))
ORIGIN = "http://admin.invalid"
PLUGINS = ("alpine.anchor.js", "alpine.persist.js", "alpine.sort.js", "alpine.resize.js")
SCRIPTS = ("admin-expressions.js", "admin-alpine.js", "app.js", *PLUGINS, "alpine.js")

# --- what Unfold's templates hold ---------------------------------------------------------------------
TAG = r"\{%.*?%\}|\{\{.*?\}\}"
ATTRIBUTE = re.compile(rf"""(?<![\w-])((?:x-[a-z]|@[a-z]|:[a-z])[\w:.-]*)=(["'])((?:{TAG}|(?!\2).)*)\2""", re.DOTALL)
CONDITION = re.compile(
    r"\{% if .*?%\}((?:(?!\{% if ).)*?)(?:\{% else %\}((?:(?!\{% if ).)*?))?\{% endif %\}", re.DOTALL
)
# Alpine takes these as plain text, or as nothing.
NO_EXPRESSIONS = ("x-ref", "x-teleport", "x-cloak", "x-transition", "x-sort:handle")
# What static/admin-alpine.js allows, and the fields of the data that Unfold's own scripts make.
METHODS = {"blur", "getItem", "includes", "setItem", "toLowerCase"}
MEMBERS = {
    "ctrlKey",
    "hash",
    "href",
    "length",
    "location",
    "metaKey",
    "pathname",
    "search",
    "tagName",
    "target",
    "value",
}
FIELDS = {"description", "favorite", "link", "title"}
MAGIC = {"$dispatch", "$el", "$event", "$refs", "$watch", "$width"}
FUNCTIONS = {"theme", "searchForm", "searchDropdown", "searchCommand", "getCurrentTab"}  # GLOBALS, and their methods:
FUNCTIONS |= {"applyShortcut", "handleContentLoaded", "handleEscape", "handleOpen", "handleOutsideClick"}
FUNCTIONS |= {
    "handleShortcut",
    "nextItem",
    "prevItem",
    "removeFromHistory",
    "selectItem",
    "switchTheme",
    "toggleFavorite",
}


def branches(value: str) -> list[str]:
    """Every expression that an attribute of a template can become."""
    if found := CONDITION.search(value):
        texts = (value[: found.start()] + (branch or "") + value[found.end() :] for branch in found.groups())
        return [one for text in texts for one in branches(text)]
    return [re.sub(TAG, "1", value, flags=re.DOTALL)]


def expressions() -> list[tuple[str, str, str]]:
    """File, attribute and expression, of all templates of Unfold itself (its contrib apps are not installed)."""
    found = []
    for path in chain((UNFOLD / "templates").rglob("*.html"), (UNFOLD / "templatetags").rglob("*.py")):
        for name, _quote, value in ATTRIBUTE.findall(path.read_text()):
            if not name.startswith(NO_EXPRESSIONS):
                value = value.partition(" in ")[2] if name == "x-for" else value
                found += [(str(path.relative_to(UNFOLD)), name, one) for one in branches(html.unescape(value))]
    return found


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of the admin's kind, empty but for its scripts."""
    context = browser.new_context()
    context.route(f"{ORIGIN}/**", answer)
    page = context.new_page()
    page.add_init_script("window.said = []; console.error = text => said.push(String(text))")
    yield page
    context.close()


def answer(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    if name in SCRIPTS:
        unfold = UNFOLD / "static" / "unfold" / "js"
        own, theirs = STATIC / name, unfold / ("" if name == "app.js" else "alpine") / name
        return route.fulfill(path=own if name.startswith("admin-") else theirs, content_type="text/javascript")
    tags = "".join(f'<script src="/{one}" defer></script>' for one in SCRIPTS)
    policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in ADMIN.items())
    body = '<input type=hidden name=csrfmiddlewaretoken value=secret><div id=here x-data="{ open: false }"></div>'
    return route.fulfill(
        body=f"<!doctype html><html><head>{tags}</head><body>{body}</body></html>",
        content_type="text/html", headers={"Content-Security-Policy": policy},
    )  # fmt: skip


def put(page: Page, markup: str) -> None:
    # Later, since Chromium lets whatever the debugger runs evaluate text, in spite of the policy.
    page.evaluate("text => { setTimeout(() => { here.innerHTML = text }) }", markup)
    page.wait_for_timeout(50)


def insert(page: Page, markup: str) -> list[str]:
    """Put markup into a fresh page, and return what was logged."""
    page.goto(f"{ORIGIN}/")
    put(page, markup)
    return list(page.evaluate("said"))


def shown(page: Page, expression: str, data: str = "{ n: 2, list: ['a', 'b'], open: true }") -> Any:
    said = insert(page, f'<p x-data="{data}"><b x-text="{html.escape(expression)}"></b></p>')
    assert said == []
    return page.locator("#here b").text_content()


def test_every_expression_of_unfold_is_understood(page: Page) -> None:
    page.goto(f"{ORIGIN}/")
    found = expressions()
    assert len(found) > 150
    refused = page.evaluate(
        """all => all.flatMap(([file, name, text]) => {
            try { readExpression(text); return [] } catch (error) { return [[file, name, text, error.message]] }
        })""",
        found,
    )
    assert refused == [], "teach static/admin-expressions.js to read them"


def test_every_name_in_them_is_allowed() -> None:
    """An update of Unfold that uses more is noticed here."""
    for file, name, text in expressions():
        code = re.sub(r"'[^']*'", "''", text)
        methods, members = set(re.findall(r"\.(\w+)\(", code)), set(re.findall(r"\.(\w+)\b(?!\()", code))
        refs = set(re.findall(r"\$refs\.(\w+)", code))
        functions = set(re.findall(r"(?<![\w.$])(\w+)\(", code)) - {"if"}
        unknown = (methods - METHODS, members - MEMBERS - FIELDS - refs, functions - FUNCTIONS)
        magic = set(re.findall(r"\$\w+", code)) - MAGIC
        assert not any((*unknown, magic)), f"{file}: {name}={text!r} needs {unknown} {magic} of static/admin-alpine.js"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + n + 'x'", "3x"), ("'' + (n > 1 && n <= 2)", "true"), ("n === '2' ? 'same' : 'other'", "other"),
        ("n == '2' ? 'same' : 'other'", "same"), ("!open || 'open'", "open"), ("!!open + ''", "true"),
        ("open && n != 2 || 'third'", "third"), ("1 < 2 === true ? 'binds' : 'no'", "binds"),
        ("open ? n === 2 ? 'both' : 'one' : 'none'", "both"), ("list[1] + list.length", "b2"),
        ("['h3', 'b'].includes(list[1]) + ''", "true"), ("'It\\'s'", "It's"), ("{ 'a-b': { c: n } }['a-b'].c", "2"),
        ("undefined === null ? 1 : 2", "2"), ("n = 5; n + 1", "6"), ("open = n = 7; open", "7"),
    ],
)  # fmt: skip
def test_an_expression_means_what_it_means_in_javascript(page: Page, expression: str, expected: str) -> None:
    assert shown(page, expression) == expected


def test_statements_and_arrow_functions(page: Page) -> None:
    text = "if (n > 5) { n = 1 } else { n = 3; open = false } $watch('list', value => n = value.length)"
    shown = '<b x-text="n"></b><i x-show="open">i</i><u x-on:click="list = [1, 1, 1, 1]">u</u>'
    said = insert(page, f'<p x-data="{{ n: 2, list: [], open: true }}" x-init="{text}">{shown}</p>')
    assert said == []
    assert page.locator("#here b").text_content() == "3" and not page.locator("#here i").is_visible()
    page.locator("#here u").click()
    page.wait_for_function("document.querySelector('#here b').textContent === '4'")


HARMFUL = (
    "ran = window.alert(1)", "alert(1)", "window.ran = 1", "document.title = 'ran'", "self.ran = 1", "top.ran = 1",
    "globalThis.ran = 1", "eval('window.ran = 1')", "Function('window.ran = 1')()", "fetch('/')",
    "location.href = '/x'",
    "''.constructor.constructor('window.ran = 1')()", "[]['constructor']", "[].constructor", "{}['__proto__']",
    "open['con' + 'structor']", "theme['con' + 'structor']('window.ran = 1')()", "list['__pro' + 'to__'].ran = 1",
    "{ __proto__: 1 }", "{ 'constructor': 1 }", "constructor = 1", "__proto__ = 1", "list[0] = 1", "list.push(1)",
    "$el.ownerDocument.title = 'ran'", "$el.innerHTML = 'ran'", "$el.parentElement.remove()", "$el.click()",
    "$el['remove']()", "$el.closest('body').remove()", "$refs.own.ownerDocument", "$refs['constructor']",
    "$refs['__proto' + '__']", "$refs.own.form.submit()", "$root.remove()", "$data.open", "$store", "$nextTick()",
    "$persist(1)", "theme().adminTheme.initialize({}, 'constructor.prototype.ran', 1)", "theme().adminTheme",
    "theme().switchTheme", "$dispatch('submit')", "$dispatch('htmx:confirm', 1)", "$el = 1", "localStorage = 1",
    "localStorage.setItem('commandHistory', '{')", "localStorage.getItem('adminTheme')", "localStorage.clear()",
    "localStorage['sidebarDesktopOpen']", "window.location.href = 'https://evil.invalid/'",
    "window.location.href = 'javascript:ran=1'", "window.location.assign('/x')", "window.location = '/x'",
    "theme.prototype", "theme.call(1)", "sortRecords.apply(1)", "(value => 1)(1)", "[value => 1]",
    "{ method: value => 1 }", "{ method() {} }", "() => 1", "new Date()", "import('/x.js')", "function f() {}",
    "`${open}`", "this.open", "let a = 1", "while (1) {}", "a => b", "open++", "open += 1", "delete open", "1 = 2",
    "open.toString()", "toString()", "valueOf()", "hasOwnProperty('open')", "...list", "x?.y", "// comment", "a b",
)  # fmt: skip
STATE = """() => ({
  ran: [window.ran, {}.ran, Object.prototype.hasOwnProperty("ran")], title: document.title, url: location.href,
  stored: {...localStorage, adminTheme: ""}, own: !!document.getElementById("own"),
  open: document.querySelector("q").textContent,
})"""


@pytest.mark.parametrize("expression", HARMFUL)
def test_a_smuggled_attribute_reaches_nothing(page: Page, expression: str) -> None:
    markup = '<p x-data="{ open: true, list: [1] }"><q x-text="open"></q><input id=own x-ref=own>%s</p>'
    insert(page, markup % "")
    before = page.evaluate(STATE)
    said = insert(page, markup % f'<b x-init="{html.escape(expression)}"></b>')
    assert page.evaluate(STATE) == before
    assert len(said) == 1 and said[0].startswith(f'In "{expression}"'), said


@pytest.mark.parametrize(
    "markup",
    [
        "<i x-data='theme().adminTheme' x-init=\"initialize({}, 'constructor.prototype.ran', 1)\"></i>",
        "<template x-for='v in theme()'><i x-data=v x-init=\"initialize({}, 'constructor.ran', 1)\"></i></template>",
        "<i x-data='searchCommand()' x-init=\"addToHistory({ link: '//evil.invalid/' })\"></i>",
        "<i x-data='searchCommand()' x-init=addToHistory></i>",
        '<i x-bind:onclick="\'window.ran = 1\'" x-init="$el.click()"></i>',
        "<i x-html=\"'<img src=x onerror=ran=1>'\"></i>",
        '<form x-data="{}"><input x-ref=a><i x-init="$refs.a.form.submit()"></i></form>',
    ],
)
def test_a_smuggled_component_reaches_nothing(page: Page, markup: str) -> None:
    said = insert(page, markup)
    assert page.evaluate("[window.ran, {}.ran, localStorage.commandHistory]") == [None, None, None]
    assert said or "x-html" in markup, "nothing was refused"
    assert page.url == f"{ORIGIN}/"


def test_a_link_to_a_page_of_a_list_keeps_the_tab(page: Page) -> None:
    text = "window.location.href = $el.href + window.location.hash"  # of unfold.templatetags.unfold_list
    page.goto(f"{ORIGIN}/#general")
    put(page, f'<a href="?p=2" x-on:click.prevent="{text}">2</a>')
    page.locator("#here a").click()
    page.wait_for_url(f"{ORIGIN}/?p=2#general")


def test_the_tabs_of_a_form(page: Page) -> None:
    tabs = [{"title": name, "inline": name, "has_permission": True} for name in ("lines", "consents")]
    items = render_to_string("unfold/helpers/tab_items.html", {"tabs_list": tabs})
    insert(page, f"<main x-data=\"{{ activeTab: 'lines' }}\">{items}<p x-show=\"activeTab == 'consents'\">p</p></main>")
    assert not page.locator("#here p").is_visible()
    page.locator("#tabs-items a", has_text="consents").click()
    page.locator("#here p").wait_for(state="visible")
    assert page.locator("#tabs-items a.active").inner_text() == "consents"
    assert page.evaluate("said") == []


def test_the_menu_beside_a_related_object(page: Page) -> None:
    context = {"name": "source", "rendered_widget": "<input>", "can_add_related": True, "add_related_url": "/add"}
    said = insert(
        page, f"<main x-data>{render_to_string('unfold/widgets/related_widget_wrapper.html', context)}</main>"
    )
    menu = page.locator("#related-widget-wrapper-source")
    assert said == [] and not menu.is_visible()
    page.locator("[x-ref=relatedWidgetWrappersource]").click()
    menu.wait_for(state="visible")
    assert menu.evaluate("menu => menu.style.position") == "absolute", "x-anchor found its $refs"
    page.mouse.click(600, 500)
    menu.wait_for(state="hidden")


def test_rows_that_are_sorted_and_sizes_that_are_watched(page: Page) -> None:
    config = "{preventOnFilter: false, filter: '.template', onMove: moveRecords, onEnd: sortRecords}"
    ordering = 'data-ordering-field="weight"'
    rows = f'<ul x-sort x-sort:config="{config}" x-on:end="sortRecords" {ordering}></ul>'
    width = 'x-data="{ width: 0 }" x-resize="width = $width"'
    said = insert(page, f'<main {width}><b x-text="width > 0"></b>{rows}</main>')
    page.locator("#here b", has_text="true").wait_for()
    row = '<li class="form-group original"><input name="row-weight" value="7"></li>'
    page.locator("#here ul").evaluate(
        "(list, row) => { list.innerHTML = row; list.dispatchEvent(Object.assign(new Event('end'), {from: list})) }",
        row,
    )
    assert page.locator("#here li input").input_value() == "0"
    assert said == [] and page.evaluate("said") == []


def test_passwords_and_tokens_are_not_read(page: Page) -> None:
    said = insert(page, '<p x-data="{ typed: 0 }"><input type=password x-on:input="typed = $event.target.value">'
                        '<b x-text="typed"></b></p>')  # fmt: skip
    page.locator("#here input").press_sequentially("a")
    assert page.locator("#here b").text_content() == "0"
    assert said == [] and "value" in json.dumps(page.evaluate("said"))
