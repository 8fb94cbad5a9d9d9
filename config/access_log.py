"""Gunicorn's log of requests, without the secrets that stand in addresses: `--logger-class config.access_log.Log`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from subscriptions.redaction import redact


class Log(Logger):  # type: ignore[misc]
    """Each atom of a line is redacted: the request line and the referrer hold addresses."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: dt.timedelta) -> dict[str, Any]:
        atoms = super().atoms(resp, req, environ, request_time)
        return {name: redact(value) if isinstance(value, str) else value for name, value in atoms.items()}
