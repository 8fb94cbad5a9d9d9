"""Markup in every field that outsiders can fill, and every page of the site and of the admin opened in a browser.

Nothing may run, no element of it may be in any page or frame, and the policies must be obeyed without a complaint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.contrib import admin
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, TimeoutError

from tests.injected import ADDRESS, ELEMENTS, LINES, MARKUP, SHORT
from tests.stack import Stack, answers, free_port, wait_until
from tests.ten_days import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FIELD = "Your interests, one a line"
FOUND = """() => {
  const bad = [...document.querySelectorAll(".injected, [data-injected], [onerror], [onload], [onfocus], base")]
    .filter(one => !(one.tagName === "BASE" && one.outerHTML === '<base target="_blank">'));
  const links = [...document.querySelectorAll("[href], [src], [action], [formaction]")].filter(one =>
    ["href", "src", "action", "formaction"].some(name =>
      /^\\s*(javascript|data):/i.test(one.getAttribute(name) || "")));
  const metas = [...document.querySelectorAll("meta[http-equiv]")];
  return {ran: window.ran === undefined ? null : String(window.ran),
          elements: [...bad, ...links, ...metas].map(one => one.outerHTML.slice(0, 200))};
}"""
# Pages that a browser does not show as a page of ours, each with the reason.
NO_PAGES = {
    "favicon.ico": "leads to the icon",
    "healthz": "JSON",
    "metrics": "text for a machine",
    "webhooks/mandrill/": "answers a provider, on POST",
    "webhooks/<slug:slug>/tracking/": "answers a provider, on POST",
    "preferences/<str:token>/pause/": "leads back to the preferences, on POST",
    "preferences/<str:token>/void/": "leads to the form that mails a link, on POST",
    "admin/subscriptions/subscriber/<int:pk>/resend-confirmation/": "leads back to the subscriber, on POST",
    "admin/mail/<slug:action>/": "leads back to the dashboard, on POST",
    "admin/logout/": "leads to the log-in, on POST",
    "admin/jsi18n/": "a script",
    "admin/autocomplete/": "JSON",
    "admin/r/<path:content_type_id>/<path:object_id>/": "leads to the object",
    "admin/(?P<url>.*)$": "leads to the same address with a slash",
}


def is_ours(url: str) -> bool:
    return urlsplit(url).scheme not in ("http", "https") or urlsplit(url).hostname == "127.0.0.1"


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every address of the URLconf, as `resolve(...).route` writes it."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + (str(pattern.pattern).removeprefix("^") if before else str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route


@dataclass
class Visit:
    """A browser that walks through the service, and what it met."""

    stack: Stack
    page: Page
    given: dict[str, Any]
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", lambda dialog: (self._fault(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self._fault(f"error {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _fault(self, said: str) -> None:
        self.faults.append(f"{self.page.url}: {said}"[:400])

    def _console(self, message: ConsoleMessage) -> None:
        # A browser says so of each page that is an error by its status.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self._fault(f"console {message.text}")

    def _request(self, request: Request) -> None:
        if not is_ours(request.url):
            self._fault(f"request {request.url}")
        self.note(urlsplit(request.url).path or "/")

    def note(self, path: str) -> None:
        with suppress(Resolver404):
            self.seen.add(resolve(path).route)

    def go(self, path: str) -> None:
        """Open a page and look at it."""
        url = path if "://" in path else self.stack.url + path
        answer = self.page.goto(url)
        assert answer is not None and answer.status < 500, url
        self.look(url)

    def look(self, asked: str = "") -> None:
        """Nothing ran, nothing was let in, and no frame took the page elsewhere."""
        with suppress(TimeoutError):
            self.page.wait_for_load_state("networkidle", timeout=5_000)
        found = self.page.evaluate(FOUND)
        if found["ran"] is not None or found["elements"]:
            self._fault(str(found))
        # What frames hold is opened by itself, or looked at by `check_mail`: they let nobody run a script, us neither.
        self.faults += [f"a frame went to {one.url}" for one in self.page.frames if not is_ours(one.url)]
        if asked and urlsplit(self.page.url).netloc != urlsplit(asked).netloc:
            self._fault(f"went from {asked}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.look()

    def keep(self, path: str, **more: Any) -> None:
        """Fetch what is no page."""
        url = path if "://" in path else self.stack.url + path
        self.note(urlsplit(url).path)
        answer = self.page.request.get(url, **more)
        kind = answer.headers["content-type"]
        if "html" in kind or answer.headers.get("x-content-type-options") != "nosniff":
            self.faults.append(f"{url} is {kind}, and could be taken for a page")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("injection")) as running:
        yield running


@pytest.fixture(scope="module")
def given(stack: Stack) -> dict[str, Any]:
    return json.loads(stack.shell("from tests import injected; injected.fill()").strip().splitlines()[-1])


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The addresses that the tests of this module opened."""
    return set()


