"""What commands write: names, titles and errors of others cannot steer the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, OutputWrapper

from subscriptions.visible import for_terminal


class VisibleOutput(OutputWrapper):
    """Replaces control characters by "�"."""

    def write(  # type: ignore[override]  # as Django's own
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        super().write(for_terminal(str(msg)), style_func, ending)


def _visible(out: Any) -> VisibleOutput:
    """The same stream, its colours kept."""
    if not isinstance(out, OutputWrapper):
        return VisibleOutput(out)
    wrapped = VisibleOutput(cast(TextIO, out._out), out.ending)
    wrapped.style_func = out.style_func
    return wrapped


class TerminalCommand(BaseCommand):
    """The base of our commands. Django sets both streams, and sets them again for `call_command(stdout=...)`."""

    @property
    def stdout(self) -> OutputWrapper:
        return self._stdout

    @stdout.setter
    def stdout(self, out: Any) -> None:
        self._stdout = _visible(out)

    @property
    def stderr(self) -> OutputWrapper:
        return self._stderr

    @stderr.setter
    def stderr(self, out: Any) -> None:
        self._stderr = _visible(out)
