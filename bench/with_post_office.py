"""Settings of a service that has django-post_office too; as a program: queue and send mails by it, of the ready text
and HTML that stand in its input as JSON, in as many processes as its argument says.

Prints how many, and the seconds and CPU seconds it took.
"""

from __future__ import annotations

import json
import os
import sys
import time

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office"]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 500,
}
READERS = 1_000
SENDER = "papers@example.org"


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from post_office import mail

    call_command("migrate", "post_office", verbosity=0)
    text, html = json.load(sys.stdin)
    wall, cpu = time.perf_counter(), _cpu()
    mails = [
        {"recipients": [f"reader{number}@example.net"], "sender": SENDER, "subject": f"Ten papers for {number}",
         "message": f"{text}{number}", "html_message": f"{html}{number}"}
        for number in range(READERS)
    ]  # fmt: skip
    mail.send_many(mails)
    sent = failed = 0
    while sent + failed < READERS:  # a call sends a batch
        connections.close_all()  # as its own command does: its processes are forked, and end what they inherit
        more, less, _ = mail.send_queued(processes=int(sys.argv[1]))
        assert more + less, "the queue is empty too soon"
        sent, failed = sent + more, failed + less
    assert not failed, f"{sent} sent, {failed} failed"
    print(READERS, time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