@pytest.fixture
def visit(stack: Stack, given: dict[str, Any], browser: Browser, seen: set[str]) -> Iterator[Visit]:
    context = browser.new_context()
    found = Visit(stack, context.new_page(), given, seen)
    yield found
    context.close()
    assert not found.faults, "\n".join(dict.fromkeys(found.faults))


def test_public_pages(visit: Visit) -> None:
    typed = quote(MARKUP)
    for path in (
        "/", "/papers/", visit.given["day"], visit.given["week"], visit.given["month"], "/papers/2001-01-01/",
        visit.given["paper"], visit.given["paper without address"], "/search", f"/search?q={typed}",
        f"/search?q=diffusion&lang={quote(SHORT)}", f"/search?q={quote(LINES[0])}",
        f"/search?q=%22{quote(ELEMENTS[0])}%22",
        "/help/interests/", "/subscribe/", f"/subscribe/?interests={typed}&email={typed}&page={typed}",
        f"/subscribe/embed/?interests={typed}", "/subscribe/check-your-inbox/", "/preferences/", "/preferences/sent/",
        f"/nothing/{quote(SHORT, safe='')}/", f"/?x={typed}", "/feeds/papers.atom", "/feeds/search.atom?q=diffusion",
        f"/feeds/search.atom?q={typed}", "/api/v1/", "/api/v1/papers/", f"/api/v1/papers/?q={typed}",
        f"/api/v1/papers/?{typed}={typed}", f"/api/{quote(SHORT, safe='')}/",
        "/api/v1/editions/", "/api/v1/openapi.json",
        visit.given["paper"].replace("/paper/", "/api/v1/papers/"), "/api/v1/me/", "/api/v1/me/digests/",
        "/api/v1/me/saved/", "/api/v1/me/feedback/", f"/admin/login/?next={typed}",
    ):  # fmt: skip
        visit.go(path)
    for name in ("cite.bib", "cite.ris"):
        visit.keep(visit.given["paper"] + name)


def test_forms_that_come_back_with_what_was_typed(visit: Visit) -> None:
    page = visit.page
    visit.go("/subscribe/")
    page.get_by_label(FIELD).fill("\n".join((*LINES[:3], MARKUP, "(agents OR")))
    page.locator(".line-error").first.wait_for()
    visit.look()
    page.get_by_label("E-mail address").fill(SHORT)
    visit.press("Show me my papers")
    page.get_by_label(FIELD).fill("\n".join(LINES))
    visit.press("Show me my papers")
    page.get_by_label("E-mail address").fill("hopper@example.org")
    visit.press("See the whole mail")
    check_mail(str(page.locator("iframe").get_attribute("srcdoc")))
    assert page.locator("iframe").get_attribute("sandbox") == ""
    assert "onerror" in page.locator("pre").text_content(), "the text part shows what was typed"
    visit.go("/subscribe/")
    page.get_by_text("Paste an abstract, BibTeX or arXiv ids", exact=True).click()
    bibtex = f"@misc{{a, title={{{ELEMENTS[0]}}}, author={{{ELEMENTS[3]}}}}}"
    page.get_by_label("What you read or wrote").fill(f"{bibtex}\n{MARKUP} diffusion models of weather maps")
    visit.press("Propose lines")
    visit.go("/preferences/")
    page.get_by_label("E-mail address").fill(SHORT)
    visit.press("E-mail me my link")


