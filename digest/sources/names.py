"""Names of people: told apart where one string holds several, and turned round where the family comes first."""

from __future__ import annotations

import re

from digest.sources.plain import one_line
from digest.sources.tex_names import name_without_tex

INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]*){1,5}")
SUFFIXES = ("Jr", "Jr.", "Sr", "Sr.", "II", "III", "IV")
# "Ada Byron (MIT), Li Wei (1) ((1) Kettle University)": what follows a name in brackets is where they work.
WORKPLACE = re.compile(r" ?\((?:[^()]|\([^()]*\))*\) ?(?=[,;(]|$|and )")
MAX_WRITTEN = 1_000  # letters of one name before TeX and affixes are taken from it


def names_in(text: str) -> list[str]:
    """The names in one line of text: "Ada Byron, Mary Shelley and Li Wei", "Byron, A., Shelley, M."."""
    separator = r";" if ";" in text else r",(?:\s+and\s)?|\sand\s"
    spelled = WORKPLACE.sub("", name_without_tex(text))
    parts = [part for piece in re.split(separator, spelled) if (part := piece.strip())]
    if len(parts) == 2 and not any(" " in part for part in parts):
        return [text]  # "Byron, Ada" is one person
    if len(parts) % 2 == 0 and all(part.isupper() and INITIALS.fullmatch(part) for part in parts[1::2]):
        return [f"{initials} {family}" for family, initials in zip(parts[::2], parts[1::2], strict=True)]
    return _with_suffixes(parts)


def _with_suffixes(parts: list[str]) -> list[str]:
    names: list[str] = []
    for part in parts:
        if part in SUFFIXES and names:
            names[-1] += f", {part}"
        else:
            names.append(part)
    return names


def given_first(name: str) -> str:
    """ "Byron, Ada" as "Ada Byron", "King, Martin, Jr." as "Martin King, Jr."; other names as they are."""
    parts = [part.strip() for part in _spelled(name).split(",")]
    if len(parts) == 3 and parts[2] in SUFFIXES:
        return f"{parts[1]} {parts[0]}, {parts[2]}"
    return f"{parts[1]} {parts[0]}".strip() if len(parts) == 2 else ", ".join(parts)


def full_name(given: str, family: str, suffix: str = "") -> str:
    """The name of these parts, "" where no part has a letter (arXiv's records list ":" as an author)."""
    name = _spelled(f"{given} {family}")
    if not any(letter.isalpha() for letter in name):
        return ""
    return f"{name}, {suffix}" if suffix.strip() else name


def _spelled(name: str) -> str:
    return name_without_tex(one_line(name, MAX_WRITTEN)).strip()
