"""Picks as tests look at them: in words."""

from __future__ import annotations

from typing import Any

from digest.models import Digest
from digest.picks.evidence import describe_digests


def picks_of(digest: Digest) -> list[dict[str, Any]]:
    """The described picks of a digest, each with its Paper."""
    return describe_digests([digest])[0]