def test_the_pages_of_a_reader(visit: Visit) -> None:
    page, preferences, typed = visit.page, visit.given["access"], quote(MARKUP)
    for path in (
        visit.given["preferences"], preferences, preferences + "said/",
        preferences + "why/", f"{preferences}why/?paper={typed}", f"{preferences}why/?paper={quote(ADDRESS)}",
        preferences + "saved/", preferences + "erase/", preferences + "secrets/", visit.given["web copy"],
        visit.given["feedback"], visit.given["feedback noted"], visit.given["mute"], visit.given["emailed"],
        visit.given["stranger confirm"], visit.given["stranger unsubscribe"], visit.given["unsubscribe"],
        f"/confirm/{quote(SHORT, safe='')}/", f"/digest/{quote(SHORT, safe='')}/",
    ):  # fmt: skip
        visit.go(path)
    page.goto(preferences)
    page.get_by_label(FIELD).fill("\n".join((*LINES, MARKUP)))
    visit.press("Save")
    page.locator("summary", has_text="Propose lines").click()
    visit.press("From what my lines find")
    visit.go(visit.given["mute"])
    page.locator("main form button").first.click()
    visit.look()
    visit.go(preferences + "secrets/")
    visit.press("Make a feed address")
    visit.go(str(page.locator("code", has_text="/feeds/mine/").text_content()))
    for name in ("saved.bib", "saved.ris", "data.json"):
        visit.keep(preferences + name)


def test_the_mailbox_and_the_mails(visit: Visit) -> None:
    page = visit.page
    visit.go("/mailbox/")
    names = [str(link.get_attribute("href")) for link in page.locator("main td a").all()]
    for name in names:
        visit.go(name)
        assert page.locator("iframe").get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
        visit.go(name + "html")
        policy = page.request.get(visit.stack.url + name + "html").headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy and "frame-ancestors 'self'" in policy
        visit.keep(name + "source")
    mails = visit.stack.mails()
    assert any("mallory" in str(mail["To"]) and "Diffusion" in str(mail) for mail in mails)
    for mail in mails:
        body = mail.get_body(("html",))
        assert body is not None
        check_mail(body.get_content())
        assert not any(ord(sign) < 32 for sign in str(mail["Subject"]))


def test_every_mail_of_the_gallery(visit: Visit) -> None:
    port = free_port()
    visit.stack.env["DEBUG"] = "1"
    server = visit.stack.start("-m", "gunicorn", "config.wsgi", "-b", f"127.0.0.1:{port}", "--no-control-socket")
    wait_until(lambda: answers(port), "a server with DEBUG")
    try:
        visit.go(f"http://127.0.0.1:{port}/gallery/")
        read = "frames => frames.map(one => [one.getAttribute('sandbox'), one.getAttribute('srcdoc')])"
        frames = visit.page.locator("iframe").evaluate_all(read)
        assert len(frames) > 20 and all(sandbox == "" for sandbox, _ in frames)
        for _, html in frames:
            check_mail(html)
    finally:
        visit.stack.env["DEBUG"] = "0"
        server.terminate()


def log_in(visit: Visit) -> None:
    visit.page.goto(f"{visit.stack.url}/admin/")
    visit.page.locator("#id_username").fill("admin")
    visit.page.locator("#id_password").fill(PASSWORD)
    visit.page.locator("#id_password").press("Enter")
    visit.page.get_by_text("Last 24 hours").first.wait_for()
    visit.look()


def admin_pages(rows: dict[str, str]) -> Iterator[str]:
    """Each page of each model, the list also searched."""
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield f"{reverse(f'{name}_changelist')}?q={quote(MARKUP)}"
        yield reverse(f"{name}_add")
        if pk := rows.get(model._meta.label_lower):
            for page in ("change", "history", "delete"):
                yield reverse(f"{name}_{page}", args=[pk])
            yield reverse(f"{name}_change", args=[pk]).removesuffix("change/")


