"""A page that hangs its reader, on real workers: mail goes on, and a killed task does not come again at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.stack import Stack, wait_until
from tests.web import Answer, Web

pytestmark = pytest.mark.processes

FEED = b'<rss version="2.0"><channel><title>A</title><item><title>A paper of things</title></item></channel></rss>'
SOURCE = """
from digest.models import Source
Source.objects.all().delete()
Source.objects.create(slug="poison", name="Poison", url={url!r})
"""
STATE = """
from django.utils import timezone
from digest.models import Source
source = Source.objects.get()
print(source.check_began_at is not None, Source.objects.due(timezone.now()).count())
"""


class Apart(Stack):
    """With a worker for each queue, as `make run` and docker compose start them."""

    def worker(self) -> subprocess.Popen[bytes]:
        self.worker_of("mail")
        return self.worker_of("papers")

    def worker_of(self, queue: str) -> subprocess.Popen[bytes]:
        options = ["-Q", queue, "-n", f"{queue}@%h", "--concurrency", "1", "--loglevel", "INFO"]
        return self.start(
            "-m", "celery", "--quiet", "-A", "config", "worker", "--without-gossip", "--without-mingle", *options
        )

    def state(self) -> tuple[bool, int]:
        """Whether a check is going on, and how many sources are due."""
        going_on, due = self.shell(STATE).split()
        return going_on == "True", int(due)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        running.pages["/feed"] = Answer(FEED)
        yield running


def sign_up(stack: Stack) -> None:
    form = {"email": "ada@example.org", "interests": "diffusion", "frequency": "daily", "hour": "8", "time_zone": "UTC"}
    with httpx.Client(base_url=stack.url, follow_redirects=True) as browser:
        browser.get("/subscribe/")
        token = browser.cookies.get("csrftoken", "")
        answer = browser.post("/subscribe/", data=form | {"csrfmiddlewaretoken": token})
        assert answer.status_code == 200, answer.text


def sandboxes(worker: psutil.Process) -> list[psutil.Process]:
    return [child for child in worker.children(recursive=True) if "child.main()" in " ".join(child.cmdline())]


def test_a_poisoned_page_holds_up_no_mail_and_its_killed_task_does_not_come_again(tmp_path: Path, web: Web) -> None:
    stack = Apart(tmp_path)
    stack.env |= {
        "DJANGO_SETTINGS_MODULE": "tests.poisoned", "FETCH_SOURCES": "1",
        "FETCH_PRIVATE_HOSTS": web.url.removeprefix("http://"),
    }  # fmt: skip
    with stack:
        papers = psutil.Process(stack.processes[-1].pid)
        stack.shell(SOURCE.format(url=f"{web.url}/feed"))
        stack.call_task("digest.tasks.ingest_due")
        wait_until(lambda: sandboxes(papers), "a process to read the page")
        assert stack.state() == (True, 0)  # committed before the reading began

        sign_up(stack)
        stack.call_task("subscriptions.tasks.send_notices")
        wait_until(lambda: stack.mails(to="ada@example.org"), "the confirmation")
        hanging = sandboxes(papers)
        assert hanging

        for process in [*papers.children(), *hanging]:  # as the kernel does when memory is out
            os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: "WorkerLostError" in stack.log.read_text(errors="replace"), "the death to be noticed")
        assert stack.state() == (True, 0)
        stack.call_task("digest.tasks.ingest_due")
        time.sleep(3)
        assert web.paths == ["/feed"]
