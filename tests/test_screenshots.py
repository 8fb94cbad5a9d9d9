"""Every page and mail at four widths, light and dark: nothing may stick out sideways.

`pytest tests/test_screenshots.py --screenshots` also renews the pictures in docs/images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.stack import ROOT, Stack, wait_until
from tests.test_whole_job import SAMPLE, link_in

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SIZES = {"desktop": (1280, 900), "tablet": (768, 1024), "phone": (375, 812), "narrow": (320, 640)}
KEPT = {
    ("today", "desktop", "light"), ("preview", "desktop", "light"), ("preview", "phone", "dark"),
    ("digest mail", "desktop", "light"), ("digest mail", "phone", "dark"), ("admin", "desktop", "light"),
}  # fmt: skip
LINES = ("diffusion", '"chain of thought" OR reasoning', "(image OR video) generation", "-survey")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("pictures")) as running:
        running.manage("ingest", "--file", str(SAMPLE))
        running.shell(
            "from subscriptions import signup, emails, models; from django.utils import timezone as t;"
            f"wishes = signup.Wishes(lines={LINES!r}, trending_share=30);"
            "signup.sign_up('ada@example.org', wishes, page='/', now=t.now());"
            "emails.send_notices(t.now());"
            "signup.confirm(models.Subscriber.objects.get(), page='/', now=t.now());"
            "models.Subscriber.objects.update(next_digest_at=t.now());"
            "from django.contrib.auth.models import User;"
            "User.objects.create_superuser('admin', password='only for this test')"
        )
        running.manage("send_digests")
        wait_until(lambda: len(running.mails()) == 2, "the mails")
        yield running


@pytest.mark.parametrize(
    ("size", "scheme"),
    [("desktop", "light"), ("desktop", "dark"), ("tablet", "light"), ("phone", "dark"), ("narrow", "light")],
)
def test_nothing_sticks_out(
    stack: Stack, browser: Browser, size: str, scheme: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    keep = request.config.getoption("--screenshots")
    for name in visit(page, stack, tmp_path):
        page.wait_for_load_state("networkidle")
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{name} is {too_wide} px too wide at {width} px"
        if keep:
            folder = ROOT / "docs" / "images" if (name, size, scheme) in KEPT else Path("/tmp/paper-round-pictures")
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name.replace(' ', '-')}-{size}-{scheme}.png")
    context.close()


def visit(page: Page, stack: Stack, folder: Path) -> Iterator[str]:
    """Open one page or mail after another; yields its name while it is open."""
    confirmation, digest = stack.mails(to="ada@example.org")
    paths = {
        "today": "/",
        "subscribe": "/subscribe/",
        "check inbox": "/subscribe/check-your-inbox/",
        "search": "/search?q=diffusion",
        "interests help": "/help/interests/",
        "archive": "/papers/2001-01-01/",
        "paper": "/paper/1/",
        "confirm": link_in(confirmation, "confirm"),
        "preferences": link_in(digest, "preferences"),
        "unsubscribe": link_in(digest, "unsubscribe"),
        "web copy": link_in(digest, "digest"),
        "why": link_in(digest, "preferences") + "why/?paper=a+survey+of+what+nobody+wrote",
        "saved": link_in(digest, "preferences") + "saved/",
        "erase": link_in(digest, "preferences") + "erase/",
        "lost link": "/preferences/",
        "feedback": feedback(stack, "more"),
        "mute": feedback(stack, "mute"),
        "mailbox": "/mailbox/",
    }
    for name, path in paths.items():
        page.goto(path if "://" in path else stack.url + path)
        yield name
    yield from fill_in(page, stack)
    for name, mail in (("confirm mail", confirmation), ("digest mail", digest)):
        file = folder / "mail.html"
        body = mail.get_body(("html",))
        assert body is not None
        file.write_text(body.get_content(), encoding="utf-8")
        page.goto(file.as_uri())
        yield name
    yield from sign_in(page, stack)


def feedback(stack: Stack, say: str) -> str:
    """The link of the first paper of the only mail."""
    code = "from digest import links, models; d = models.Digest.objects.get(); print(links.feedback(d), d.paper_ids[0])"
    address, paper = stack.shell(code).split()
    return f"{address}?paper={paper}&say={say}"


def fill_in(page: Page, stack: Stack) -> Iterator[str]:
    page.goto(stack.url)
    page.get_by_label("Your interests, one a line").fill("(agents OR\nauther:x\ndiffusion, rl\nmodel")
    page.get_by_role("button", name="Show me my papers").click()
    yield "errors"
    page.get_by_label("Your interests, one a line").fill("\n".join(LINES))
    page.get_by_role("button", name="Show me my papers").click()
    page.get_by_role("heading", name=re.compile("Your mail from")).wait_for()
    yield "preview"


def sign_in(page: Page, stack: Stack) -> Iterator[str]:
    page.goto(f"{stack.url}/admin/")
    if page.locator("#id_username").count():
        page.locator("#id_username").fill("admin")
        page.locator("#id_password").fill("only for this test")
        page.locator("#id_password").press("Enter")
    page.get_by_text("Digests of the last 24 h").first.wait_for()
    yield "admin"
    page.goto(f"{stack.url}/admin/subscriptions/subscriber/1/next-mail/")
    yield "next mail"
    page.goto(f"{stack.url}/admin/digest/source/add/")
    yield "add source"
    page.locator("#id_address").fill("https://arxiv.org/abs/2603.00001")
    page.locator("#id_address").press("Enter")
    page.get_by_text("This is the address of one paper").wait_for()
    yield "add source error"
