"""German is longer: every page and mail in it, on a phone and on a desk, and nothing may stick out sideways.

With `--screenshots` the pictures go to /tmp/paper-round-pictures/german.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.stack import ROOT, Stack, wait_until
from tests.test_whole_job import SAMPLE, link_in
from tests.tour import LINES

pytestmark = [pytest.mark.browser, pytest.mark.processes]
PICTURES = ROOT / "var" / "german"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("german")) as running:
        running.manage("ingest", "--file", str(SAMPLE))
        running.shell(
            "from subscriptions import signup, emails, models; from django.utils import timezone as t;"
            f"wishes = signup.Preferences(lines={LINES!r}, trending_share=30, language='de');"
            "signup.sign_up('ada@example.org', wishes, page='/', now=t.now());"
            "emails.send_notices(t.now());"
            "signup.confirm(models.Subscriber.objects.get(), page='/', now=t.now());"
            "models.Subscriber.objects.update(next_digest_at=t.now())"
        )
        running.manage("send_digests")
        wait_until(lambda: len(running.mails()) == 2, "the mails")
        yield running


@pytest.mark.parametrize("size", [(1280, 900), (375, 812), (320, 640)], ids=lambda size: str(size[0]))
def test_nothing_sticks_out_in_german(
    stack: Stack, browser: Browser, size: tuple[int, int], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="de-DE")
    page = context.new_page()
    for name in visit(page, stack, tmp_path):
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("lang") == "de", name
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{name} is {too_wide} px too wide at {size[0]} px"
        if request.config.getoption("--screenshots"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{name.replace(' ', '-')}-{size[0]}.png", full_page=True)
    context.close()


def visit(page: Page, stack: Stack, folder: Path) -> Iterator[str]:
    """Open one page or mail after another; yields its name while it is open."""
    confirmation, digest = stack.mails(to="ada@example.org")
    access = "from subscriptions import links, models; print(links.access(models.Subscriber.objects.get()))"
    preferences = stack.shell(access).strip()
    paths = {
        "today": "/", "subscribe": "/subscribe/", "check inbox": "/subscribe/check-your-inbox/",
        "search": "/search?q=diffusion", "interests help": "/help/interests/", "embed": "/subscribe/embed/",
        "archive": "/papers/2001-01-01/", "calendar": "/papers/", "paper": "/paper/1/",
        "confirm": link_in(confirmation, "confirm"), "preferences": preferences,
        "mail me my link": link_in(digest, "preferences"), "said": f"{preferences}said/",
        "secrets": f"{preferences}secrets/", "why": f"{preferences}why/?paper=2603.99999",
        "saved": f"{preferences}saved/", "erase": f"{preferences}erase/",
        "unsubscribe": link_in(digest, "unsubscribe"), "web copy": link_in(digest, "digest"),
        "lost link": "/preferences/", "feedback": feedback(stack, "more"), "mute": feedback(stack, "mute"),
        "mailbox": "/mailbox/",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(path if "://" in path else stack.url + path)
        yield name
    page.goto(stack.url)
    page.get_by_label("Ihre Interessen, eines pro Zeile").fill("(agents OR\nauther:x\ndiffusion, rl\nmodel")
    page.get_by_role("button", name="Meine Artikel zeigen").click()
    yield "errors"
    page.get_by_label("Ihre Interessen, eines pro Zeile").fill("\n".join(LINES))
    page.get_by_text("Zuerst in Ihrer Mail").first.wait_for()
    yield "live"
    page.get_by_role("button", name="Meine Artikel zeigen").click()
    page.get_by_role("heading", name=re.compile("Ihre Mail aus")).wait_for()
    yield "preview"
    for name, mail in (("confirm mail", confirmation), ("digest mail", digest)):
        body = mail.get_body(("html",))
        assert body is not None
        (folder / "mail.html").write_text(body.get_content(), encoding="utf-8")
        page.goto((folder / "mail.html").as_uri())
        yield name


def feedback(stack: Stack, say: str) -> str:
    """The link of the first paper of the only mail."""
    code = "from digest import links, models; d = models.Digest.objects.get(); print(links.feedback(d), d.paper_ids[0])"
    address, paper = stack.shell(code).split()
    return f"{address}?paper={paper}&say={say}"
