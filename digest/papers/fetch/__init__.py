"""The only HTTP client: `fetch(url)` is a page from outside, bounded in time and size, or one clear `SourceError`.

What comes from outside is asked for politely (`turns`, `retrying`), only outside (`guard`), and never for longer or
in greater amounts than `Limits` say (`network`, `body`). `client` puts it together.
"""

from __future__ import annotations

from digest.papers.fetch.client import Page, fetch, shown
from digest.papers.fetch.limits import LIMITS, Limits

__all__ = ["LIMITS", "Limits", "Page", "fetch", "shown"]
