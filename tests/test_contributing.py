"""What contributors and CI run: the files are valid, and call what the Makefile has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.tools import tool
from tests.stack import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
TARGETS = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_workflow_is_one_for_github() -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", WORKFLOW)
    assert done.returncode == 0, done.stdout


def test_a_broken_workflow_would_be_noticed(tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on:", "run-on:", 1))
    assert run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", broken).returncode == 1


def test_every_command_of_the_workflow_is_a_make_target(steps: list[dict[str, Any]]) -> None:
    commands = [step["run"] for step in steps if "run" in step]
    called = {re.fullmatch(r"make ([a-z-]+)(?:\$\{\{ matrix\.database \}\})?(?: EXTRA=.*)?", one) for one in commands}
    names = {match[1] if match else "" for match in called}
    assert names == {"lint", "test-", "image"}
    assert {"lint", "test-sqlite", "test-postgres", "image", "quick", "coverage", "lock"} <= TARGETS


def test_actions_come_from_github_alone(steps: list[dict[str, Any]]) -> None:
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert not [name for name in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", name)]


def test_the_hooks_are_valid_and_download_nothing() -> None:
    done = run(tool("pre-commit"), "validate-config", HOOKS)
    assert done.returncode == 0, done.stderr
    repositories = yaml.safe_load(HOOKS.read_text())["repos"]
    assert {one["repo"] for one in repositories} == {"local"}
    hooks = [hook for one in repositories for hook in one["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        name = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert Path(tool(name)).is_file()


def test_documented_targets_exist() -> None:
    texts = [(ROOT / name).read_text() for name in ("CONTRIBUTING.md", "README.md")]
    named = {name for text in texts for name in re.findall(r"`make ([a-z-]+)", text)}
    assert "quick" in named
    assert named <= TARGETS
