"""XML as it is written, made XML as it is defined: one bad sign in one record must not silence all the others.

Signs that XML 1.0 forbids are dropped, HTML's named entities become their signs, a bare "&" is written out; a record
that is still no XML is left out. Every mend is a warning that names the record. Works on UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from xml.parsers import expat

from digest.papers.sources.plain_text import quoted

# What XML 1.0 forbids (2.2), in UTF-8, raw and as references; "&name;" and "&" that begin no reference of XML's.
FORBIDDEN = rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
ODD = re.compile(
    rb"(?P<cdata><!\[CDATA\[)|(?P<end>\]\]>)|(?P<forbidden>"
    + FORBIDDEN
    + rb")|&(?:#(?:[xX](?P<hex>[0-9a-fA-F]{1,8})|(?P<number>[0-9]{1,8}));"
    + rb"|(?P<name>[A-Za-z][A-Za-z0-9]{0,31});|(?P<bare>))"
)
XMLS_OWN = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
RECORD = re.compile(rb"<(?P<close>/?)(?:[\w.-]{1,40}:)?(?P<name>item|entry|record|PubmedArticle|article)(?=[\s/>])")
TITLE = re.compile(rb"<(?:[\w.-]{1,40}:)?title(?:\s[^<>]{0,200})?>\s*(?:<!\[CDATA\[)?(?P<title>[^<]{1,200})")
# Prefixes that feeds use without declaring them.
PREFIXES = {
    b"mml": b"http://www.w3.org/1998/Math/MathML",
    b"m": b"http://www.w3.org/1998/Math/MathML",
    b"xlink": b"http://www.w3.org/1999/xlink",
    b"jats": b"http://jats.nlm.nih.gov",
    b"dc": b"http://purl.org/dc/elements/1.1/",
    b"dcterms": b"http://purl.org/dc/terms/",
    b"prism": b"http://prismstandard.org/namespaces/basic/2.0/",
    b"content": b"http://purl.org/rss/1.0/modules/content/",
    b"media": b"http://search.yahoo.com/mrss/",
    b"atom": b"http://www.w3.org/2005/Atom",
}
ROOT = re.compile(rb"<[A-Za-z_][\w:.-]{0,60}")
NO_MEND = ("no element found", "unclosed token", "unclosed CDATA section")  # a page that was cut off
MAX_WARNINGS = 20


def mended(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The page without what XML forbids, and what was mended in which record; nothing where all is well."""
    declares, has_dtd = b"<!ENTITY" in data, b"<!DOCTYPE" in data  # which may name what it likes
    mends: list[tuple[int, str]] = []
    pieces: list[bytes] = []
    position, in_cdata = 0, False
    for found in ODD.finditer(data):
        if found["cdata"] or found["end"]:
            in_cdata = bool(found["cdata"])
            continue
        instead = _instead(found, in_cdata=in_cdata, declares=declares, has_dtd=has_dtd)
        if instead is not None:
            pieces += [data[position : found.start()], instead]
            position = found.end()
            if not (found["name"] and has_dtd):
                mends.append((found.start(), _what(found)))
    if not pieces:
        return data, ()
    return b"".join([*pieces, data[position:]]), tuple(_warnings(data, mends))


def _instead(found: re.Match[bytes], *, in_cdata: bool, declares: bool, has_dtd: bool) -> bytes | None:
    """What stands for the odd thing, None where it may stay."""
    if found["forbidden"]:
        return b" " if found["forbidden"] in b"\x0b\x0c" else b""
    if in_cdata:  # HTML, whose references are read later
        return None
    if found["hex"] or found["number"]:
        number = int(found["hex"], 16) if found["hex"] else int(found["number"])
        return None if _is_allowed(number) else b""
    if not found["name"]:
        return b"&amp;"
    if found["name"] in XMLS_OWN or declares:
        return None
    sign = html5.get(f"{found['name'].decode()};")
    if not sign and has_dtd:
        return None
    return sign.encode() if sign else b"&amp;" + found[0][1:]


