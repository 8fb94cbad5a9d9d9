"""Every command that the documentation tells an operator to type exists and is understood."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, ManagementUtility

from tests.deploy.compose import compose, env_file
from tests.deploy.test_compose_file import SERVICES
from tests.deploy.tools import path_of_servers
from tests.stack import ROOT

README = (ROOT / "README.md").read_text().partition("## In production")[2].partition("\n## ")[0]
PRODUCTION = (ROOT / "docs" / "production.md").read_text()


def commands() -> list[str]:
    """Return each command of the blocks without a language, "&&" taken apart."""
    blocks = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", README + PRODUCTION)
    lines = [line for language, block in blocks if not language for line in block.splitlines()]
    return list(dict.fromkeys(part.strip() for line in lines for part in line.split("&&")))


def without_sudo(words: list[str]) -> list[str]:
    if words[0] != "sudo":
        return words
    return words[3:] if words[1] == "-u" else words[1:]


def check_manage(words: list[str], tmp_path: Path) -> None:
    """Let the command's own parser read it."""
    assert words[1] == "manage.py"
    command = ManagementUtility().fetch_command(words[2])
    command.create_parser("manage.py", words[2]).parse_args(words[3:])


def check_docker(words: list[str], tmp_path: Path) -> None:
    """Let Docker Compose parse it: it stops at an option that it does not know before it shows its help."""
    assert words[1] == "compose"
    verb, *rest = words[2:]
    (tmp_path / ".env").write_text(env_file())
    options = [word for word in rest if word.startswith("-")] if verb != "exec" else []
    done = compose(tmp_path, verb, *options, "--help")
    assert done.returncode == 0, done.stderr
    if verb == "exec":
        assert rest[0] in SERVICES
        check_manage(rest[1:], tmp_path)


def check_here(words: list[str], tmp_path: Path) -> None:
    """Run it on a copy of what it names; system folders are below tmp_path, and the group is our own."""
    for name in (".env.example", "deploy"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    shutil.copy(tmp_path / ".env.example", tmp_path / ".env")
    (tmp_path / "etc" / "systemd" / "system").mkdir(parents=True)
    own = {"paper": str(os.getgid())}
    words = [own.get(word, str(tmp_path / word[1:]) if word.startswith("/") else word) for word in words]
    subprocess.run(words, cwd=tmp_path, check=True, timeout=60)


def check_apt(words: list[str], tmp_path: Path) -> None:
    assert words[1] == "install"
    for name in words[2:]:
        done = subprocess.run(["apt-cache", "show", name], capture_output=True, text=True, timeout=60)
        assert done.stdout.startswith("Package:"), f"{name} is no package"


def check_systemctl(words: list[str], tmp_path: Path) -> None:
    if words[1] == "daemon-reload":
        return
    assert words[1] in ("enable", "start", "restart", "reload")
    for name in words[2:]:
        unit = name if "." in name else f"{name}.service"
        assert name == "nginx" or (ROOT / "deploy" / "systemd" / unit).is_file()


def check_options(words: list[str], tmp_path: Path) -> None:
    """Look for its long options in its help."""
    program = shutil.which(words[0], path=f"{path_of_servers()}:{os.environ['PATH']}")
    if not program:
        pytest.skip(f"{words[0]} is not on this machine")
    text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60).stdout
    for word in words[1:]:
        assert not word.startswith("-") or word in text


def check_git(words: list[str], tmp_path: Path) -> None:
    assert words[1:] in (["pull"], ["clone", ".", "/opt/paper-round"])


def check_python(words: list[str], tmp_path: Path) -> None:
    if words[:4] == ["python3", "-m", "venv", ".venv"]:
        return
    if words[0].endswith("pip"):
        assert words[1:3] == ["install", "-r"]
        assert (ROOT / words[3]).is_file()
    else:
        check_manage(words, tmp_path)


def from_a_package(words: list[str], tmp_path: Path) -> None:
    """It is not on every machine, but a package that the documentation installs brings it."""
    assert words[0] in PRODUCTION.partition("sudo apt install ")[2].partition("\n")[0].split()


CHECKS: dict[str, Callable[[list[str], Path], None]] = {
    "docker": check_docker,
    "python3": check_python,
    ".venv/bin/python": check_python,
    ".venv/bin/pip": check_python,
    "cp": check_here,
    "chmod": check_here,
    "install": check_here,
    "apt": check_apt,
    "systemctl": check_systemctl,
    "useradd": check_options,
    "createuser": check_options,
    "createdb": check_options,
    "git": check_git,
    "nginx": from_a_package,  # test_nginx.py runs it
    "certbot": from_a_package,
    "ln": lambda words, tmp_path: None,
    "cd": lambda words, tmp_path: None,
}


@pytest.mark.parametrize("command", commands())
def test_the_command_is_understood(tmp_path: Path, command: str) -> None:
    words = without_sudo(shlex.split(command))
    assert words[0] in CHECKS, f"nothing here says how to check {command!r}"
    if words[0] == "apt" and not shutil.which("apt-cache"):
        pytest.skip("this is no Debian")
    CHECKS[words[0]](words, tmp_path)


def test_a_wrong_option_would_be_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        check_docker(["docker", "compose", "up", "--detached"], tmp_path)
    with pytest.raises(CommandError):
        check_manage(["python", "manage.py", "mail", "dry"], tmp_path)


def test_what_is_mentioned_exists() -> None:
    """Commands of ours in running text: targets of make, commands of manage.py and of `manage.py mail`."""
    text = README + PRODUCTION
    targets = re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text())
    assert set(re.findall(r"`make (\w+)", text)) <= set(targets)
    found = {path.stem for path in ROOT.glob("*/management/commands/*.py")} | {"createsuperuser", "migrate"}
    assert set(re.findall(r"manage\.py (\w+)", text)) <= found
    for link in re.findall(r"\]\((?!http)([^)#]+)", PRODUCTION):
        assert (ROOT / "docs" / link).exists(), link
