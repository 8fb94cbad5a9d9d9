"""Why a paper is in a reader's mail, as one plain sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "Trending; it matches none of your interests."


def why(reasons: Sequence[Mapping[str, Any]]) -> str:
    """A pick's reasons in words: "“diffusion” in the title; close to “state space models”." """
    spoken = [_spoken(reason) for reason in reasons if reason.get("kind") != "faint"]
    if not spoken:
        return "Other lines of yours, a little." if reasons else NONE
    sentence = "; ".join(spoken)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _spoken(reason: Mapping[str, Any]) -> str:
    kind = reason.get("kind")
    if kind == "taste":
        return "like papers you liked" if reason["points"] > 0 else "like papers you asked less of"
    if kind == "twin":
        return "much like a paper above it"
    if kind == "close":
        return f"close to “{reason['line'].removeprefix('close to: ')}”"
    line = reason["line"]
    # Words that stand in the line itself tell the reader nothing new.
    words = [f"“{word}”" for word in reason.get("words", ()) if word.casefold() not in line.casefold()]
    fields = [field for field in ("title", "abstract") if reason.get(field)]
    found_as = f" as {', '.join(words)}" if words else ""
    return f"“{line}”{found_as}" + (f" in the {' and '.join(fields)}" if fields else "")
