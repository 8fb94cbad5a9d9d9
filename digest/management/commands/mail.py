"""manage.py mail: whether mail leaves, and the operator's word on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from auditlog import audit
from digest.mail.delivery import complaints, rate_limits, send_control
from digest.mail.delivery.test_mail import NotSent, send_test
from digest.models import Delivery, MailDay, MailGate
from subscriptions.addresses import masked
from subscriptions.management.terminal import TerminalCommand

ACTIONS = {
    "status": "whether mail leaves, what holds it back, how much waits",
    "pause": "no more mail leaves, beginning now; what was claimed waits",
    "drain": "mails that workers have taken go out, no more are taken",
    "resume": "mail leaves again",
    "go": "yes to what mail waits for: a run far larger than usual (for a day), complaints (those so far)",
    "retry": "try the mail server at the next look, however long it was to be left alone",
    "test": "send a test mail to one address",
}


class Command(TerminalCommand):
    help = "Pause, drain and resume the mail, say how it is, send a test mail."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, text in ACTIONS.items():
            one = actions.add_parser(name, help=text, description=text)
            if name == "test":
                one.add_argument("address", metavar="ADDRESS")

    def handle(self, *args: Any, **options: Any) -> None:
        now, switch = timezone.now(), MailGate.Switch
        actions: dict[str, Callable[[], None]] = {
            "status": lambda: None,
            "pause": lambda: send_control.turn(switch.PAUSED, now),
            "drain": lambda: send_control.turn(switch.DRAINING, now),
            "resume": lambda: send_control.turn(switch.RUNNING, now),
            "go": lambda: send_control.allow(now),
            "retry": send_control.try_now,
        }
        action = options["action"]
        if action == "test":
            self._test(options["address"])
            return
        with transaction.atomic():
            actions[action]()
            if action != "status":
                audit.record(f"mail {action}", now)
        self._status()

    def _status(self) -> None:
        now, status = timezone.now(), Delivery.Status
        held = send_control.reasons(MailGate.load(), now)
        for reason in held.values() or ["Mail leaves."]:
            self.stdout.write(reason)
        waiting, sending = (Delivery.objects.filter(status=one).count() for one in (status.WAITING, status.SENDING))
        sent = MailDay.objects.filter(day=now.date()).values_list("sent", flat=True).first() or 0
        self.stdout.write(f"Mails waiting: {waiting:,}; being sent: {sending:,}; left today (UTC): {sent:,}.")
        today = rate_limits.warm_up(now)
        if today and "warm_up" not in held:
            self.stdout.write(f"Warm-up, day {today.day} of {today.days}: {today.sent:,} of {today.allowed:,} left.")
        self.stdout.write(f"Complaints of {complaints.DAYS} days: {complaints.since(now - complaints.PERIOD)}.")
        if settings.MAIL_RATE:
            self.stdout.write(f"Rates: {', '.join(settings.MAIL_RATE)}.")

    def _test(self, address: str) -> None:
        audit.record("mail test", timezone.now(), target=masked(address))
        try:
            message_id = send_test(address, timezone.now())
        except NotSent as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The mail server accepted it, under the Message-ID {message_id}.")
