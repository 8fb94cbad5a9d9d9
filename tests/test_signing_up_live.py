"""Signing up in a real browser: live while typing, without JavaScript, by keyboard alone, and from another site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack
from tests.test_whole_job import SAMPLE

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FIELD = "Your interests, one a line"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("live")) as running:
        running.manage("ingest", "--file", str(SAMPLE))
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose console stays empty of errors: nothing that the policy forbids is tried."""
    context = browser.new_context()
    page, complaints = context.new_page(), list[str]()
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" and not is_aborted(said.text) else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def is_aborted(said: str) -> bool:
    """Htmx calls it an error when it drops a question because a newer one is asked."""
    return said.startswith(("htmx:sendAbort", "htmx:afterRequest"))


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A page without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_while_typing_each_line_shows_what_it_finds(stack: Stack, page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if "/live/" in request.url else None)
    page.goto(f"{stack.url}/subscribe/")
    page.get_by_label("E-mail address").fill("ada@example.org")
    field = page.get_by_label(FIELD)
    field.press_sequentially("diffusion", delay=20)
    found = page.locator("#live")
    expect(found.locator(".live-count")).to_contain_text("a week")
    expect(found.locator(".live-papers mark").first).to_have_text("Diffusion")
    expect(found.locator(".live-best li")).not_to_have_count(0)
    assert len(sent) == 1, "it waits for a pause"
    assert parse_qs(sent[0]).keys() == {"csrfmiddlewaretoken", "interests"}, "the address stays here"
    expect(field).to_be_focused()
    field.press_sequentially("\n(agents OR\ndifusion", delay=5)
    expect(found.get_by_text("Line 2, character")).to_be_visible()
    expect(found.get_by_text("none in 30 days")).to_be_visible()
    expect(page.locator("#live-said")).to_contain_text("line 3 finds nothing, line 2 cannot be read")
    expect(field).to_be_focused()


