"""Through every page and mail of the running service, in each of their states.

Whoever looks (`test_screenshots.py`, `make audit`) takes the page as it stands at each stop, and may change its size
and colours, not where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.stack import Stack

LINES = ("diffusion", '"chain of thought" OR reasoning', "(image OR video) generation", "-survey")
FIELD = "Your interests, one a line"
WRONG = "(agents OR\nauther:x\ndiffusion, rl\nmodel"
TYPED = "diffusion\nmodel\ndifusion\n(agents OR"
ABSTRACT = (
    "We train a diffusion model on forty years of weather maps. Chain-of-thought prompts let a small language model "
    "say which forecast it trusts, and why. Retrieval augmented generation finds storms like the one to come."
)
Stops = Iterator[str]


@dataclass(frozen=True, slots=True)
class Tour:
    """`given` is what `tests.ten_days` prints; `folder` is for files of its own."""

    stack: Stack
    given: dict[str, str]
    folder: Path

    @classmethod
    def through(cls, stack: Stack, folder: Path) -> Tour:
        """Fills the running, empty service."""
        answer = stack.shell("from tests import ten_days; ten_days.fill()")
        return cls(stack, json.loads(answer.strip().splitlines()[-1]), folder)

    def stops(self, page: Page) -> Stops:
        """The name of one page or mail after another, each while it is open."""
        for part in (self._public, self._signing_up, self._readers, self._feedback, self._mails):
            yield from part(page)
        for part in (self._leaving, self._wrong, self._operators, self._too_many):  # who is erased has no mail left
            yield from part(page)

    def go(self, page: Page, path: str) -> None:
        page.goto(path if "://" in path else self.stack.url + path)

    def _public(self, page: Page) -> Stops:
        paths = {
            "today": "/",
            "all days": "/papers/",
            "day": self.given["day"],
            "week": self.given["week"],
            "month": self.given["month"],
            "empty day": "/papers/2001-01-01/",
            "paper": self.given["paper"],
            "search": "/search",
            "found": "/search?q=diffusion+OR+agents",
            "found nothing": "/search?q=zeppelins",
            "search error": "/search?q=(agents+OR",
            "interests help": "/help/interests/",
            "form for other sites": "/subscribe/embed/",
            "lost link": "/preferences/",
            "link sent": "/preferences/sent/",
            "check inbox": "/subscribe/check-your-inbox/",
            "mailbox": "/mailbox/",
        }
        for name, path in paths.items():
            self.go(page, path)
            yield name
        page.locator("main td a").first.click()
        yield "mailbox message"

    def _signing_up(self, page: Page) -> Stops:
        self.go(page, "/subscribe/")
        yield "subscribe"
        page.get_by_label(FIELD).fill(TYPED)
        page.locator(".live-line").nth(2).wait_for()
        yield "live"
        page.get_by_label(FIELD).fill(WRONG)
        page.get_by_role("button", name="Show me my papers").click()
        yield "errors"
        page.get_by_label(FIELD).fill("zeppelins")
        page.get_by_role("button", name="Show me my papers").click()
        yield "preview of nothing"
        page.get_by_label(FIELD).fill("\n".join(LINES))
        page.get_by_role("button", name="Show again").click()
        yield "preview"
        page.get_by_label("E-mail address").fill("no address")
        page.get_by_role("button", name="Subscribe", exact=True).click()
        yield "address error"
        page.get_by_role("button", name="See the whole mail").click()
        yield "no whole mail"
        page.get_by_label("E-mail address").fill("hopper@example.org")
        page.get_by_role("button", name="See the whole mail").click()
        yield "whole mail"
        self.go(page, "/subscribe/")
        page.get_by_text("Paste an abstract, BibTeX or arXiv ids", exact=True).click()
        page.get_by_label("What you read or wrote").fill(ABSTRACT)
        page.get_by_role("button", name="Propose lines").click()
        yield "proposed lines"
        self.go(page, "/subscribe/?interests=diffusion%0Aagents")
        page.locator(".live-line").nth(1).wait_for()
        yield "from a link"

    def _readers(self, page: Page) -> Stops:
        preferences = self.given["preferences"]
        paths = {
            "confirm": self.given["confirm"],
            "preferences": preferences,
            "mail me my link": self.given["preferences link"],
            "more and less": preferences + "said/",
            "preferences paused": self.given["preferences paused"],
            "preferences unsubscribed": self.given["preferences unsubscribed"],
            "web copy": self.given["web copy"],
            "why": preferences + "why/",
            "why not known": preferences + "why/?paper=a+survey+of+what+nobody+wrote",
            "saved": preferences + "saved/",
            "erase": preferences + "erase/",
            "secrets": preferences + "secrets/",
        }
        for name, path in paths.items():
            self.go(page, path)
            yield name
        page.get_by_role("button", name="Make a token").click()
        yield "secret made"
        self.go(page, preferences + "saved/")
        page.get_by_role("button", name="Remove").first.click()
        yield "saved, removed"
        self.go(page, preferences)
        title = page.locator(".rows a, .mail a").first.text_content() or ""
        self.go(page, preferences)
        page.get_by_label("An arXiv id, a DOI").fill(title)
        page.get_by_role("button", name="Ask").click()
        yield "why answered"
        self.go(page, preferences)
        page.get_by_label(FIELD).fill(WRONG)
        page.get_by_role("button", name="Save", exact=True).click()
        yield "preferences with errors"
        page.get_by_label(FIELD).fill("\n".join(LINES))
        page.get_by_role("button", name="Save", exact=True).click()
        yield "preferences saved"
        page.locator("summary", has_text="Propose lines").click()
        page.get_by_role("button", name="From what my lines find").click()
        yield "proposed to a reader"

    def _feedback(self, page: Page) -> Stops:
        for name in ("feedback", "feedback noted", "mute"):
            self.go(page, self.given[name])
            yield name
        page.locator("main form button").first.click()
        yield "muted"
        self.go(page, self.given["feedback"])
        page.get_by_role("button", name="More like this", exact=True).click()
        page.get_by_role("button", name="Undo").first.click()
        yield "feedback undone"

    def _leaving(self, page: Page) -> Stops:
        self.go(page, self.given["unsubscribe"])
        yield "unsubscribe"
        page.get_by_role("button", name="Unsubscribe").click()
        yield "unsubscribed"
        page.get_by_role("button", name="Undo, keep sending").click()
        yield "resubscribed"
        self.go(page, self.given["confirm"])
        page.get_by_role("button", name="Yes, send me papers").click()
        yield "confirmed"
        opened = page.url
        self.go(page, self.given["confirm"])
        yield "used link"
        page.goto(opened)
        page.get_by_role("link", name="Erase me").click()
        page.get_by_role("button", name="Erase everything").click()
        yield "erased"

    def _wrong(self, page: Page) -> Stops:
        self.go(page, "/nothing/here/")
        yield "not found"
        self.go(page, "/confirm/cut-off/")
        yield "bad link"
        self.go(page, "/search?" + "q&" * 1001)  # more than Django reads
        yield "bad request"
        self.go(page, "/preferences/")
        page.get_by_label("E-mail address").fill(self.given["reader"])
        page.context.clear_cookies()
        page.get_by_role("button", name="E-mail me my link").click()
        yield "without cookies"

    def _mails(self, page: Page) -> Stops:
        kept = {
            "confirm mail": self.stack.mails(to=self.given["pending"])[0],
            "digest mail": self.stack.mails(to=self.given["reader"])[-1],
        }
        for name, mail in kept.items():
            file = self.folder / "mail.html"
            body = mail.get_body(("html",))
            assert body is not None
            file.write_text(body.get_content(), encoding="utf-8")
            page.goto(file.as_uri())
            yield name

    def _operators(self, page: Page) -> Stops:
        self.go(page, "/admin/")
        yield "admin login"
        page.locator("#id_username").fill("admin")
        page.locator("#id_password").fill(self.given["password"])
        page.locator("#id_password").press("Enter")
        page.get_by_text("Last 24 hours").first.wait_for()
        yield "admin"
        self.go(page, "/admin/subscriptions/subscriber/1/next-mail/")
        yield "next mail"
        self.go(page, "/admin/digest/source/add/")
        yield "add source"
        page.locator("#id_address").fill("https://arxiv.org/abs/2603.00001")
        page.locator("#id_address").press("Enter")
        page.get_by_text("This is the address of one paper").wait_for()
        yield "add source error"

    def _too_many(self, page: Page) -> Stops:
        """Last, because the limit it meets is its own address's."""
        self.go(page, "/preferences/")
        form = page.locator("main form").evaluate("form => new URLSearchParams(new FormData(form)).toString()")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": page.url}
        for _ in range(21):
            page.request.post(page.url, data=form, headers=headers, max_redirects=0)
        self.go(page, "/preferences/")
        page.get_by_label("E-mail address").fill(self.given["reader"])
        page.get_by_role("button", name="E-mail me my link").click()
        yield "too many tries"
