"""Where HTML is made or trusted by hand: few named places, counted, each with its reason."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from config.text_templates import TextTemplates

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "auditlog", "config", "digest", "embedded", "subscriptions")
TRUSTING = {"mark_safe", "SafeString", "SafeText", "SafeData", "html_safe", "__html__"}
BUILDING = {"format_html", "format_html_join"}  # these escape their arguments, but not the string they begin with

# file -> how often each name is called or used, and why that is right
ALLOWED: dict[str, tuple[dict[str, int], str]] = {
    "subscriptions/templatetags/languages.py": ({"mark_safe": 1}, "one constant attribute"),
    "subscriptions/time_zones.py": (
        {"mark_safe": 1, "format_html": 2, "format_html_join": 2}, "a select of time zones; its strings are constants",
    ),
    "subscriptions/admin.py": ({"format_html": 1}, "a sentence with a link to a suppression"),
    "digest/admin/add_source.py": ({"format_html": 1}, "an error with a link to the source that is there already"),
    "digest/admin/digests.py": ({"format_html": 1, "format_html_join": 1}, "a list of picks, each argument escaped"),
    "digest/admin/sources.py": ({"format_html": 2}, "links to kept pages"),
    "digest/mail/rendering/renderer.py": ({"format_html_join": 1}, "joins what the HTML templates have escaped"),
}  # fmt: skip
ALLOWED_TEMPLATES: dict[str, tuple[int, str]] = {}
# `safe` and its kin, `autoescape off`, and engines that do not escape.
IN_TEMPLATES = re.compile(r"\|\s*(?:safe|safeseq)\b|\{%-?\s*autoescape\s+off\b|\{%\s*filter\s+[^%]*\bsafe\b")


def used(tree: ast.AST) -> Counter[str]:
    """How often a file calls or names what makes text trusted; imports and annotations do not count."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in TRUSTING | BUILDING:
                found[name] += 1
        elif isinstance(node, ast.FunctionDef) and node.name == "__html__":
            found["__html__"] += 1
        elif isinstance(node, ast.ClassDef):
            names = [getattr(one, "id", getattr(one, "attr", "")) for one in (*node.bases, *node.decorator_list)]
            found.update(name for name in names if name in TRUSTING)
    return found


def test_html_is_trusted_in_few_named_places() -> None:
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if counted := used(ast.parse(path.read_text(encoding="utf-8"))):
                found[str(path.relative_to(ROOT))] = dict(counted)
    assert found == {name: counts for name, (counts, _) in ALLOWED.items()}
    assert all(reason for _, reason in ALLOWED.values())


def test_what_is_built_begins_with_a_constant() -> None:
    """`format_html(foreign)` or an f-string in it would be trusted whole."""
    for name in ALLOWED:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BUILDING | {"mark_safe"}:
                first = node.args[:2] if getattr(node.func, "id", "") == "format_html_join" else node.args[:1]
                assert all(isinstance(one, ast.Constant) for one in first), f"{name}:{node.lineno}"


def test_no_template_trusts_what_it_is_given() -> None:
    found = {}
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.is_file() and (count := len(IN_TEMPLATES.findall(path.read_text(encoding="utf-8")))):
            found[str(path.relative_to(ROOT))] = count
    assert found == {name: count for name, (count, _) in ALLOWED_TEMPLATES.items()}


def test_only_the_engine_of_text_parts_does_not_escape() -> None:
    off = [str(path.relative_to(ROOT)) for app in APPS for path in sorted((ROOT / app).rglob("*.py"))
           if re.search(r"[\"']autoescape[\"']\s*:\s*False", path.read_text(encoding="utf-8"))]  # fmt: skip
    assert off == ["config/text_templates.py"]
    engines = {path.suffix for path in (ROOT / "templates" / "emails").iterdir()}
    assert engines == {".html", ".txt"}


def test_what_the_text_engine_makes_is_not_trusted_as_html() -> None:
    engine = TextTemplates({"NAME": "t", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
    said = engine.from_string("{{ line }}").render({"line": mark_safe("R&D <img>")})
    assert said == "R&D <img>"
    assert type(said) is str
    subject = get_template("emails/link.subject.txt", using="text").render({"site_name": "R&D <b>"})
    assert type(subject) is str and "R&D <b>" in subject
    assert isinstance(get_template("404.html", using="html").render({}), SafeString)
