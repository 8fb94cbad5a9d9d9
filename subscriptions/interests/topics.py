"""Topics to start from, for who does not know what to type: a name, and the lines it stands for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext, gettext_noop

# The table's names, where the tools of translation find them; a test holds the two together.
NAMES = (
    gettext_noop("Language models"), gettext_noop("Reasoning"), gettext_noop("Agents"), gettext_noop("Retrieval"),
    gettext_noop("Reinforcement learning"), gettext_noop("Images and video"), gettext_noop("Vision and language"),
    gettext_noop("Speech and audio"), gettext_noop("Robots"), gettext_noop("Efficiency"), gettext_noop("Safety"),
    gettext_noop("Benchmarks"), gettext_noop("Code"), gettext_noop("Science"),
)  # fmt: skip
TABLE = Path(__file__).with_name("topics.txt")


class Topic(NamedTuple):
    """One line of the table."""

    name: str
    lines: tuple[str, ...]

    @property
    def shown(self) -> str:
        """Its name in the language spoken now."""
        return gettext(self.name)


@cache
def topics() -> tuple[Topic, ...]:
    """The table's lines, in its order. Raises ValueError for one it cannot read."""
    found = []
    for number, row in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), start=1):
        if not row.strip() or row.startswith("#"):
            continue
        name, equals, lines = map(str.strip, row.partition("="))
        topic = Topic(name, tuple(line.strip() for line in lines.split("|") if line.strip()))
        if not equals or not name or not topic.lines:
            raise ValueError(f"{TABLE.name}, line {number}: expected NAME = line | line, found {row!r}")
        found.append(topic)
    return tuple(found)


def lines_of(name: str) -> tuple[str, ...]:
    """The lines of the topic of that name; none for a name that is no topic."""
    return next((topic.lines for topic in topics() if topic.name == name), ())