def test_the_admin(visit: Visit) -> None:
    log_in(visit)
    given = visit.given
    for path in (
        "/admin/", *admin_pages(given["admin"]), "/admin/password_change/", "/admin/password_change/done/",
        f"/admin/subscriptions/subscriber/{given['stranger']}/next-mail/",
        f"/admin/subscriptions/subscriber/{given['mallory']}/next-mail/",
        f"/admin/digest/source/add/?address={quote(MARKUP)}", "/admin/search/?s=diffusion",
        f"/admin/search/?s={quote(SHORT)}",
        "/admin/second-factor/", "/admin/second-factor/set-up/", "/admin/second-factor/turn-off/",
        "/admin/auth/", "/admin/digest/", "/admin/auth/user/1/password/",
        f"/admin/digest/paper/{quote(SHORT, safe='')}/change/",
        f"/admin/subscriptions/subscriber/{given['stranger']}/next-mail/html/",
    ):  # fmt: skip
        visit.go(path)
    visit.keep(f"/admin/digest/keptpage/{given['admin']['digest.keptpage']}/raw/")
    visit.go(f"/admin/subscriptions/subscriber/{given['stranger']}/next-mail/")
    assert "onerror" in visit.page.locator("pre").first.inner_text(), "the text part shows what was typed"
    visit.page.goto(f"{visit.stack.url}/admin/digest/source/add/")
    visit.page.locator("#id_address").fill(f"http://127.0.0.1/{SHORT}")
    visit.page.locator("#id_address").press("Enter")
    visit.look()
    visit.page.goto(f"{visit.stack.url}/admin/")
    visit.page.locator("#test-address").evaluate("(field, text) => { field.type = 'text'; field.value = text }", SHORT)
    visit.press("Send a test mail")
    visit.go("/admin/subscriptions/subscriber/import/")
    addresses = (MARKUP, "new@example.org", "late@example.org")
    rows = "\n".join((f"email,interests,{MARKUP}", *(f"{address},{MARKUP},{MARKUP}" for address in addresses)))
    sheet = {"name": f"{SHORT}.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    visit.page.locator("input[type=file]").set_input_files(sheet)
    visit.press("Check the file")
    assert "onerror" in visit.page.locator("main, body").first.inner_text(), "the rows show what the file holds"


def test_the_admin_works_under_its_policy(visit: Visit) -> None:
    log_in(visit)
    page = visit.page
    page.goto(f"{visit.stack.url}/admin/subscriptions/subscriber/")
    page.locator('[x-on\\:click="filterOpen = true"]').first.click()
    page.locator("#changelist-filter, #filter-form").first.wait_for(state="visible")
    page.locator("#changelist-filter a[href*='status__exact=pending']").click()
    page.wait_for_url("**status__exact=pending**")
    page.goto(f"{visit.stack.url}/admin/")
    menu = page.locator("[x-show=openUserLinks]")
    assert not menu.is_visible()
    page.locator('[x-on\\:click="openUserLinks = !openUserLinks"]').click()
    menu.wait_for(state="visible")
    page.locator("[x-on\\:click=\"switchTheme('dark')\"]").click()
    assert page.locator("html.dark").count() == 1
    toggle = page.locator('[x-on\\:click^="sidebarDesktopOpen = !sidebarDesktopOpen"]')
    toggle.click()
    assert page.evaluate("localStorage.getItem('sidebarDesktopOpen')") == "0"
    page.goto(f"{visit.stack.url}/admin/subscriptions/subscriber/{visit.given['stranger']}/change/")
    page.locator("#id_hour").fill("9")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    visit.look()
    page.goto(f"{visit.stack.url}/admin/digest/source/")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("check_now")
    page.get_by_role("button", name=re.compile("Run|Go")).first.click()
    page.get_by_text("will be checked at the next look").wait_for()
    visit.look()


def test_no_page_was_left_out(visit: Visit, seen: set[str]) -> None:
    missed = {route for route in routes() if route not in seen and route not in NO_PAGES}
    assert sorted(missed) == [], "open these in one of the tests above, or say in NO_PAGES why there is nothing to see"


def check_mail(html: str) -> None:
    """The HTML part has no element of theirs, and each link leads to the web."""
    soup = BeautifulSoup(html, "lxml")
    assert not soup.select(".injected, [data-injected], script, img, svg, iframe, base, form, [http-equiv]")
    assert not [tag for tag in soup.find_all(True) if any(name.startswith(("on", "x-", "hx-")) for name in tag.attrs)]
    assert all(str(link["href"]).startswith(("http://", "https://", "#")) for link in soup.select("[href]"))
