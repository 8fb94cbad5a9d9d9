"""A supervisor over small programs, for tests to run and to kill: small_house.py DATA_DIR SCENE [PORT]."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path

from embedded.instance import CannotStart, Lock, check_port
from embedded.supervisor import Program, Supervisor

DATA = Path(sys.argv[1])

# Each writes its pid to <name>.pid, and to <name>.log that it started and that it was asked to end.
BASE = """
    import os, pathlib, signal, subprocess, sys, time
    data, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    def note(text):
        with (data / "log").open("a") as file:
            file.write(f"{name} {text}\\n")
    def end(*_):
        note("asked to end")
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    (data / f"{name}.pid").write_text(str(os.getpid()))
    note("started")
    print("hello from", name)
"""
SLEEP = "\ntime.sleep(60)"
STUBBORN = "\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n(data / f'{name}.deaf').touch()" + SLEEP
PARENT = "\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])" + SLEEP
FAILS = "\nsys.exit(3)"
SLOW = "\ntime.sleep(0.6)\n(data / 'slow.ready').touch()" + SLEEP


def program(name: str, rest: str, **more: object) -> Program:
    code = textwrap.dedent(BASE) + rest
    return Program(name, [sys.executable, "-c", code, str(DATA), name], **more)


SCENES = {
    "three": [program("one", SLEEP), program("two", PARENT), program("three", SLEEP)],
    "stubborn": [program("one", SLEEP), program("deaf", STUBBORN)],
    "failing": [program("one", SLEEP), program("bad", FAILS)],
    "missing": [Program("missing", [str(DATA / "no-such-program")]), program("one", SLEEP)],
    "slow": [program("slow", SLOW, ready=(DATA / "slow.ready").exists), program("after", SLEEP)],
}


def main() -> None:
    try:
        with Lock(DATA, "http://127.0.0.1:8000"):
            house = Supervisor(
                SCENES[sys.argv[2]], DATA, DATA, banner=lambda: f"up {os.getpid()}", grace=float(sys.argv[3])
            )
            house.reap()
            if len(sys.argv) > 4:
                check_port(int(sys.argv[4]), "the web server's", "PORT=8001 make run")
            house.run()
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    if os.environ.get("UNDER_NOHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    main()