def _is_allowed(number: int) -> bool:
    return number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000


def _what(found: re.Match[bytes]) -> str:
    if found["forbidden"] or found["hex"] or found["number"]:
        return "a character that XML forbids was dropped"
    return "an entity that XML does not know was read as HTML's" if found["name"] else "a bare “&” was read as a sign"


def _warnings(data: bytes, mends: list[tuple[int, str]]) -> Iterator[str]:
    """One warning a record and kind of mend, with the record's place and title."""
    records = [found for found in RECORD.finditer(data) if not found["close"]]
    said: dict[str, None] = {}
    number = 0
    for offset, what in mends:
        while number < len(records) and records[number].start() <= offset:
            number += 1
        if len(said) > MAX_WARNINGS:
            break
        said[f"{_named(data, records[number - 1], number) if number else 'before the first record'}: {what}"] = None
    warnings = list(said)
    yield from warnings[:MAX_WARNINGS]
    if len(warnings) > MAX_WARNINGS:
        yield "and more of the kind"


def _named(data: bytes, record: re.Match[bytes], number: int) -> str:
    title = TITLE.search(data, record.end(), record.end() + 4_000)
    name = f" ({quoted(title['title'].decode('utf-8', 'replace'))})" if title else ""
    return f"{record['name'].decode()} {number}{name}"


def without_broken_records(data: bytes, error: str) -> tuple[bytes, tuple[str, ...]]:
    """The page without the records that are no XML, and a warning for each; () where leaving out does not help."""
    if "unbound prefix" in error:
        return _with_prefixes(data)
    if any(words in error for words in NO_MEND):
        return data, ()
    pieces: list[bytes] = []
    warnings: list[str] = []
    position = kept = 0
    for number, (start, end, opening) in enumerate(_records(data), start=1):
        if fault := _fault(data[start:end]):
            pieces.append(data[position:start])
            position = end
            warnings.append(f"{_named(data, opening, number)} passed over: it is not well-formed XML ({fault})")
        else:
            kept += 1
    if not kept or not warnings:
        return data, ()
    more = [f"and {len(warnings) - MAX_WARNINGS} more passed over"] if len(warnings) > MAX_WARNINGS else []
    return b"".join([*pieces, data[position:]]), (*warnings[:MAX_WARNINGS], *more)


def _with_prefixes(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The page with the well-known prefixes declared that it uses and does not declare."""
    lacking = [prefix for prefix in PREFIXES if _uses(data, prefix) and b"xmlns:" + prefix + b"=" not in data]
    root = ROOT.search(data)
    if not lacking or root is None:
        return data, ()
    declared = b"".join(b' xmlns:%s="%s"' % (prefix, PREFIXES[prefix]) for prefix in lacking)
    names = ", ".join(prefix.decode() for prefix in lacking)
    return data[: root.end()] + declared + data[root.end() :], (
        f"prefixes that are not declared were guessed: {names}",
    )


def _uses(data: bytes, prefix: bytes) -> bool:
    return b"<" + prefix + b":" in data or b" " + prefix + b":" in data


def _records(data: bytes) -> Iterator[tuple[int, int, re.Match[bytes]]]:
    """Where the outermost records begin and end; one that is never closed ends where the next begins."""
    opening: re.Match[bytes] | None = None
    depth = 0
    for found in RECORD.finditer(data):
        if opening is None:
            opening, depth = (None, 0) if found["close"] else (found, 1)
        elif found["name"] != opening["name"]:
            continue
        elif found["close"]:
            depth -= 1
            if depth == 0:
                end = data.find(b">", found.end())
                yield opening.start(), end + 1 if end >= 0 else len(data), opening
                opening = None
        elif found["name"] in (b"item", b"entry"):
            yield opening.start(), found.start(), opening
            opening = found
        else:
            depth += 1


def _fault(record: bytes) -> str:
    parser = expat.ParserCreate("utf-8")
    try:
        parser.Parse(record, True)
    except expat.ExpatError as error:
        return expat.ErrorString(error.code)
    return ""
