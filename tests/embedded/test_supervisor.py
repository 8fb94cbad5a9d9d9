from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from embedded import instance, supervisor
from embedded.supervisor import Child, Printer, Program

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.processes


class House:
    """A small_house.py and what can be seen of it from outside."""

    def __init__(self, data: Path, scene: str, *arguments: str, **env: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.small_house", str(data), scene, *(arguments or ("5",))],
            cwd=ROOT, env={**os.environ, **env}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    def says(self, text: str) -> Callable[[], bool]:
        return lambda: any(text in line for line in list(self.lines))

    def pid(self, name: str) -> int:
        path = self.data / f"{name}.pid"
        return int(path.read_text() or 0) if path.exists() else 0

    def log(self) -> list[str]:
        path = self.data / "log"
        return path.read_text().splitlines() if path.exists() else []

    def started(self, *names: str) -> Callable[[], bool]:
        """Whether they all listen to signals by now; the banner comes when they are merely forked."""
        return lambda: {f"{name} started" for name in names} <= set(self.log())

    def wait(self) -> int:
        code = self.process.wait(timeout=30)
        self._reader.join(timeout=10)
        return code


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts houses; ends every process they started, also where the test failed."""
    houses: list[House] = []

    def start(scene: str, *arguments: str, **env: str) -> House:
        houses.append(House(tmp_path, scene, *arguments, **env))
        return houses[-1]

    yield start
    for one in houses:
        one.process.kill()
        one.process.wait()
    for process in descendants(tmp_path):
        process.kill()


def descendants(data: Path) -> list[psutil.Process]:
    """Every living process that was told of the folder, the small house itself excepted."""
    found = []
    for process in psutil.process_iter():
        try:
            command, status = process.cmdline(), process.status()
        except psutil.Error:  # it ends while we look
            continue
        is_child = str(data) in command and "tests.embedded.small_house" not in command
        if is_child and status != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_it_names_each_line_and_prints_the_banner(house, wait_until):
    run = house("three")
    wait_until(lambda: all(run.says(f"hello from {name}")() for name in ("one", "two", "three")), "hello")
    wait_until(run.says(f"up {run.process.pid}"), "the banner")
    assert "one        | hello from one" in run.lines


def test_it_starts_the_next_once_the_one_before_is_ready(house, wait_until):
    run = house("slow")
    wait_until(run.says("slow       | hello"), "the first")
    assert not run.pid("after")
    wait_until(lambda: run.pid("after"), "the second")
    assert (run.data / "slow.ready").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_everything_in_reverse_order(house, wait_until, number):
    run = house("three")
    wait_until(run.says("up "), "all to run")
    wait_until(run.started("one", "two", "three"), "all to listen")
    wait_until(lambda: psutil.Process(run.pid("two")).children(), "the grandchild")
    grandchild = psutil.Process(run.pid("two")).children()[0]
    run.process.send_signal(number)
    assert run.wait() == 0
    assert [line for line in run.log() if "asked" in line] == [
        f"{name} asked to end" for name in ("three", "two", "one")
    ]
    assert descendants(run.data) == []
    assert not is_running(grandchild.pid)
    assert not (run.data / "supervisor.json").exists()


def test_ctrl_c_in_the_terminal_reaches_the_supervisor_alone(house, wait_until):
    run = house("three")
    wait_until(run.says("up "), "all to run")
    wait_until(run.started("one", "two", "three"), "all to listen")
    for name in ("one", "two", "three"):
        assert os.getsid(run.pid(name)) == run.pid(name) != os.getsid(run.process.pid)


def test_it_outlives_the_terminal_under_nohup(house, wait_until):
    run = house("slow", UNDER_NOHUP="1")
    wait_until(lambda: run.pid("slow"), "the first")
    run.process.send_signal(signal.SIGHUP)
    wait_until(lambda: run.pid("after"), "the second, after the signal")
    run.process.terminate()
    assert run.wait() == 0


def test_it_kills_who_does_not_listen(house, wait_until):
    run = house("stubborn", "0.5")
    wait_until((run.data / "deaf.deaf").exists, "the stubborn one")
    run.process.terminate()
    assert run.wait() == 0
    assert run.says("deaf did not end within 0 s: killed")() or run.says("deaf did not end within 1 s: killed")()
    assert descendants(run.data) == []


def test_a_second_ctrl_c_does_not_wait_for_the_slow(house, wait_until):
    run = house("stubborn", "60")
    wait_until((run.data / "deaf.deaf").exists, "the stubborn one")
    run.process.send_signal(signal.SIGINT)
    wait_until(run.says("ending deaf, one"), "the end to begin")
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(1.5)
    run.process.send_signal(signal.SIGINT)
    assert run.wait() == 0
    assert descendants(run.data) == []


def test_it_starts_a_dead_child_again_and_says_so(house, wait_until):
    run = house("three")
    wait_until(run.says("up "), "all to run")
    wait_until(run.started("one", "two", "three"), "all to listen")
    first = run.pid("two")
    wait_until(lambda: psutil.Process(first).children(), "the grandchild")
    grandchild = psutil.Process(first).children()[0]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: run.pid("two") not in (0, first), "the restart")
    assert run.says("two was ended by SIGKILL after")()
    assert run.says("starting it again in 1 s")()
    wait_until(lambda: not is_running(grandchild.pid), "the end of what the dead one had started")
    assert run.log().count("one started") == 1


def test_it_waits_longer_each_time(house, wait_until):
    run = house("failing")
    wait_until(run.started("one"), "the good one")
    wait_until(run.says("bad ended with exit code 3 after 0 s; starting it again in 2 s"), "the second death")
    assert run.says("bad ended with exit code 3 after 0 s; starting it again in 1 s")()
    assert run.log().count("one started") == 1


def test_a_program_that_is_not_there_does_not_stop_the_others(house, wait_until):
    run = house("missing")
    wait_until(run.says("no-such-program cannot be started"), "the reason")
    wait_until(lambda: run.pid("one"), "the other")


def test_the_delay_doubles_up_to_half_a_minute_and_starts_again_after_a_good_minute():
    out = io.StringIO()
    child = Child(Program("x", []), Printer(out, 10))
    for lived in (0, 0, 0, 0, 0, 0, 0, 61, 0):
        child.put_off("ended", lived)
    delays = [int(line.split()[-2]) for line in out.getvalue().splitlines()]
    assert delays == [1, 2, 4, 8, 16, 30, 30, 1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_its_children_end_with_it_even_when_it_is_killed(house, wait_until):
    run = house("three")
    wait_until(run.says("up "), "all to run")
    wait_until(run.started("one", "two", "three"), "all to listen")
    run.process.kill()
    run.wait()
    wait_until(lambda: descendants(run.data) == [], "the children to end")


def test_it_reaps_what_a_killed_one_left(house, wait_until):
    run = house("stubborn", "0.5")
    wait_until((run.data / "deaf.deaf").exists, "the stubborn one")
    left = run.pid("deaf")
    run.process.kill()
    run.wait()
    assert is_running(left)
    (run.data / "deaf.deaf").unlink()
    again = house("stubborn", "0.5")
    wait_until(again.says("ended what a killed run had left: deaf"), "the reaping")
    assert not is_running(left)
    wait_until((run.data / "deaf.deaf").exists, "the new one")
    assert is_running(again.pid("deaf"))


def test_it_notes_what_runs(house, wait_until):
    run = house("three")
    wait_until(run.says("up "), "all to run")
    note = json.loads((run.data / "supervisor.json").read_text())
    assert [child["name"] for child in note["children"]] == ["one", "two", "three"]
    for child in note["children"]:
        assert psutil.Process(child["pid"]).create_time() == pytest.approx(child["create_time"], abs=1)


def test_a_second_one_is_refused_and_the_first_goes_on(house, wait_until):
    first = house("three")
    wait_until(first.started("one", "two", "three"), "all to listen")
    second = house("three")
    assert second.wait() == 1
    (line,) = second.lines
    assert f"already running here (pid {first.process.pid}, http://127.0.0.1:8000)" in line
    assert first.process.poll() is None
    assert len([one for one in first.log() if "started" in one]) == 3


def test_the_lock_ends_with_its_process_and_no_child_keeps_it(house, wait_until):
    run = house("stubborn", "0.5")
    wait_until((run.data / "deaf.deaf").exists, "the stubborn one")
    run.process.kill()
    run.wait()
    assert is_running(run.pid("deaf"))
    with instance.Lock(run.data, "here"):
        pass


def test_it_says_which_port_is_in_use_before_it_starts_anything(house):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = house("three", "5", str(port))
        assert run.wait() == 1
    assert run.lines == [f"Port {port} (the web server's) is in use by another program. Try: PORT=8001 make run"]
    assert run.log() == []


def test_a_closed_terminal_ends_nothing():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    printer = supervisor.Printer(Closed(), 10)
    printer.line("web", "hello")
    printer.line("web", "hello again")


def test_it_shows_no_line_that_a_program_wants_hushed(tmp_path):
    import re

    out = io.StringIO()
    pipe = (tmp_path / "out").open("w+b")
    pipe.write(b"boring banner\n\nfine \xff line\nlast without end")
    pipe.seek(0)
    Printer(out, 3).follow(Program("web", [], hush=re.compile("boring")), pipe, 0)
    assert out.getvalue() == "web | fine � line\nweb | last without end\n"
