"""DATA_DIR is for this user alone: it holds addresses, mail, keys and a password."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

UMASK = 0o077
OTHERS = 0o077  # the permission bits of everybody but the owner
# What the service itself puts there: a folder that is open to others and holds none of it may be anybody's.
OURS = ("secret_key", "paper-round.sqlite3", "beat-schedule", "supervisor.lock", "redis.", "mail", "admin_password.txt")


def prepare(folder: Path) -> None:
    """Make the folder, or check that it can be ours alone and close it to others.

    From here on, this process and its children create files for this user only. Raises ImproperlyConfigured with what
    to do.
    """
    os.umask(UMASK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = [path.name for path in folder.iterdir()] if _is_ours(folder) else []
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR={folder} cannot be used ({error.strerror}): name another.") from error
    if reason := _why_not(folder, names):
        raise ImproperlyConfigured(f"DATA_DIR={folder} {reason} (for example {folder / 'paper-round'}).")
    if _is_open(folder.lstat()):
        _close(folder)


def _why_not(folder: Path, names: list[str]) -> str:
    """Return why this folder cannot be closed to others, with what to do; "" when it can."""
    do = "set it to a folder of its own that this service makes itself"
    if not _is_ours(folder):
        owner, user = folder.stat().st_uid, os.geteuid()
        return f"belongs to user {owner}, but this process runs as user {user}: run it as its owner, or {do}"
    shared = {Path("/"), Path.home().resolve(), Path(tempfile.gettempdir()).resolve()}
    if folder in shared or folder.stat().st_mode & stat.S_ISVTX:
        return f"is a folder that others use too: {do}"
    if names and _is_open(folder.stat()) and not any(name.startswith(OURS) for name in names):
        return f"can be read by others and holds files of something else: {do}"
    return ""


def _close(folder: Path) -> None:
    """Take the folder, and what is in it, from everybody else. The folder goes first: nobody looks in meanwhile."""
    folder.chmod(0o700)
    exposed = [path for path in _inside(folder) if _is_ours_and_open(path.lstat())]
    for path in exposed:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
    if exposed:
        print(f"Other users of this machine could read {folder}. All that is in it is private now.", file=sys.stderr)


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        yield from (Path(root, name) for name in [*folders, *files])


def _is_ours(folder: Path) -> bool:
    return folder.stat().st_uid == os.geteuid()


def _is_ours_and_open(info: os.stat_result) -> bool:
    return info.st_uid == os.geteuid() and _is_open(info) and not stat.S_ISLNK(info.st_mode)


def _is_open(info: os.stat_result) -> bool:
    return bool(info.st_mode & OTHERS)
