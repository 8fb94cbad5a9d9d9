"""A network of its own on this machine, in which the names of services mean 127.0.0.1 and every port is free."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self, TypeVar

import pytest

from tests.stack import wait_until

CLONE_NEWNET = 0x40000000
Result = TypeVar("Result")


class Sandbox:
    """A network and a mount namespace, and what was started in them. Ends with the block."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.folder = folder
        self.hosts = folder / "hosts"
        self.hosts.write_text(f"127.0.0.1 localhost {' '.join(names)}\n")
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        if os.getuid() != 0 or not shutil.which("unshare"):
            pytest.skip("network namespaces need root and util-linux")
        begin = 'ip link set lo up && mount --bind "$0" /etc/hosts && echo ready && exec sleep infinity'
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", begin, str(self.hosts)], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self._holder.wait()
            pytest.skip("this machine gives no network namespaces")
        return self

    def __exit__(self, *exc: object) -> None:
        for process in reversed(self.processes):
            self.stop(process)
        self._holder.kill()
        self._holder.wait()

    def command(self, words: Iterable[str], cwd: Path) -> list[str]:
        inside = ["nsenter", "--target", str(self._holder.pid), "--net", "--mount"]
        return [*inside, "env", f"--chdir={cwd}", *words]

    def start(self, name: str, words: Iterable[str], env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
        """Start a program. What it prints is in `log(name)`."""
        with self.log(name).open("ab") as out:
            process = subprocess.Popen(self.command(words, cwd), env=dict(env), stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def run(self, words: Iterable[str], env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            self.command(words, cwd), env=dict(env), capture_output=True, text=True, timeout=120, check=False
        )

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def connect(self, port: int, timeout: float = 20) -> socket.socket:
        """Return a connection to a port inside."""
        connection = self._inside(socket.socket)
        connection.settimeout(timeout)
        connection.connect(("127.0.0.1", port))
        return connection

    def listen(self, port: int) -> socket.socket:
        """Return a listening socket inside, which this process serves."""
        listener = self._inside(socket.socket)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        return listener

    def wait_for(self, port: int, name: str) -> None:
        """Wait until something listens there; `name` is whose log tells why not."""

        def answers() -> bool:
            try:
                self.connect(port, 1).close()
            except OSError:
                return False
            return True

        try:
            wait_until(answers, f"port {port}", 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(name).read_text()[-3000:]}") from None

    def _inside(self, make: Callable[[], Result]) -> Result:
        """Call `make` in a thread that has entered the namespace. A socket stays in the network it was made in."""
        made: list[Result] = []

        def enter() -> None:
            with open(f"/proc/{self._holder.pid}/ns/net") as namespace:  # noqa: PTH123
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(make())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return made[0]
