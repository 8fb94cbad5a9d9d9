"""What the service writes is for its own user alone, and a folder that is not its own is left as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import private_files
from config.environment import socket_path
from tests.stack import ROOT, UMASK, Stack, wait_until


def modes(folder: Path) -> dict[str, str]:
    """What others may do with the folder and all that is in it, where it is anything."""
    paths = [folder, *folder.rglob("*")]
    return {str(path): stat.filemode(path.lstat().st_mode) for path in paths if path.lstat().st_mode & 0o077}


def check(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=os.environ | {"DATA_DIR": str(folder)} | env,
        capture_output=True, text=True, timeout=60, umask=UMASK,
    )  # fmt: skip


@pytest.mark.processes
def test_a_whole_service_writes_nothing_that_others_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    stack = Stack(folder)
    stack.env |= {"SECRET_KEY": "", "EMAIL_URL": ""}
    with stack:
        stack.start("-m", "celery", "--quiet", "-A", "config", "beat", "--loglevel", "WARNING")
        stack.manage("mail", "test", "ada@example.org")
        stack.shell("from embedded.first_run import prepare; prepare(print)")
        stack.shell("from django.core.cache import cache; cache.set('word', 1)")
        wait_until(lambda: list(folder.glob("beat-schedule*")), "beat to write its schedule")
        assert modes(folder) == {}
        there = {path.name for path in folder.iterdir()}
        assert there >= {"secret_key", "redis.sock", "admin_password.txt", "mail", "stack.log"}
        assert list((folder / "mail").glob("*.eml"))
        if not stack.env["DATABASE_URL"]:
            assert "paper-round.sqlite3" in there
    assert (folder / "redis.rdb").exists()  # written as it ended
    assert modes(folder) == {}


def test_files_of_an_older_version_are_closed_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail").chmod(0o755)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.touch()
    elsewhere.chmod(0o644)
    for name in ("paper-round.sqlite3", "paper-round.sqlite3-wal", "mail/a.eml"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    (tmp_path / "link").symlink_to(elsewhere)
    tmp_path.chmod(0o755)
    done = check(tmp_path)
    assert done.returncode == 0
    assert f"could read {tmp_path}. All that is in it is private now." in done.stderr
    (tmp_path / "link").unlink()
    assert modes(tmp_path) == {}
    assert elsewhere.stat().st_mode & 0o777 == 0o644
    assert "private now" not in check(tmp_path).stderr


def test_a_new_folder_is_closed_without_a_word(tmp_path: Path) -> None:
    done = check(tmp_path / "new" / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert modes(tmp_path) == {}


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / "thesis.tex").chmod(0o644)
    tmp_path.chmod(mode)
    done = check(tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"DATA_DIR={tmp_path} can be read by others and holds files of something else" in done.stderr
    assert f"(for example {tmp_path}/paper-round)" in done.stderr
    assert tmp_path.stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert (tmp_path / "thesis.tex").stat().st_mode & 0o777 == 0o644
    assert check(tmp_path / "paper-round").returncode == 0


def test_a_shared_folder_is_refused(tmp_path: Path) -> None:
    before = Path("/tmp").stat().st_mode
    assert "/tmp is a folder that others use too" in check(Path("/tmp"), TMPDIR=str(tmp_path)).stderr
    assert Path("/tmp").stat().st_mode == before
    tmp_path.chmod(0o1777)
    assert "is a folder that others use too" in check(tmp_path).stderr
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_somebody_elses_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4242)
    with pytest.raises(ImproperlyConfigured, match=rf"belongs to user {os.getuid()}, but this process runs as user"):
        private_files.prepare(tmp_path)


@pytest.mark.parametrize("name", ["a file", "a file/below"])
def test_what_is_no_folder_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    done = check(tmp_path / name)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"DATA_DIR={tmp_path / name} cannot be used" in done.stderr


def test_the_folder_of_a_long_paths_socket_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = socket_path(tmp_path / ("x" * 100)).parent
    folder.chmod(0o755)
    socket_path(tmp_path / ("x" * 100))
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(ImproperlyConfigured, match="belongs to somebody else"):
        socket_path(tmp_path / ("x" * 100))


def test_collected_files_can_be_served_by_another_user(tmp_path: Path) -> None:
    code = f"""
from django.conf import settings
from django.core.management import call_command
settings.STATIC_ROOT = {str(tmp_path / "static")!r}
call_command("collectstatic", interactive=False, verbosity=0)
"""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code], cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    paths = list((tmp_path / "static").rglob("*"))
    assert paths
    assert not [path for path in paths if path.stat().st_mode & 0o044 != 0o044]
