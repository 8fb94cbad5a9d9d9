"""`manage.py catch_mail`: the mail catcher in the foreground."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

from django.conf import settings

from embedded import catcher
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Catches mail on 127.0.0.1:MAIL_CATCHER_PORT and keeps each as a file, until Ctrl-C or SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd notes each command of each client
        # Blocked in every thread that starts from here on, so that the signal waits for us to take it.
        asked = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, asked)
        folder, port = settings.MAIL_CATCHER_DIR, settings.MAIL_CATCHER_PORT
        try:
            with catcher.catching(folder, port) as port:
                self.stdout.write(f"catching mail on {catcher.HOST}:{port} into {folder}")
                self.stdout.flush()
                signal.sigwait(asked)
        except OSError as error:
            sys.exit(f"Cannot catch mail on port {port} into {folder}: {error.strerror or error}")
