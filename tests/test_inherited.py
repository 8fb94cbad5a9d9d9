"""Tests are independent of how the run was started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.stack import ROOT

# Starts a program that says what it inherited, from a process that was itself started in odd surroundings.
PROGRAM = """
import os, signal, time
ignored = [one.name for one in signal.Signals if signal.getsignal(one) is signal.SIG_IGN]
print(sorted(set(ignored) - {"SIGPIPE", "SIGXFSZ"}), signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(oct(os.umask(0)), time.localtime(0).tm_hour, os.environ.get("COLUMNS"), ascii("ü"), os.fsencode("ü"))
"""
STARTED_ODDLY = f"""
import os, signal, subprocess, sys
os.umask(0o077)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if sys.argv[1:] == ["reset"]:
    from tests import inherited
    inherited.reset()
    os.kill(os.getpid(), signal.SIGHUP)  # the run itself outlives its terminal all the same
print(subprocess.run([sys.executable, "-c", {PROGRAM!r}], stdout=subprocess.PIPE, text=True).stdout)
"""
ODD = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "COLUMNS": "20"}
USUAL = "[] set()\n0o22 0 None '\\xfc' b'\\xc3\\xbc'"


@pytest.mark.parametrize("reset", [True, False])
def test_a_program_inherits_the_usual_whatever_started_the_run(reset: bool) -> None:
    command = [sys.executable, "-c", STARTED_ODDLY, *(["reset"] if reset else [])]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | ODD, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip() == USUAL) is reset  # without the reset, the surroundings are odd indeed
