"""Who may import whom, read from the source: data goes forward, and no arrow turns back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = {
    "auditlog": set(),
    "subscriptions": {"auditlog"},
    "digest": {"auditlog", "subscriptions"},
    "accounts": {"auditlog", "subscriptions"},
    "embedded": {"subscriptions", "digest"},
}
FILES = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]

# Inside digest, each line may import from the lines above it only.
FLOORS = [
    {"sources", "sample"},
    {"fetch", "letters", "sandbox", "vectors"},
    {"models"},
    {"links", "ingest"},
    {"matching"},
    {"search"},
    {"percolation"},
    {"ranking"},
    {"composing", "smtp"},
    {"evaluation", "selecting"},
    {"providers", "tracking"},
    {"retention"},
    {"delivery", "explaining", "previewing", "dashboard", "health"},
    {"suggesting"},
    {"feeds", "api", "pages", "metrics", "admin", "tasks", "templatetags"},
    {"urls", "apps", "management"},
]


def imports(path: Path) -> set[str]:
    """Dotted names of the modules a file imports, `from a import b` as a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_app_imports_only_what_stands_below_it(path: Path) -> None:
    app = path.relative_to(ROOT).parts[0]
    above = set(APPS) - APPS[app] - {app}
    assert not {name for name in imports(path) if name.split(".")[0] in above}


@pytest.mark.parametrize("path", [path for path in FILES if "digest" in path.parts], ids=lambda path: path.name)
def test_digest_imports_go_up_the_floors(path: Path) -> None:
    here = _floor(path.relative_to(ROOT / "digest").parts[0].removesuffix(".py"))
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "digest" and len(parts) > 1 and parts[1] != path.parent.name:
            assert _floor(parts[1]) <= here, f"{path.name} imports {name}"


def _floor(module: str) -> int:
    if module == "__init__":
        return len(FLOORS)
    found = [number for number, names in enumerate(FLOORS) if module in names]
    assert found, f"give digest/{module} a place in FLOORS"
    return found[0]


@pytest.mark.parametrize("folder", ["digest/sources", "subscriptions/interests"])
def test_the_pure_parts_know_nothing_of_django(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        # But gettext: what is wrong with a line is said in the language of who typed it.
        found = {name for name in imports(path) if not name.startswith("django.utils.translation.")}
        assert not {name for name in found if name.split(".")[0] in ("django", "httpx", "redis", "celery")}


def test_nothing_is_imported_inside_a_function() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                inner = [n.lineno for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path}:{inner}"
