"""Record an act of staff. Call it in the same transaction as the act."""

from __future__ import annotations

import datetime as dt
import os
import pwd
from typing import Any

from auditlog.models import AuditEntry


def record(action: str, now: dt.datetime, *, user: Any = None, target: str = "", detail: str = "") -> AuditEntry:
    """Add an entry. Without `user` the act was a command, and the operating system's user did it.

    `target` and `detail` must hold no e-mail address in clear: write "subscriber 12", or a masked address.
    """
    return AuditEntry.objects.create(
        created_at=now,
        user=user,
        actor=user.get_username() if user else f"{os_user()} (command line)",
        action=action,
        target=target[:200],
        detail=detail[:500],
    )


def os_user() -> str:
    """Return who runs this process, from the kernel: environment variables can be set to anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid {os.getuid()}"
