"""Every regular expression of the code base, read from its source, and long texts that make a bad one slow."""

from __future__ import annotations

import ast
import importlib
import re
import re._constants as sre
import re._parser as sre_parser
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("accounts", "auditlog", "config", "digest", "embedded", "subscriptions")
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
FLAGS_AT = dict.fromkeys(METHODS, 2) | {"compile": 1, "split": 3, "sub": 4, "subn": 4}  # among a call's arguments
ANYWHERE = ("search", "fullmatch")  # asked of a pattern whose use is not in sight
# What runs are made of: one of each kind of sign, and what languages of markup and of names repeat.
RUNS = (
    *(" ", "\n", "\t", "a", "A", "1", "_", '"', "'", "(", ")", "[", "{", "}", ",", ";", ":", ".", "-", "/", "\\", "<"),
    *("&", "$", "#", "@", "*", "~", "|", "=", "%", "\u0301", "é", "\u3002", "a ", "a,", "a.", "a-", "1.", "1 ", "\r\n"),
    *("and ", " and", ", ", "; ", "()", "(a)", "{}", "{a}", "\\{", "\\(", "$a", "<a ", "<!--", "<?", "&a", "a\u0301"),
    *('"a"', "'a ", " (", "a(", "\n ", "\n@", "]]", "[[", "a=", "\\a", "\\ ", "http://", "a@", "-a", "\n\n ", "ab ab "),
)  # fmt: skip
ENDS = ("\x00", "!")
PROBE = "".join(sorted(set("".join(RUNS)) | set("EZzxv0 59+?>^")))


@dataclass(frozen=True)
class Pattern:
    """A pattern, where it stands, and what it is asked."""

    where: str
    regex: re.Pattern[Any]
    methods: tuple[str, ...]

    def calls(self) -> Iterator[Callable[[str], object]]:
        for method in self.methods:
            yield self._call(method)

    def _call(self, method: str) -> Callable[[str], object]:
        bound = getattr(self.regex, method)
        is_bytes = isinstance(self.regex.pattern, bytes)

        def call(text: str) -> object:
            subject = text.encode() if is_bytes else text
            if method in ("sub", "subn"):
                return bound(b"" if is_bytes else "", subject)
            return list(bound(subject)) if method == "finditer" else bound(subject)

        return call


class Unknown(Exception):
    """A pattern that is made while the code runs; `DYNAMIC` of the test must say an example."""


def all_patterns(dynamic: dict[str, Sequence[str]]) -> list[Pattern]:
    """Each pattern once. `dynamic`: examples by the source of an expression that cannot be evaluated."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files if "migrations" not in path.parts}
    uses = {path: _uses(tree) for path, tree in trees.items()}
    found = (pattern for path, tree in trees.items() for pattern in _patterns_of(path, tree, uses, dynamic))
    return list({(pattern.regex, pattern.methods): pattern for pattern in found}.values())


def _patterns_of(
    path: Path, tree: ast.Module, uses: dict[Path, set[tuple[str, str, bool]]], dynamic: dict[str, Sequence[str]]
) -> Iterator[Pattern]:
    calls = [node for node in ast.walk(tree) if _is_of_re(node)]
    if not calls:
        return
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    kept = {name: list(_compiled_in(value)) for name, value in vars(module).items()}
    for call in calls:
        where = f"{path.relative_to(ROOT)}:{call.lineno}"
        if call.func.attr != "compile":
            for regex in _evaluated(call, module, dynamic):
                yield Pattern(where, regex, (call.func.attr,))
            continue
        names = _names_given(tree, call)
        found = [regex for name in names for regex in kept.get(name, ())]
        methods = _methods(names[0], path, uses) if len(names) == 1 and len(found) == 1 else ANYWHERE
        for regex in found or _evaluated(call, module, dynamic):
            yield Pattern(where, regex, methods)


def _is_of_re(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and getattr(node.func.value, "id", "") == "re" and node.func.attr in (*METHODS, "compile")


def _evaluated(call: ast.Call, module: Any, dynamic: dict[str, Sequence[str]]) -> list[re.Pattern[Any]]:
    source = ast.unparse(call.args[0])
    if source in dynamic:
        return [re.compile(example) for example in dynamic[source]]
    flags = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    flags += call.args[FLAGS_AT[call.func.attr] :][:1]
    try:
        values = [eval(ast.unparse(node), vars(module)) for node in (call.args[0], *flags)]
    except NameError as error:
        raise Unknown(f"{module.__name__}: {source}") from error
    return [re.compile(*values)]


def _compiled_in(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, dict):
        yield from (found for inner in value.values() for found in _compiled_in(inner, depth + 1))
    elif depth < 3 and isinstance(value, list | tuple):
        yield from (found for inner in value for found in _compiled_in(inner, depth + 1))


def _names_given(tree: ast.Module, call: ast.Call) -> list[str]:
    """The names of the module that the statement with this call binds."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and any(node is call for node in ast.walk(statement)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def _uses(tree: ast.Module) -> set[tuple[str, str, bool]]:
    """Names, what is asked of them, and whether they are another module's."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {alias.name for node in imports for alias in node.names}
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in METHODS]
    found = {
        (node.value.id, node.attr, node.value.id in imported) for node in asked if isinstance(node.value, ast.Name)
    }
    return found | {(node.value.attr, node.attr, True) for node in asked if isinstance(node.value, ast.Attribute)}


def _methods(name: str, path: Path, uses: dict[Path, set[tuple[str, str, bool]]]) -> tuple[str, ...]:
    """What is asked of the pattern of that name in its own file, and as another module's elsewhere."""
    found = {method for used, method, is_foreign in uses[path] if used == name and not is_foreign}
    if not name.startswith("_"):
        others = (one for other, used in uses.items() if other != path for one in used)
        found |= {method for used, method, is_foreign in others if used == name and is_foreign}
    return tuple(sorted(found)) or ANYWHERE


