"""Gunicorn's logs without secrets and addresses: `--logger-class config.access_log.Log`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from subscriptions.redaction import RedactingFormatter, loggable


class Log(Logger):  # type: ignore[misc]
    """Redacts each atom of an access log line, and each line of the error log."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: dt.timedelta) -> dict[str, Any]:
        atoms = super().atoms(resp, req, environ, request_time)
        redacted = {name: loggable(value) if isinstance(value, str) else value for name, value in atoms.items()}
        if redacted.get("q"):  # alone, a query does not tell which page it was for
            redacted["q"] = "…"
        return redacted

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            plain = handler.formatter
            handler.setFormatter(RedactingFormatter(plain._fmt, plain.datefmt))
