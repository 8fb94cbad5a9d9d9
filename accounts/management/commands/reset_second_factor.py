"""manage.py reset_second_factor: for somebody who lost the app and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import second_factor
from auditlog import audit
from subscriptions.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Remove a user's second factor and recovery codes. The password stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['username']}”. Check the spelling; case matters.")
        with transaction.atomic():
            if not second_factor.remove(user):
                raise CommandError(f"“{options['username']}” has not set up a second factor: nothing to reset.")
            audit.record("reset second factor", timezone.now(), target=f"user {user.pk}")
        self.stdout.write(f"The second factor of “{options['username']}” is removed. They can set it up again.")
