"""`make demo`, as a newcomer runs it, on each kind of SOURCE."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digest.papers.sample.sample import PATH
from tests.hostile import Server, ok
from tests.smtp import parsed
from tests.stack import ROOT

pytestmark = pytest.mark.processes

SOURCES = {
    "text": "seeds/004_caf4c692b8e6159f.txt",
    "text with a date": "seeds/000_09e0d2716063a917.txt",
    "html": "hf_html_reconstructed/RECONSTRUCTED_papers_2025-03-14.html",
    "json": "hf_api_daily_papers/2025-06-10.json",
    "feed": "hf_daily/rss_samples/hf_feed_2025-10-24.xml",
}


def demo(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run it as from a shell that knows of a real service: that one must not be touched."""
    env = os.environ | {
        "DATA_DIR": str(folder),
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/not-ours",
        "EMAIL_URL": "smtp://127.0.0.1:9",
    }
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *args], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )


def test_it_mails_three_readers_and_says_who_got_what_and_why(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "48 listings read, 48 new" in done.stdout
    assert "3 sent by the worker over SMTP" in done.stdout
    files = [Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".eml")]
    mails = {parsed(path.read_bytes())["To"]: parsed(path.read_bytes()) for path in files}
    assert set(mails) == {"ada@example.org", "grace@example.org", "alan@example.org"}
    assert "diffusion → Diffusion (" in done.stdout
    assert "trending anyway" in done.stdout
    assert "make run" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("kind", SOURCES)
def test_it_takes_each_kind_of_source(kind: str, shared_data: Path, tmp_path: Path) -> None:
    done = demo(tmp_path, str(shared_data / SOURCES[kind]))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "sent by the worker over SMTP" in done.stdout
    assert "Done in" in done.stdout


def test_it_takes_a_page_from_this_very_machine(tmp_path: Path) -> None:
    with Server() as web:
        web.answers["/papers"] = ok(PATH.read_bytes(), "Content-Type: application/json")
        done = demo(tmp_path, f"{web.url}/papers")
    assert done.returncode == 0, done.stderr
    assert "48 listings read, 48 new" in done.stdout


def test_a_source_elsewhere_in_the_network_is_refused(tmp_path: Path) -> None:
    done = demo(tmp_path, "http://169.254.169.254/latest/meta-data/")
    assert done.returncode == 1
    assert "add 169.254.169.254 to the setting FETCH_PRIVATE_HOSTS" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_source_that_is_no_list_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "nothing.html"
    path.write_text("<html><body>Sign in</body></html>")
    done = demo(tmp_path / "data", str(path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
