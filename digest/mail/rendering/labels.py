"""Reasons, words and dates as the reader reads them, in the language spoken now. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext

from digest.mail.rendering.excerpts import Segment, mark


def label(reason: dict[str, Any]) -> str:
    """What gave the points, in a word or two: the line as typed, or what else spoke."""
    match reason.get("kind"):
        case "close":
            return gettext("close to: %(line)s") % {"line": close_to(reason)}
        case "taste":
            return gettext("your taste")
        case "twin":
            return gettext("much like a paper above")
        case "faint":
            return gettext("a little of other lines")
    return str(reason["line"])


def close_to(reason: dict[str, Any]) -> str:
    """The line that a paper only comes close to; "" for another reason."""
    return str(reason["line"]) if reason.get("kind") == "close" else ""


def where(reason: dict[str, Any]) -> str:
    """Return "in the title and abstract" or one of both; "" where nothing was found."""
    match bool(reason.get("title")), bool(reason.get("abstract")):
        case True, True:
            return gettext("in the title and abstract")
        case True, False:
            return gettext("in the title")
        case False, True:
            return gettext("in the abstract")
    return ""


def voice(reason: dict[str, Any], lacks: str = "", title: str | None = None, said: str | None = None) -> str:
    """A reason: of a line that only comes close with what it `lacks`, of a likeness with the `title` of the paper it
    is to and what was `said` of that.
    """
    match reason.get("kind"):
        case "close" if lacks:
            return gettext("“%(line)s” comes close: %(lacks)s") % {"line": close_to(reason), "lacks": lacks}
        case "close":
            return gettext("“%(line)s” comes close, though it does not match") % {"line": close_to(reason)}
        case "taste" if reason["points"] < 0:
            return gettext("it is like papers you asked less of or passed over")
        case "taste" if title:
            return _liked(said) % {"title": title}
        case "taste":
            return gettext("it is like papers you liked")
        case "twin" if title:
            return gettext("it says much the same as “%(title)s”, which stands above it") % {"title": title}
        case "twin":
            return gettext("much like one above")
        case "faint":
            return gettext("other lines of yours, a little")
    found = found_as(reason)
    if not found:
        return gettext("“%(line)s” matches") % {"line": reason["line"]}
    return gettext("“%(line)s” matches %(found)s") % {"line": reason["line"], "found": found}


def _liked(said: str | None) -> str:
    match said:
        case "save":
            return gettext("it is like “%(title)s”, which you saved")
        case "more":
            return gettext("it is like “%(title)s”, which you asked more of")
    return gettext("it is like “%(title)s”, which you liked")


def why(reasons: Sequence[dict[str, Any]]) -> str:
    """All that is said for a paper, as one sentence."""
    spoken = [voice(reason) for reason in reasons if reason.get("kind") != "faint"]
    if not reasons:
        return gettext("Trending; it matches none of your interests.")
    sentence = "; ".join(spoken) or gettext("other lines of yours, a little")
    return f"{sentence[0].upper()}{sentence[1:]}."


def found_as(reason: dict[str, Any]) -> str:
    """Which words of the paper, and where: "“Surveys” in the title"; "" for none."""
    return " ".join(filter(None, [quoted(reason.get("words", ())), where(reason)]))


def marked(text: str, field: str, reasons: Iterable[dict[str, Any]]) -> tuple[Segment, ...]:
    return tuple(mark(text, [span for reason in reasons for span in reason.get(field, ())]))


def quoted(words: Iterable[str]) -> str:
    return listed([gettext("“%(text)s”") % {"text": word} for word in words])


def listed(words: Sequence[str]) -> str:
    """Return the words as one text: "one, two and three"."""
    if len(words) < 2:
        return "".join(words)
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(words[:-1]), "last": words[-1]}


def day(date: dt.date) -> str:
    return date_format(date, gettext("j F Y"))
