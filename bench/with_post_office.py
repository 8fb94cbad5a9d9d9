"""Settings of a service that has django-post_office too; as a program: queue and send mails of ready HTML by it.

Prints how many, and the seconds and CPU seconds it took.
"""

from __future__ import annotations

import os
import time

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office"]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 500,
}
READERS, PROCESSES = 1_000, 2  # each with post_office's usual five threads
SENDER = "papers@example.org"


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from post_office import mail

    call_command("migrate", "post_office", verbosity=0)
    text = "".join(f"{line:03} A line of a paper's block\n" for line in range(150))
    html = "".join(f"{line:03} <p>A line of a paper's block, with a link\n" for line in range(300))
    wall, cpu = time.perf_counter(), _cpu()
    mails = [
        {"recipients": [f"reader{number}@example.net"], "sender": SENDER, "subject": f"Ten papers for {number}",
         "message": text, "html_message": f"{html}{number}"}
        for number in range(READERS)
    ]  # fmt: skip
    mail.send_many(mails)
    sent = failed = 0
    while sent + failed < READERS:  # a call sends a batch
        connections.close_all()  # as its own command does: its processes are forked, and end what they inherit
        more, less, _ = mail.send_queued(processes=PROCESSES)
        assert more + less, "the queue is empty too soon"
        sent, failed = sent + more, failed + less
    assert not failed, f"{sent} sent, {failed} failed"
    print(READERS, time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