# --- texts
def attacks(pattern: re.Pattern[Any], size: int) -> Iterator[str]:
    """Texts of about that size: what leads into each repetition, a long run, and what does not fit behind it."""
    leads: dict[str, set[str]] = {"": set()}
    text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    for lead, run in _repetitions(sre_parser.parse(text, pattern.flags & ~re.DEBUG), "", pattern.flags):
        leads.setdefault(lead[:300], set()).update(run)
    for lead, own in list(leads.items())[:12]:
        first = min(own, default="")
        for run in dict.fromkeys(filter(None, (*sorted(own)[:6], lead, lead + first, *RUNS))):
            for end in ENDS:
                yield lead + run * (size // len(run)) + end


def _repetitions(items: Any, lead: str, flags: int) -> Iterator[tuple[str, set[str]]]:
    for operation, value in items:
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = value
            if most > 100:
                yield lead, {text for text in _shortest_texts(body, flags) if text}
            yield from _repetitions(body, lead, flags)
        elif operation is sre.BRANCH:
            for branch in value[1]:
                yield from _repetitions(branch, lead, flags)
        elif operation in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            yield from _repetitions(value[-1] if operation is sre.SUBPATTERN else value, lead, flags)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT) and value[0] > 0:
            yield from _repetitions(value[1], lead, flags)
        lead += _shortest_texts([(operation, value)], flags)[0]


def _shortest_texts(items: Any, flags: int) -> list[str]:
    """Some of the shortest texts that these items match; the first is made of their first choices."""
    texts = [""]
    for operation, value in items:
        choices = _choices(operation, value, flags)
        texts = [text + choice for text in texts for choice in choices][:8]
    return texts


def _choices(operation: Any, value: Any, flags: int) -> list[str]:
    if operation is sre.LITERAL:
        return [chr(value)]
    if operation is sre.NOT_LITERAL:
        return [sign for sign in " a1" if ord(sign) != value]
    if operation is sre.ANY:
        return ["a", " "]
    if operation is sre.IN:
        return [sign for sign in PROBE if _is_in(value, sign)][:8] or [_first_of(value)]
    if operation is sre.BRANCH:
        return [text for branch in value[1] for text in _shortest_texts(branch, flags)[:1]][:8]
    if operation is sre.SUBPATTERN:
        return _shortest_texts(value[-1], flags)
    if operation is sre.ATOMIC_GROUP:
        return _shortest_texts(value, flags)
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [text * value[0] for text in _shortest_texts(value[2], flags)] or [""]
    return [""]


def _is_in(items: Any, sign: str) -> bool:
    tests = {
        sre.CATEGORY_SPACE: str.isspace, sre.CATEGORY_NOT_SPACE: lambda s: not s.isspace(),
        sre.CATEGORY_DIGIT: str.isdigit, sre.CATEGORY_NOT_DIGIT: lambda s: not s.isdigit(),
        sre.CATEGORY_WORD: lambda s: s.isalnum() or s == "_",
        sre.CATEGORY_NOT_WORD: lambda s: not (s.isalnum() or s == "_"),
    }  # fmt: skip
    found = negated = False
    for operation, value in items:
        if operation is sre.NEGATE:
            negated = True
        elif operation is sre.LITERAL:
            found |= ord(sign) == value
        elif operation is sre.RANGE:
            found |= value[0] <= ord(sign) <= value[1]
        elif operation is sre.CATEGORY:
            found |= bool(tests[value](sign))
    return found != negated


def _first_of(items: Any) -> str:
    operation, value = items[-1]
    return chr(value if operation is sre.LITERAL else value[0]) if operation in (sre.LITERAL, sre.RANGE) else ""


# --- time
def seconds(call: Callable[[str], object], text: str, times: int = 1) -> float:
    """The CPU time of the fastest of so many calls."""
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        call(text)
        best = min(best, time.process_time() - began)
    return best


SMALL = 2_000
SUSPICIOUS = 0.0015  # seconds for SMALL characters; a linear pattern takes a twentieth of a millisecond
TIMES = 4  # how much longer the longer text is: so much longer a linear pattern takes, a quadratic one 16 times
MOST_GROWTH = 8.0


def _grows(call: Callable[[str], object], text: str, longer: str) -> bool:
    """Whether the longer text takes more than its share each time it is asked: a busy machine is slow now and then."""
    return all(seconds(call, longer, 2) > MOST_GROWTH * seconds(call, text, 2) for _ in range(5))


def slow_text(pattern: Pattern) -> str:
    """A text on which the pattern's time grows faster than the text, as a Python expression; "" where none is found."""
    small, large = attacks(pattern.regex, SMALL), attacks(pattern.regex, SMALL * TIMES)
    for text, longer in zip(small, large, strict=True):
        for call in pattern.calls():
            took = seconds(call, text)
            if took > SUSPICIOUS:
                took = seconds(call, text, 3)
            if took > SUSPICIOUS and _grows(call, text, longer):
                return f"{text[:60]!r}... {text[-10:]!r} takes {took * 1000:.0f} ms"
    return ""
