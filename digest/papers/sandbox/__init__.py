"""Foreign pages, parsed in a process of its own that is killed when it takes too long or too much memory."""

from digest.papers.sandbox.calls import HAND_IN_SECONDS, SECONDS, feeds_in, parse
from digest.papers.sandbox.messages import Parsed

__all__ = ["HAND_IN_SECONDS", "SECONDS", "Parsed", "feeds_in", "parse"]
