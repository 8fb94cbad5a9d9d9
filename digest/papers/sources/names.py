"""People's names as files write them: `Byron, Ada`, `A. Byron; M. Shelley`, `{"given": ..., "family": ...}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from digest.papers.sources.fragments import seen_text
from digest.papers.sources.plain_text import MAX_AUTHORS, MAX_NAME, one_line, short_lines
from digest.papers.sources.tex_names import name_without_tex

MAX_NAMES_TEXT = MAX_AUTHORS * MAX_NAME  # characters of a text that holds all the names

WHOLE_NAMES = ("name", "display_name", "full_name", "fullName", "literal", "creator", "text")
NAME_PARTS = (
    *(("given", "family"), ("firstname", "surname"), ("firstName", "lastName"), ("first_name", "last_name")),
    *(("givenName", "familyName"), ("given-name", "surname"), ("forename", "surname"), ("first", "last")),
)
INNER_NAMES = ("author", "person")  # OpenAlex: {"author": {"display_name": ...}}; Invenio: {"person_or_org": ...}

INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]*){1,5}")
SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|ph\.d|md|m\.d|dr)\.?", re.IGNORECASE)
SCOPUS_ID = re.compile(r" ?\([0-9]{6,}\)$")
# "Ada Byron (MIT), Li Wei (1) ((1) Kettle University)": what follows a name in brackets is where they work.
WORKPLACE = re.compile(r" ?\((?:[^()]|\([^()]*\))*\) ?(?=[,;(]|$|and )")
OTHERS = frozenset({"others", "et al", "et al."})
TEX = re.compile(r"[\\{]")
QUOTED = re.compile(r"""(["'])((?:(?!\1).|\1(?=\w)){1,200})\1(?=\s*[,\]])""")
LIST = re.compile(r"""\[\s*["'].*["']\s*\]""", re.DOTALL)
SIGNS = re.compile(r"[,;\\{(<&]|\.$")  # nine names in ten have none, and are what they are


def author_names(value: object) -> tuple[str, ...]:
    """All the names in whatever shape a record keeps them; () where there are none."""
    if isinstance(value, str):
        if value.startswith("[") and (listed := _listed(value)):
            return short_lines(map(plain_name, listed), MAX_AUTHORS)
        return short_lines(map(plain_name, names_in(_spelled(value[:MAX_NAMES_TEXT]))), MAX_AUTHORS)
    if isinstance(value, Mapping):
        # IEEE and DBLP: {"author": [...]}; OpenReview: {"value": [...]}
        value = next(
            (inner for key in ("author", "authors", "value") if isinstance(inner := value.get(key), list)), [value]
        )
    if not isinstance(value, list):
        return ()
    if len(value) == 1 and isinstance(value[0], str):
        return author_names(value[0])  # a list of one may hold all of them in one text
    return short_lines(_each(value), MAX_AUTHORS)


def _listed(text: str) -> list[str]:
    """The names of a list that stands in a cell as pandas and jq write it: ['Ada Byron', "Li Wei"]."""
    text = text.strip()[:MAX_NAMES_TEXT]
    return [found[2].strip() for found in QUOTED.finditer(text)] if LIST.fullmatch(text) else []


def _each(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        name = _name_of_object(value) if isinstance(value, Mapping) else value
        if isinstance(value, list):  # arXiv's dump: ["Byron", "Ada", "Jr"]
            name = ", ".join(part for part in value[:3] if isinstance(part, str) and part)
        if isinstance(name, str):
            yield plain_name(name)


def _name_of_object(person: Mapping[str, object]) -> object:
    for key in WHOLE_NAMES:
        if isinstance(person.get(key), str) and person[key]:
            return person[key]
    for given, family in NAME_PARTS:
        parts = [part for key in (given, family) if isinstance(part := person.get(key), str) and part]
        if parts and family in person:
            return " ".join(parts)
    inner = next((person[key] for key in (*INNER_NAMES, "person_or_org") if key in person), None)
    # One level and no more: {"author": {"author": ...}} may go on for ever.
    return next((inner[key] for key in WHOLE_NAMES if inner.get(key)), None) if isinstance(inner, Mapping) else None


def plain_name(name: str) -> str:
    """One name as it is spoken: "Byron, Ada" is Ada Byron; TeX's accents as letters, "et al." as nobody."""
    text = name[: MAX_NAME * 2].strip()
    if not SIGNS.search(text):
        return "" if text.lower() in OTHERS else text
    text = SCOPUS_ID.sub("", one_line(_spelled(text), MAX_NAME * 2))
    if text.lower() in OTHERS:
        return ""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2 and all(parts) and not SUFFIX.fullmatch(parts[1]):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3 and all(parts) and SUFFIX.fullmatch(parts[1]):
        return f"{parts[2]} {parts[0]}, {parts[1]}"  # BibTeX's order: family, suffix, given
    if len(parts) == 3 and all(parts) and SUFFIX.fullmatch(parts[2]):
        return f"{parts[1]} {parts[0]}, {parts[2]}"  # RIS's order
    return text.strip(" ,;")


def _spelled(text: str) -> str:
    return seen_text(name_without_tex(text) if TEX.search(text) else text)


def names_in(text: str) -> list[str]:
    """The names in one text: "A; B", "A and B", "A, B and C", "Byron, Ada", "Byron, A., Shelley, M."."""
    text = " ".join(text[:MAX_NAMES_TEXT].split())
    for separator in (";", "|"):
        if separator in text:
            return _parts(text.split(separator))
    halves = _parts(re.split(r",?\s(?:and|&)\s", text))
    if len(halves) > 1 and all(half.count(",") == 1 or half.lower() in OTHERS for half in halves):
        # "Byron, Ada and Shelley, Mary", and also "Byron, Ada and others".
        return halves
    return _between_commas(_parts(re.split(r",(?:\s+(?:and|&)\s)?|\s(?:and|&)\s", text)), text)


def _parts(pieces: Iterable[str]) -> list[str]:
    return [part for piece in pieces if (part := piece.strip())]


def _are_initials(part: str) -> bool:
    return part.isupper() and INITIALS.fullmatch(part) is not None


def _between_commas(parts: list[str], text: str) -> list[str]:
    if len(parts) == 2 and "," in text and (" " not in parts[0] or _are_initials(parts[1])):
        return [text]  # "Byron, Ada" and "de Byron, A." are one person
    if len(parts) % 2 == 0 and all(map(_are_initials, parts[1::2])):
        return [f"{initials} {family}" for family, initials in zip(parts[::2], parts[1::2], strict=True)]
    if len(parts) == 3 and SUFFIX.fullmatch(parts[2]) and not any(" " in part for part in parts):
        return [text]  # RIS's "Byron,Ada,Jr."
    names: list[str] = []
    for part in parts:
        if names and SUFFIX.fullmatch(part):
            names[-1] += f", {part}"
        else:
            names.append(part)
    return names


def names_in_line(text: str) -> list[str]:
    """The names in a line of a feed or a record, TeX's accents as letters, without where these people work."""
    return names_in(WORKPLACE.sub("", name_without_tex(text)))


def full_name(given: str, family: str, suffix: str = "") -> str:
    """The name of these parts, "" where no part has a letter (arXiv's records list ":" as an author)."""
    name = name_without_tex(one_line(f"{given} {family}", MAX_NAME * 2)).strip()
    if not any(letter.isalpha() for letter in name):
        return ""
    return f"{name}, {suffix}" if suffix.strip() else name
