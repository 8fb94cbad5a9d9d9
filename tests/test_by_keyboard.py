"""Every flow by keyboard alone, with and without JavaScript; wherever Tab leads, the focus can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack, wait_until
from tests.test_whole_job import html_of, link_in
from tests.tour import FIELD, Tour

pytestmark = [pytest.mark.browser, pytest.mark.processes]

AT = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const label = at.labels && at.labels.length ? at.labels[0].innerText : "";
  return {
    name: (at.getAttribute("aria-label") || label || at.innerText || "").trim(), tag: at.tagName,
    ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inView: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with Stack(tmp_path_factory.mktemp("keys")) as running:
        yield Tour.through(running, tmp_path_factory.mktemp("files"))


@dataclass(frozen=True)
class Keys:
    """Somebody without a mouse."""

    page: Page
    home: str

    def open(self, path: str) -> None:
        self.page.goto(path if "://" in path else self.home + path)

    def to(self, name: str, tag: str = "") -> None:
        """Press Tab until what begins with this name has the focus; all that is met on the way must show it."""
        for _ in range(200):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(AT)
            if at["tag"] == "BODY":  # past the end, by way of the browser itself
                continue
            assert at["ringed"] and at["inView"], f"the focus on {at} cannot be seen"
            if at["name"].startswith(name) and tag in ("", at["tag"]):
                return
        raise AssertionError(f"Tab does not lead to “{name}”")

    def press(self, name: str, tag: str = "", key: str = "Enter") -> None:
        """Press a key on what leads to another page, and wait for that."""
        self.to(name, tag)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def write(self, name: str, text: str) -> None:
        self.to(name)
        self.page.keyboard.type(text)

    def reads(self, text: str) -> None:
        expect(self.page.locator("main")).to_contain_text(text)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def keys(tour: Tour, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Keys]:
    context = browser.new_context(java_script_enabled=request.param)
    yield Keys(context.new_page(), tour.stack.url)
    context.close()


def test_a_readers_whole_life(tour: Tour, keys: Keys, request: pytest.FixtureRequest) -> None:
    has_script = request.node.callspec.params["keys"]
    address, stack = f"keys{int(has_script)}@example.org", tour.stack

    keys.open("/")
    keys.press("Subscribe", "A")
    keys.write("E-mail address", address)
    keys.write(FIELD, "diffusion")
    if has_script:
        expect(keys.page.locator(".live-count")).to_contain_text("a week")
    keys.to("How often")
    keys.page.keyboard.press("ArrowDown")
    expect(keys.page.get_by_label("How often")).to_have_value("weekdays")
    keys.press("Show me my papers")
    keys.reads("Your mail from the last 7 days")
    keys.press("Subscribe", "BUTTON")
    keys.reads("Look into your inbox")

    wait_until(lambda: stack.mails(to=address), "the confirmation mail")
    keys.open(link_in(stack.mails(to=address)[0], "confirm"))
    keys.press("Yes, send me papers", key="Space")
    keys.reads("You are in.")

    keys.to(FIELD)
    keys.page.keyboard.press("Control+End")
    keys.page.keyboard.type("\nagents")
    keys.press("Save", "BUTTON")
    keys.reads("Saved.")
    expect(keys.page.get_by_label(FIELD)).to_have_value("diffusion\nagents")
    keys.press("for a week")
    keys.reads("Paused. You can resume at any time.")
    keys.press("Resume now", key="Space")
    keys.reads("Mail comes again.")

    _mail_now(stack, address)
    digest = html_of(stack.mails(to=address)[1])
    more, leave = (digest.find("a", string=words)["href"] for words in ("More like this", "Unsubscribe"))
    keys.open(str(more))
    keys.press("More like this", "BUTTON")
    keys.reads("Noted: more like this.")
    keys.press("Undo", "BUTTON")
    keys.reads("Undone.")
    keys.press("Save it", "A")
    keys.press("Save it", "BUTTON")
    keys.press("Your preferences", "A")
    keys.reads("Is this your mail?")
    keys.press("E-mail me my link", "BUTTON")
    keys.reads("Look into your inbox")
    wait_until(lambda: len(stack.mails(to=address)) == 3, "the mail with the link")
    way_in = link_in(stack.mails(to=address)[2], "link")
    keys.open(way_in)
    keys.press("All 1 saved", "A")
    keys.press("Remove: ")
    keys.reads("is no longer saved.")
    keys.press("Undo", "BUTTON")
    expect(keys.page.get_by_role("button", name="Remove: ")).to_have_count(1)

    keys.open(str(leave))
    keys.press("Unsubscribe", "BUTTON")
    keys.reads("You are unsubscribed")
    keys.press("Undo, keep sending")
    keys.reads("Everything is as it was")
    keys.press("Change what and when")
    keys.reads("Is this your mail?")
    keys.open(way_in)
    keys.press("Erase me", "A")
    keys.press("Erase everything", "BUTTON")
    keys.reads("Everything is erased")


def _mail_now(stack: Stack, address: str) -> None:
    stack.shell(
        "from subscriptions.models import Subscriber; from django.utils import timezone;"
        f"Subscriber.objects.filter(email={address!r}).update(next_digest_at=timezone.now());"
        "from django.core.management import call_command; call_command('send_digests')"
    )
    wait_until(lambda: len(stack.mails(to=address)) == 2, "the digest")


def test_reading_and_searching(tour: Tour, keys: Keys) -> None:
    keys.open("/")
    title = keys.page.locator("article h2").first.inner_text()
    keys.press(title)
    expect(keys.page.get_by_role("heading", level=1)).to_have_text(title)
    keys.to("BibTeX")

    keys.press("Search", "A")
    keys.write("An interest line", "diffusion")
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
    expect(keys.page.locator("article")).not_to_have_count(0)
    keys.to("As a feed")

    keys.open(tour.given["day"])
    heading = keys.page.get_by_role("heading", level=1)
    day = heading.inner_text()
    keys.press("←", "A")
    expect(heading).not_to_have_text(day)
    keys.to("←", "A")
    keys.press("", "A")  # the link beside it leads on
    expect(heading).to_have_text(day)


def test_the_first_tab_leads_past_the_navigation(keys: Keys) -> None:
    keys.open("/")
    keys.press("Skip to the content")  # of the same page, which is a navigation too
    keys.to("")
    assert keys.page.evaluate("document.activeElement.closest('main') !== null")
