"""The Dockerfiles, and what gets into the image."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from tests.deploy.compose import dockerfile
from tests.deploy.tools import tool
from tests.stack import ROOT

IMAGES = [ROOT / "Dockerfile", ROOT / "deploy" / "caddy" / "Dockerfile"]


@pytest.fixture(params=IMAGES, ids=["app", "caddy"])
def image(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_hadolint_finds_nothing(image: Path) -> None:
    done = subprocess.run([tool("hadolint"), str(image)], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_last_user_is_a_number_and_not_root(image: Path) -> None:
    assert re.findall(r"(?m)^USER (\d+):\d+$", image.read_text())[-1] != "0"


def test_the_base_is_pinned_to_a_patch_release(image: Path) -> None:
    assert re.search(r"(?m)^FROM \S+:\d+\.\d+\.\d+-", image.read_text())


def test_the_image_starts_with_a_private_umask(image: Path) -> None:
    words = [*dockerfile(image)["ENTRYPOINT"], "sh", "-c", 'umask; echo "$1"', "sh", "a b"]
    assert subprocess.check_output(words, text=True) == "0077\na b\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as people have it: with secrets, data and a virtual environment in it."""
    folder = tmp_path_factory.mktemp("checkout")
    files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT).split(b"\0")
    for name in filter(None, map(os.fsdecode, files)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in (
        ".env",
        ".git/config",
        "var/secret_key",
        ".venv/bin/python",
        "config/.env",
        "config/__pycache__/a.pyc",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("private")
    return folder


def sent_to_docker(folder: Path) -> set[str]:
    """Return the files that Docker's own client would send, by .dockerignore."""
    patterns = (folder / ".dockerignore").read_text().splitlines()
    found: set[str] = exclude_paths(str(folder), [line for line in patterns if line and not line.startswith("#")])
    return {name for name in found if (folder / name).is_file()} - {"Dockerfile", ".dockerignore"}


def test_nothing_private_gets_into_the_image(checkout: Path) -> None:
    names = sent_to_docker(checkout)
    assert not [name for name in names if "private" in (checkout / name).read_text(errors="ignore")[:7]]
    tops = {name.split("/")[0] for name in names}
    assert not tops & {".git", ".env", ".venv", "var", "tests", "docs", "bench", "audit", "deploy"}


def test_the_image_holds_all_that_the_service_needs(checkout: Path, tmp_path: Path) -> None:
    """What the Dockerfile and docker-compose.yml run, in a folder with these files only."""
    app = tmp_path / "app"
    for name in sent_to_docker(checkout):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkout / name, app / name)
    env = os.environ | {"EMBEDDED": "1", "DATA_DIR": str(tmp_path / "build"), "PYTHONPATH": ""}
    for words in (["collectstatic", "--noinput"], ["migrate", "-v0"], ["check"]):
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=app, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert (app / "staticfiles").is_dir()
