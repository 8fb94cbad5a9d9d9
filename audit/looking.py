"""One walk with a browser through all pages and mails: what axe-core, the console and the network say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Request, Response, sync_playwright

from audit.mailing import Faults
from audit.tools import browser, npm
from tests.stack import QUIET
from tests.tour import Tour

SIZES = {"desktop": (1280, 900), "phone": (375, 812)}
SCHEMES = ("light", "dark")
# All of axe's rules, those it leaves off unless asked for too. Frames hold mails, which are looked at themselves.
ASK = "() => axe.run(document, {iframes: false, resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})"
# Django and django-unfold make the admin's pages; strangers meet its login, whose markup is for a script of Alpine.
ADMIN = {"admin", "next mail", "add source", "add source error"}
# An answer of 404 or 422 is what some pages are; htmx says the others when a newer question replaces one.
NO_COMPLAINT = ("responded with a status of 4", "htmx:sendAbort", "htmx:afterRequest")
NOT_OUR_MARKUP = ADMIN | {"admin login"}


@dataclass
class Walk:
    """What was found by name of page or mail, and the documents as they were served."""

    accessibility: Faults = field(default_factory=dict)
    policy: Faults = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)


@dataclass
class _Ear:
    """Listens to a page: who was asked, what the console said, which document came last."""

    home: str
    said: list[str] = field(default_factory=list)
    document: Response | None = None

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in NO_COMPLAINT):
            self.said.append(f"console: {message.text[:200]}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.home}/", "file:", "data:", "about:")):
            self.said.append(f"asks another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self.document = response

    def heard(self) -> list[str]:
        """What there is to complain about since the last stop."""
        said, self.said = sorted(set(self.said)), []
        return said


def walk(tour: Tour, mails: list[Path]) -> Walk:
    """Stop at everything in two sizes and two schemes. Raises Lacking."""
    axe = (npm("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    found, ear = Walk(), _Ear(tour.stack.url)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=QUIET)
        page = chromium.new_page()
        ear.listen(page)
        _settle(page, "desktop", "light")
        for name in _everything(tour, mails, page):
            page.wait_for_load_state("networkidle")
            found.policy[name] = ear.heard()
            if name not in NOT_OUR_MARKUP:
                found.documents[name] = _served(page, ear)
            if name not in ADMIN:
                found.accessibility[name] = list(_axe(page, axe))
            ear.document = None
        chromium.close()
    return found


def _everything(tour: Tour, mails: list[Path], page: Page) -> Iterator[str]:
    yield from tour.stops(page)
    for path in mails:
        page.goto(path.as_uri())
        yield f"mail {path.stem}"


def _served(page: Page, ear: _Ear) -> str:
    """The source as it came; what the script made of it where the stop is no new document."""
    if page.url.startswith("file:"):
        return Path(page.url.removeprefix("file://")).read_text(encoding="utf-8")
    return ear.document.text() if ear.document else page.content()


def _axe(page: Page, axe: str) -> Iterator[str]:
    """Each violation once, with the sizes and schemes that show it."""
    page.evaluate(axe)
    seen: dict[str, list[str]] = {}
    for size in SIZES:
        for scheme in SCHEMES:
            _settle(page, size, scheme)
            for violation in page.evaluate(ASK)["violations"]:
                for node in violation["nodes"]:
                    at, why = " ".join(map(str, node["target"])), node["failureSummary"].splitlines()[-1].strip()
                    seen.setdefault(f"{violation['id']}: {at}: {why}", []).append(f"{size} {scheme}")
    _settle(page, "desktop", "light")
    for fault, where in seen.items():
        yield f"{fault} ({', '.join(where)})"


def _settle(page: Page, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
