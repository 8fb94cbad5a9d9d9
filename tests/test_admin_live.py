"""What in the admin opens, closes and switches by Unfold's attributes, clicked in a browser, wide and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, StorageState, ViewportSize, expect

from tests.stack import Stack
from tests.ten_days import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.processes]

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 800}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("admin")) as running:
        running.shell("from tests import ten_days; ten_days.fill()")
        yield running


@pytest.fixture(scope="module")
def signed_in(stack: Stack, browser: Browser) -> StorageState:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    page.goto("/admin/")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.get_by_text("Last 24 hours").first.wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(stack: Stack, browser: Browser, signed_in: StorageState, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The dashboard on a screen of the parametrized size. Nothing may be logged to the console."""
    context = browser.new_context(
        base_url=stack.url, storage_state=signed_in, viewport=getattr(request, "param", WIDE), color_scheme="light"
    )
    page, complaints = context.new_page(), list[str]()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/admin/")
    yield page
    context.close()
    assert complaints == []


def test_the_sidebar_is_hidden_and_stays_so(page: Page) -> None:
    sidebar, toggle = page.locator("#nav-sidebar"), page.get_by_text("dock_to_right").first
    expect(sidebar).to_be_visible()
    toggle.click()
    expect(sidebar).not_to_be_visible()
    page.goto("/admin/digest/paper/")
    expect(sidebar).not_to_be_visible()
    toggle.click()
    expect(sidebar).to_be_visible()
    page.reload()
    expect(sidebar).to_be_visible()


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_menu_of_a_phone(page: Page) -> None:
    sidebar = page.locator("#nav-sidebar")
    expect(sidebar).not_to_be_visible()
    page.get_by_text("dock_to_right").last.click()
    expect(sidebar).to_be_visible()
    sidebar.get_by_text("close", exact=True).click()
    expect(sidebar).not_to_be_visible()
    page.get_by_text("dock_to_right").last.click()
    sidebar.get_by_role("link", name="Subscribers").first.click()
    page.wait_for_url("**/subscriber/**")
    expect(sidebar).not_to_be_visible()


@pytest.mark.parametrize("page", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_the_menu_of_the_user_switches_the_theme(page: Page) -> None:
    if page.viewport_size == PHONE:
        page.get_by_text("dock_to_right").last.click()
    menu = page.locator("[x-show=openUserLinks]")
    opener = page.locator('[x-on\\:click="openUserLinks = !openUserLinks"]')
    expect(menu).not_to_be_visible()
    opener.click()
    expect(menu).to_be_visible()
    menu.get_by_text("Dark", exact=True).click()
    expect(page.locator("html.dark")).to_have_count(1)
    page.reload()
    expect(page.locator("html.dark")).to_have_count(1)
    page.keyboard.press("Control+e")
    expect(page.locator("html.dark")).to_have_count(0)


def test_a_click_elsewhere_closes_a_menu(page: Page) -> None:
    menu = page.locator("[x-show=openUserLinks]")
    page.locator('[x-on\\:click="openUserLinks = !openUserLinks"]').click()
    expect(menu).to_be_visible()
    page.mouse.click(900, 500)
    expect(menu).not_to_be_visible()


@pytest.mark.parametrize("page", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_the_command_palette(page: Page) -> None:
    field, results = page.locator("#search-input-command"), page.locator("#command-results")
    expect(field).not_to_be_visible()
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    field.press_sequentially("subscriber")
    expect(results.locator("li").first).to_be_visible()
    field.press("ArrowDown")
    expect(results.locator("li.active")).to_have_count(1)
    field.press("Escape")
    expect(field).to_have_value("")
    field.press("Escape")
    expect(field).not_to_be_visible()
    page.keyboard.press("Control+k")
    field.press_sequentially("subscriber")
    results.locator("li").first.hover()
    field.press("Enter")
    page.wait_for_url("**/subscriber/**")


@pytest.mark.parametrize("page", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_the_filters_of_a_list(page: Page) -> None:
    page.goto("/admin/subscriptions/subscriber/")
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.locator("#searchbar").blur()
    sheet, opener = page.locator("#changelist-filter"), page.locator('[x-on\\:click="filterOpen = true"]').first
    opener.click()
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).not_to_be_visible()
    opener.click()
    sheet.locator("a[href*='status__exact=pending']").click()
    page.wait_for_url("**status__exact=pending**")
    expect(page.locator("#result_list")).to_contain_text("grace@example.org")


def test_the_actions_of_a_list(page: Page) -> None:
    page.goto("/admin/digest/source/")
    run = page.locator('[x-show="action"]').first
    expect(run).not_to_be_visible()
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("check_now")
    expect(run).to_be_visible()
