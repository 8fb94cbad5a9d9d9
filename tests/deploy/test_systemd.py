"""The systemd units, judged by systemd's own tools."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.compose import command_line, resolved
from tests.deploy.tools import tool
from tests.stack import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
SYSTEM = Path("/usr/lib/systemd/system")
LEAST_EXPOSED = 15  # tenths on systemd's scale from 0, safe, to 10


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder where the units, and what they start, are installed."""
    tool("systemd-analyze")
    if not SYSTEM.is_dir():
        pytest.skip("systemd is not installed")
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree(UNITS, root / "etc" / "systemd" / "system")
    (root / "usr" / "lib" / "systemd" / "system").mkdir(parents=True)
    for path in [*SYSTEM.glob("*.target"), *SYSTEM.glob("*.slice")]:
        shutil.copy(path, root / "usr" / "lib" / "systemd" / "system")
    programs = root / "opt" / "paper-round" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "celery", "gunicorn"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    return root


def verify(root: Path) -> str:
    words = ["systemd-analyze", "verify", f"--root={root}", "--man=false", "paper-round.target", *SERVICES]
    return subprocess.run(words, capture_output=True, text=True, timeout=60).stderr


def test_systemd_finds_no_fault(machine: Path) -> None:
    assert verify(machine) == ""


def test_systemd_would_find_one(machine: Path) -> None:
    """Else the test above would show nothing."""
    shared = machine / "etc" / "systemd" / "system" / "paper-round-.service.d" / "shared.conf"
    right = shared.read_text()
    shared.write_text(right.replace("ProtectHome=", "ProtectHouse="))
    try:
        assert "ProtectHouse" in verify(machine)
    finally:
        shared.write_text(right)


@pytest.mark.parametrize("name", SERVICES)
def test_the_service_is_hardly_exposed(machine: Path, name: str) -> None:
    words = ["systemd-analyze", "security", "--offline=true", f"--root={machine}", f"--threshold={LEAST_EXPOSED}", name]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-500:]


def started(name: str) -> list[str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(UNITS / f"paper-round-{name}.service")
    return shlex.split(parser["Service"]["ExecStart"].replace("\\\n", " "))


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "papers", "beat"])
def test_it_starts_what_docker_compose_starts(tmp_path: Path, name: str) -> None:
    """Those commands are run by tests. Different are the address of the web server and the names of the workers."""
    folder, _, program = (words := started(name))[0].rpartition("/")
    assert folder == "/opt/paper-round/.venv/bin"
    here = " ".join([program, *words[1:]])
    there = " ".join(command_line(resolved(tmp_path)["services"][name])[4:])
    here = here.replace("127.0.0.1:8000", "0.0.0.0:8000").partition(" --hostname")[0]
    assert here == there


@pytest.mark.parametrize("name", ["worker", "papers"])
def test_workers_of_one_machine_have_different_names(name: str) -> None:
    assert started(name)[-1] == {"worker": "mail@%%h", "papers": "papers@%%h"}[name]  # systemd makes %h of it
