"""What Lighthouse says of the pages that most people see."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from audit.mailing import Faults
from audit.tools import Lacking, browser, npm, run

LEAST = 95
JUDGED = ("performance", "accessibility", "best-practices")  # SEO is shown: pages behind a token forbid indexing
TRIES = 3  # a busy machine only takes points away
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"


def judged_by_lighthouse(pages: dict[str, str]) -> Faults:
    """At least LEAST for performance, accessibility and best practices, as on a slow phone."""
    program = str(npm("lighthouse") / "cli" / "index.js")
    faults: Faults = {}
    for name, url in pages.items():
        best: dict[str, int] = {}
        for left in reversed(range(TRIES)):
            try:
                scores = _scores(program, url)
            except Lacking:  # now and then it misses the beginning of a page
                if left:
                    continue
                raise
            best = {key: max(score, best.get(key, 0)) for key, score in scores.items()}
            if min(best[key] for key in JUDGED) >= LEAST:
                break
        shown = ", ".join(f"{key} {score}" for key, score in best.items())
        faults[f"{name}: {shown}"] = [f"{key} {best[key]}" for key in JUDGED if best[key] < LEAST]
    return faults


def _scores(program: str, url: str) -> dict[str, int]:
    """Of 100, by category. Raises Lacking."""
    with tempfile.TemporaryDirectory(prefix="paper-round-lighthouse-") as folder:
        report = Path(folder) / "report.json"
        options = [f"--chrome-flags={FLAGS}", "--output=json", f"--output-path={report}", "--quiet"]
        options += ["--no-enable-error-reporting", f"--only-categories={','.join((*JUDGED, 'seo'))}"]
        done = run(["node", program, url, *options], env=os.environ | {"CHROME_PATH": browser()})
        if done.returncode or not report.is_file():
            raise Lacking(f"lighthouse: {done.stderr.decode()[-300:]}")
        categories = json.loads(report.read_text(encoding="utf-8"))["categories"]
    return {key: round(100 * (category["score"] or 0)) for key, category in categories.items()}
