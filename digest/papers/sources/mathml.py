"""MathML as a line of text that keeps what it says: 1/2, √2, e^{kt}. Presentation MathML: https://www.w3.org/TR/MathML3/.

The tree is given as nodes, so that trees of BeautifulSoup and of ElementTree are read alike.
"""

from __future__ import annotations

Node = tuple[str, list["Node | str"]]

UNSEEN = frozenset({"annotation", "annotation-xml", "mphantom", "none", "mprescripts", "maligngroup", "malignmark"})
LEFT_OUT = UNSEEN - {"none", "mprescripts"}  # those keep a place
SPACED = frozenset("=<>≤≥≈≃≅∼≡≠→←↔⇒∈∉⊂⊆∝≪≫±×")
LARGE = frozenset("∑∏∫∮⋃⋂⨁lim")  # what limits stand at
MARKS = {
    **{"¯": "\u0304", "‾": "\u0304", "_": "\u0304", "-": "\u0304", "−": "\u0304", "^": "\u0302", "ˆ": "\u0302"},
    **{"~": "\u0303", "˜": "\u0303", "∼": "\u0303", "→": "\u20d7", "˙": "\u0307", ".": "\u0307", "¨": "\u0308"},
}
MAX_DEPTH = 60
INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064\u200b")


def math_text(node: Node, depth: int = 0) -> str:
    """What a reader of a plain line should see of the formula."""
    name, parts = node
    children = [
        part for part in parts if not isinstance(part, str) and _local(part) not in UNSEEN - {"none", "mprescripts"}
    ]
    name = _local(node)
    if name in UNSEEN or depth > MAX_DEPTH:
        return ""
    if not children:
        return _leaf(name, "".join(part for part in parts if isinstance(part, str)))
    if name == "mmultiscripts":
        return _around(children, depth)
    texts = [math_text(child, depth + 1) for child in children]
    return _joined(name, texts) if name in TWO_OR_MORE and len(texts) > 1 else _one(name, texts)


TWO_OR_MORE = frozenset({"mfrac", "mroot", "msup", "msub", "msubsup", "mover", "munder", "munderover"})


def _local(node: Node) -> str:
    return node[0].rpartition(":")[2].lower()


def _leaf(name: str, text: str) -> str:
    text = " ".join(text.translate(INVISIBLE).split()) if name != "mtext" else text.translate(INVISIBLE)
    if name == "mspace":
        return " "
    return f" {text} " if name == "mo" and text in SPACED else text


def _one(name: str, texts: list[str]) -> str:
    if name == "msqrt":
        return _root("√", "".join(texts))
    if name == "mfenced":
        return f"({','.join(texts)})"
    if name == "mtr":
        return ", ".join(texts)
    if name == "mtable":
        return "[" + "; ".join(texts) + "]"
    return "".join(texts)


def _joined(name: str, texts: list[str]) -> str:
    base, first, second = texts[0], texts[1], texts[2] if len(texts) > 2 else ""
    if name == "mfrac":
        return f"{_bracketed(base)}/{_bracketed(first)}"
    if name == "mroot":
        return _root({"3": "∛", "4": "∜"}.get(first.strip(), f"{first.strip()}√"), base)
    if name == "msup":
        return base + _script("^", first)
    if name == "msub":
        return base + _script("_", first)
    if name == "msubsup" or (name == "munderover"):
        return base + _script("_", first) + _script("^", second)
    mark = MARKS.get(first.strip())
    if name == "mover" and mark and len(base.strip()) == 1:
        return base.strip() + mark
    if name == "mover":
        return base + (_script("^", first) if base.strip() in LARGE or len(first.strip()) > 1 else first.strip())
    return base + _script("_", first)


def _around(children: list[Node], depth: int) -> str:
    """A sign with scripts behind it and, after `mprescripts`, before it: ^{38}Ca."""
    base, *scripts = children
    names = [_local(child) for child in scripts]
    place = names.index("mprescripts") if "mprescripts" in names else len(scripts)
    before, behind = _pairs(scripts[place + 1 :], depth), _pairs(scripts[:place], depth)
    return before + math_text(base, depth + 1) + behind


def _pairs(scripts: list[Node], depth: int) -> str:
    texts = [math_text(script, depth + 1) for script in scripts]
    return "".join(_script("_" if place % 2 == 0 else "^", text) for place, text in enumerate(texts))


def _script(sign: str, text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    if sign == "^" and text in ("′", "″", "'", "∗", "*", "†", "+", "-", "−", "±") and len(text) == 1:
        return text if text in "′″'" else f"^{text}"
    return f"{sign}{text}" if len(text) == 1 or text.lstrip("-−+").isdigit() else f"{sign}{{{text}}}"


def _root(sign: str, text: str) -> str:
    text = text.strip()
    return f"{sign}{text}" if text.isalnum() else f"{sign}({text})"


def _bracketed(text: str) -> str:
    text = text.strip()
    is_one = text.isalnum() or (text[:1] in "√∛" and text[1:].isalnum()) or (text[:1] == "(" and text[-1:] == ")")
    return text if is_one or len(text) == 1 else f"({text})"
