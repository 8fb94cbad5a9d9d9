from __future__ import annotations

import subprocess
import time

import psutil
import pytest

from embedded import instance

pytestmark = pytest.mark.processes


def test_it_reaps_the_children_of_a_leader_that_died_first(tmp_path):
    note = instance.Note(tmp_path)
    note.write([instance.Started("web", 2**22 - 1, 0.0)])
    orphan, other = _with_token(note.token), _with_token("another")
    try:
        assert instance.Note(tmp_path).reap(0.5) == ["what they had started"]
        assert orphan.poll() is not None
        assert other.poll() is None
    finally:
        for process in (orphan, other):
            process.kill()
            process.wait()


def _with_token(token):
    """A process whose environment can be read: the kernel shows it a moment after the program began."""
    process = subprocess.Popen(["sleep", "60"], env={instance.TOKEN_VARIABLE: token})
    end = time.monotonic() + 10
    while not psutil.Process(process.pid).environ() and time.monotonic() < end:
        time.sleep(0.001)
    return process


def test_it_never_ends_another_process_that_got_the_same_pid(tmp_path):
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        born = psutil.Process(other.pid).create_time()
        instance.Note(tmp_path).write([instance.Started("web", other.pid, born - 100)])
        assert instance.Note(tmp_path).reap(0.5) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": "x", "children": [{"pid": 1}]}', '{"token": "x"}'])
def test_it_starts_with_a_broken_note(tmp_path, text):
    (tmp_path / "supervisor.json").write_text(text)
    assert instance.Note(tmp_path).reap(0.1) == []
