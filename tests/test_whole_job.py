"""What a person does, from the first page to leaving again, in a real browser against the running service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

from tests.stack import ROOT, Stack, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SAMPLE = ROOT / "digest" / "papers" / "sample" / "edition.json"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        running.manage("ingest", "--file", str(SAMPLE))
        yield running


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param, timezone_id="Europe/Berlin")
    yield context.new_page()
    context.close()


def link_in(mail: EmailMessage, purpose: str) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(rf"https?://\S+/{purpose}/\S+", body.get_content())
    assert found, f"no {purpose} link"
    return found.group()


def html_of(mail: EmailMessage) -> BeautifulSoup:
    body = mail.get_body(("html",))
    assert body is not None
    return BeautifulSoup(body.get_content(), "lxml")


def test_a_reader_signs_up_gets_the_digest_and_leaves(
    stack: Stack, page: Page, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = f"reader{request.node.callspec.indices['page']}@example.org"

    # The form: one line is wrong at first, and the page points at it.
    page.goto(stack.url)
    page.get_by_label("Your interests, one a line").fill("diffusion\n(agents OR\n-survey")
    page.get_by_role("button", name="Show me my papers").click()
    page.get_by_text("Line 2, character").wait_for()
    page.get_by_label("Your interests, one a line").fill('diffusion\n"chain of thought"\n-survey')
    page.get_by_role("button", name="Show me my papers").click()

    # The papers before anything is asked of the address.
    page.get_by_role("heading", name="Your mail from the last 7 days").wait_for()
    shown = page.locator("article h2").all_inner_texts()
    assert "Diffusion Models Are Real-Time Game Engines" in shown
    assert not stack.mails(to=address)
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("At", exact=True).select_option("7")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Look into your inbox").wait_for()

    # Double opt-in: the link's page asks, its button acts.
    wait_until(lambda: stack.mails(to=address), "the confirmation mail")
    (confirmation,) = stack.mails(to=address)
    page.goto(link_in(confirmation, "confirm"))
    page.get_by_role("button", name="Yes, send me papers").click()
    page.get_by_text("You are in.").wait_for()
    zone = page.get_by_label("Time zone").input_value()
    assert zone == ("Europe/Berlin" if "with J" in request.node.callspec.id else "UTC")

    # The hour comes; the timetable looks, twice.
    stack.shell(
        "from subscriptions.models import Subscriber; from django.utils import timezone;"
        f"Subscriber.objects.filter(email={address!r}).update(next_digest_at=timezone.now())"
    )
    stack.call_task("digest.tasks.send_due")
    stack.call_task("digest.tasks.send_due")
    wait_until(lambda: len(stack.mails(to=address)) == 2, "the digest")
    digest = stack.mails(to=address)[1]

    # Who got what, and why.
    html = html_of(digest)
    titles = [" ".join(title.get_text().split()) for title in html.select(".paper h3")]
    assert titles == [" ".join(title.split()) for title in shown]
    reasons = {
        " ".join(paper.h3.get_text().split()): paper.select_one(".why").get_text() for paper in html.select(".paper")
    }
    assert "diffusion" in reasons["Diffusion Models Are Real-Time Game Engines"]
    assert not [title for title in titles if "Survey" in title]
    assert digest["Subject"].startswith(titles[0][:40])

    # The same on the web, then one-click unsubscribe as a mail client does it, and nothing more comes.
    page.goto(link_in(digest, "digest"))
    assert page.locator("article h3").all_inner_texts() == shown
    address_of_list = digest["List-Unsubscribe"].strip().strip("<>")
    answer = httpx.post(
        address_of_list, data={"List-Unsubscribe": "One-Click"}, headers={"Origin": "https://mail.example.com"}
    )
    assert (answer.status_code, answer.history) == (200, [])
    stack.shell(
        "from subscriptions.models import Subscriber; from django.utils import timezone;"
        f"assert Subscriber.objects.get(email={address!r}).status == 'unsubscribed';"
        f"Subscriber.objects.filter(email={address!r}).update(next_digest_at=timezone.now())"
    )
    stack.manage("send_digests")
    assert len(stack.mails(to=address)) == 2


def test_a_link_scanner_that_opens_every_link_changes_nothing(stack: Stack, browser: Browser) -> None:
    stack.shell(
        "from subscriptions import signup, emails; from django.utils import timezone as t;"
        "signup.sign_up('scan@example.org', signup.Preferences(lines=('diffusion',)), page='/', now=t.now());"
        "emails.send_notices(t.now())"
    )
    page = browser.new_page()
    for link in html_of(stack.mails(to="scan@example.org")[0]).find_all("a"):
        httpx.head(str(link["href"]))
        page.goto(str(link["href"]))
        page.wait_for_load_state("networkidle")
    page.close()
    status = stack.shell(
        "from subscriptions.models import Subscriber; print(Subscriber.objects.get(email='scan@example.org').status)"
    )
    assert status.strip() == "pending"


def test_no_page_asks_anything_of_another_host(stack: Stack, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/subscribe/", "/search?q=diffusion", "/paper/1/"):
        page.goto(stack.url + path)
        page.wait_for_load_state("networkidle")
    page.close()
    assert asked
    assert not [url for url in asked if not url.startswith(stack.url)]
