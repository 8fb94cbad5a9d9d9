"""Every page and mail in every state, at four widths, light and dark: nothing may stick out sideways.

`pytest tests/test_screenshots.py --screenshots` also renews the pictures in docs/images; docs/screens.md shows them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.stack import ROOT, Stack
from tests.tour import Tour

pytestmark = [pytest.mark.browser, pytest.mark.processes]

IMAGES = ROOT / "docs" / "images"
SIZES = {"desktop": (1280, 900), "tablet": (768, 1024), "phone": (375, 812), "narrow": (320, 640)}
TALLEST = 2400  # pixels of a picture; what is below shows nothing new
BOTH = (("desktop", "light"), ("phone", "dark"))
LIGHT = (("desktop", "light"), ("phone", "light"))
KEPT = {
    "today": (*BOTH, ("desktop", "dark")), "all days": LIGHT, "week": LIGHT, "paper": BOTH, "found": LIGHT,
    "search error": LIGHT[1:], "interests help": LIGHT[:1], "form for other sites": LIGHT[:1], "mailbox": LIGHT,
    "subscribe": BOTH, "live": BOTH, "errors": LIGHT, "preview": BOTH, "whole mail": LIGHT, "proposed lines": LIGHT,
    "check inbox": LIGHT[:1], "confirm": LIGHT, "preferences": BOTH, "preferences paused": LIGHT[1:],
    "web copy": BOTH, "why answered": LIGHT, "saved": LIGHT, "secret made": LIGHT[:1], "erase": LIGHT[1:],
    "feedback": LIGHT, "feedback noted": LIGHT[1:], "mute": LIGHT, "unsubscribe": LIGHT[1:],
    "unsubscribed": LIGHT[1:], "lost link": LIGHT[1:], "not found": LIGHT[:1], "without cookies": LIGHT[:1],
    "confirm mail": (*LIGHT, ("phone", "dark")), "digest mail": (*BOTH, ("phone", "light")),
    "admin": LIGHT[:1], "next mail": LIGHT[:1], "add source error": LIGHT[:1],
}  # fmt: skip


def test_nothing_sticks_out(tmp_path: Path, browser: Browser, request: pytest.FixtureRequest) -> None:
    keep = request.config.getoption("--screenshots")
    with Stack(tmp_path) as stack:
        tour, page = Tour.through(stack, tmp_path), browser.new_page()
        too_wide = []
        for name in tour.stops(page):
            page.wait_for_load_state("networkidle")
            for size in SIZES:
                show(page, size)
                if extra := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
                    too_wide.append(f"{name} is {extra} px too wide at {SIZES[size][0]} px")
            for size, scheme in KEPT.get(name, ()) if keep else ():
                show(page, size, scheme)
                take(page, IMAGES / f"{name.replace(' ', '-')}-{size}-{scheme}.png")
            show(page, "desktop")
        page.close()
    assert not too_wide


def show(page: Page, size: str, scheme: str = "light") -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


def take(page: Page, path: Path) -> None:
    """The page from its top, in few colours so that the picture stays small."""
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path, full_page=True)
    with Image.open(path) as picture:
        cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
        cut.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