def test_a_suggestion_is_taken_over_and_the_field_has_the_focus(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    page.get_by_label(FIELD).fill("agents\ndifusion")
    page.get_by_role("button", name="Write it this way: “diffusion” in line 2").press("Enter")
    expect(page.get_by_label(FIELD)).to_have_value("agents\ndiffusion")
    expect(page.get_by_label(FIELD)).to_be_focused()
    expect(page.get_by_text("none in 30 days")).to_have_count(0)


def test_a_topic_adds_its_lines_and_keeps_the_focus(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    page.get_by_label(FIELD).fill("diffusion")
    topic = page.get_by_role("button", name="Benchmarks")
    topic.press("Enter")
    expect(page.get_by_label(FIELD)).to_have_value("diffusion\ntitle:benchmark")
    expect(page.locator(".live-line")).to_have_count(2)
    expect(topic).to_be_focused()
    page.get_by_label(FIELD).press_sequentially(" ")  # the field that was exchanged is as live as the first


def test_a_slow_answer_to_a_topic_is_not_lost_to_what_was_typed_before(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    page.route(
        "**/live/", lambda route: _late(route) if "topic" in (route.request.post_data or "") else route.continue_()
    )
    page.get_by_label(FIELD).fill("diffusion")
    page.get_by_role("button", name="Benchmarks").press("Enter")
    expect(page.get_by_label(FIELD)).to_have_value("diffusion\ntitle:benchmark")
    expect(page.locator(".live-line")).to_have_count(2)


def test_only_the_last_answer_is_shown(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    page.route(
        "**/live/", lambda route: _late(route) if "slow" in (route.request.post_data or "") else route.continue_()
    )
    page.get_by_label(FIELD).fill("slow")
    page.wait_for_timeout(600)
    page.get_by_label(FIELD).fill("diffusion")
    expect(page.locator(".live-count code")).to_have_text("diffusion")
    page.wait_for_timeout(1200)
    expect(page.locator(".live-count code")).to_have_text("diffusion")


def _late(route: object) -> None:
    import time

    time.sleep(1.0)
    route.continue_()


def test_nothing_moves_above_or_at_the_field_while_answers_come(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    field, button = page.get_by_label(FIELD), page.get_by_role("button", name="Show me my papers")
    field.fill("x")
    before = field.bounding_box(), button.bounding_box()
    field.fill("diffusion\nagents\nreasoning")
    expect(page.locator(".live-line")).to_have_count(3)
    assert (field.bounding_box(), button.bounding_box()) == before


def test_the_same_without_javascript(stack: Stack, plain: Page) -> None:
    plain.goto(f"{stack.url}/subscribe/")
    expect(plain.locator(".live")).to_be_hidden()
    plain.get_by_label(FIELD).fill("diffusion")
    plain.get_by_role("button", name="Benchmarks").click()
    expect(plain.get_by_role("heading", name="Your mail from the last 7 days")).to_be_visible()
    expect(plain.get_by_label(FIELD)).to_have_value("diffusion\ntitle:benchmark")
    plain.get_by_role("button", name="See the whole mail").click()
    expect(plain.get_by_role("heading", name="The whole mail")).to_be_visible()
    mail = plain.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="Diffusion Models Are Real-Time Game Engines")).to_be_visible()
    plain.get_by_role("button", name="Go on").click()
    expect(plain.get_by_label(FIELD)).to_have_value("diffusion\ntitle:benchmark")
    plain.get_by_label("E-mail address").fill("plain@example.org")
    plain.get_by_role("button", name="Subscribe").click()
    expect(plain.get_by_role("heading", name="Look into your inbox")).to_be_visible()


def test_by_keyboard_alone(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/subscribe/")
    tab_to(page, "id_email")
    page.keyboard.type("keys@example.org")
    tab_to(page, "id_interests")
    page.keyboard.type("diffusion")
    expect(page.locator(".live-count")).to_contain_text("a week")
    tab_to(page, "Show me my papers")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your mail from the last 7 days").wait_for()
    tab_to(page, "Subscribe", tag="BUTTON")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible()


def tab_to(page: Page, name: str, tag: str = "") -> None:
    """Press Tab until the element of that id, or with that text, has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "[document.activeElement.id, document.activeElement.innerText, document.activeElement.tagName]"
        )
        if name in at[:2] and tag in ("", at[2]):
            return
    raise AssertionError(f"no way to {name} by Tab")


def test_a_form_on_another_site_leads_to_ours_filled_in(stack: Stack, page: Page, tmp_path: Path) -> None:
    page.goto(f"{stack.url}/subscribe/embed/")
    (tmp_path / "elsewhere.html").write_text(page.locator(".snippet").inner_text(), encoding="utf-8")
    page.goto((tmp_path / "elsewhere.html").as_uri())
    page.get_by_label("E-mail address").fill("far@example.org")
    page.get_by_label("Interests, one a line").fill("diffusion")
    page.get_by_role("button", name="Show me my papers").click()
    expect(page.get_by_text("Nothing is stored yet.")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("far@example.org")
    expect(page.locator(".live-count")).to_contain_text("a week")
    page.get_by_role("button", name="Show me my papers").click()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible()


@pytest.mark.parametrize(
    ("browsers", "ours"),
    [("Europe/Berlin", "Europe/Berlin"), ("Asia/Calcutta", "Asia/Kolkata"), ("Europe/Kiev", "Europe/Kyiv"),
     ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"), ("UTC", "UTC")],
)  # fmt: skip
def test_the_time_zone_is_guessed_and_can_be_changed(stack: Stack, browser: Browser, browsers: str, ours: str) -> None:
    context = browser.new_context(timezone_id=browsers)
    page = context.new_page()
    page.goto(f"{stack.url}/subscribe/")
    expect(page.get_by_label("Time zone")).to_have_value(ours)
    page.get_by_label("Time zone").select_option("Pacific/Auckland")
    expect(page.get_by_label("Time zone")).to_have_value("Pacific/Auckland")
    context.close()
