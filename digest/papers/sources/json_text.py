"""JSON out of text, with errors that say where."""

from __future__ import annotations

import json

from digest.papers.sources.parsed import SourceError


def loaded_json(text: str) -> object:
    """The JSON value in the text; SourceError with line and column where there is none."""
    try:
        return json.loads(text, strict=False)  # a control character in one text must not silence all
    except json.JSONDecodeError as error:
        is_end = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        advice = "was the answer cut off? Fetch it again" if is_end else "tell its publisher"
        raise SourceError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg}): {advice}") from None
    except RecursionError:
        raise SourceError("the JSON is nested too deeply for a list of papers: fetch it again") from None
    except ValueError:  # an integer of more than 4,300 digits
        raise SourceError("the JSON holds a number no list of papers needs: fetch it again") from None
