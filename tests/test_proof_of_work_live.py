"""A browser works for its sign-up in the background, under the site's own policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack
from tests.test_whole_job import SAMPLE

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("work"))
    made.env["SIGNUP_PROOF_OF_WORK"] = "always"
    with made as running:
        running.manage("ingest", "--file", str(SAMPLE))
        yield running


def to_the_last_step(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/subscribe/")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Your interests, one a line").fill("diffusion")
    page.get_by_role("button", name="Show me my papers").click()
    page.get_by_role("heading", name="Your mail from the last 7 days").wait_for()
    page.get_by_role("button", name="Subscribe", exact=True).click()


def test_a_press_waits_for_the_work_and_signs_up(stack: Stack, browser: Browser) -> None:
    page, complaints = browser.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    to_the_last_step(page, stack)
    expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible(timeout=60_000)
    assert not complaints
    page.close()


def test_without_javascript_it_says_what_to_do(stack: Stack, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    to_the_last_step(page, stack)
    expect(page.get_by_role("alert").filter(has_text="Without JavaScript, please try again")).to_be_visible()
    expect(page.get_by_label("Your interests, one a line")).to_have_value("diffusion")
    context.close()
