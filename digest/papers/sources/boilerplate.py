"""What publishers put where the abstract belongs: the issue, the names, the DOI. The names are kept."""

from __future__ import annotations

import re

MAX_BOILERPLATE = 6_000  # characters; names may be many

# ScienceDirect: "Publication date: March 2027 Source: Kettles, Volume 171 Author(s): Ada Byron, Li Wei".
SCIENCEDIRECT = re.compile(
    r"Publication date: [^:]{3,60}? Source: (?:(?!Author\(s\):).){1,300}(?:Author\(s\): ?(?P<names>.*))?", re.DOTALL
)
# ACL's anthology: "Ada Byron, Li Wei and Mei Lin in Proceedings of the 38th Conference on Kettles".
IN_PROCEEDINGS = re.compile(
    r"(?P<names>[^\W\d_](?:(?! in )[^!?:]){2,3000}) in "
    r"(?:Proceedings|Findings|Transactions|Computational|Joint|Actes|Traitement|Northern|Journal)\b[^?!]{0,400}"
)
ACL_GUID = re.compile(r"(?:https?://(?:www\.)?aclanthology\.org/)?(?:[0-9]{4}\.[a-z0-9_]+-|[A-Z][0-9]{2}-)[a-z0-9.]+/?")
# NBER: "The Price of Kettles -- by Ada Byron, Li Wei".
BY = re.compile(r"(?P<title>.{3,900}?) (?:--|—) by (?P<names>[^\W\d_].{2,3000})")
NO_ABSTRACT = re.compile(
    r"\[?(?:no )?abstract (?:is )?(?:not )?available\.?\]?|\[no abstract[^\]]{0,40}\]|abstract\.?"
    r"|(?:toc graphic )?(?:[^.:]{0,150} )?doi: ?10\.\S{3,200}"  # ACS
    # Wiley
    r"|(?:[^.:]{0,150}, )?(?:volume|vol\.) [^:.]{1,200}(?:pages?|pp?\.|issue|no\.|ahead of print|earlyview)[^:]{0,60}"
    r"|[^.:]{0,150}, (?:earlyview|ahead of print|accepted article)\.?",
    re.IGNORECASE,
)


def without_boilerplate(abstract: str) -> tuple[str, str]:
    """The abstract, "" where it is none, and the line of names that stood in it."""
    if len(abstract) > MAX_BOILERPLATE:
        return abstract, ""
    if found := SCIENCEDIRECT.fullmatch(abstract):
        return "", found["names"] or ""
    return ("", "") if NO_ABSTRACT.fullmatch(abstract) else (abstract, "")


def names_in_proceedings(abstract: str, guid: str) -> str:
    """The names of one of ACL's entries, "" for any other text."""
    if not ACL_GUID.fullmatch(guid) or len(abstract) > MAX_BOILERPLATE:
        return ""
    found = IN_PROCEEDINGS.fullmatch(abstract)
    return found["names"] if found else ""


def without_by(title: str) -> tuple[str, str]:
    """The title, and the names that stand behind it."""
    found = BY.fullmatch(title)
    return (found["title"], found["names"]) if found else (title, "")
