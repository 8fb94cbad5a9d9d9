"""Every command of docs/api.md, run with curl against a server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from digest.models import Paper
from digest.picks.selection.select import select_due
from subscriptions import tokens
from subscriptions.models import Secret, Subscriber
from tests.conftest import MORNING

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_every_command_of_the_page_works(
    live_server: Any, counters: None, alice: Subscriber, papers: list[Paper]
) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(max_papers=30)
    select_due(MORNING)
    (mailed, *_) = alice.digests.get().paper_ids
    token = tokens.make(alice, Secret.Kind.API, MORNING)
    assert len(COMMANDS) == 14
    for command in COMMANDS:
        line = command.replace("https://papers.example.org", live_server.url)
        line = line.replace('"paper": 1', f'"paper": {mailed}').replace("paper=1&", f"paper={mailed}&")
        line = line.replace("curl ", "curl -sS --fail-with-body --max-time 20 --noproxy '*' ", 1)
        done = subprocess.run(
            ["bash", "-c", line], env=os.environ | {"TOKEN": token}, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    alice.refresh_from_db()
    assert (alice.lines(), alice.hour, alice.paused_until) == (["diffusion", "-survey"], 7, None)
    assert alice.feedback.get().undone_at is not None
