"""Mail servers to measure against: postfix's tools and a private postfix, unpacked from Debian's package into var/.

Nothing is installed and nothing of the system is changed. Where the package cannot be had, a small sink of our own
takes the place of smtp-sink, and there is neither smtp-source nor a real mail server.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

UNPACKED = Path(__file__).resolve().parent.parent / "var" / "postfix"
OWNER, GROUP = "daemon", "games"  # of the queue; any two that exist and are nobody's
QUEUE = (
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace",
)  # fmt: skip
MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
daemon_directory = {unpacked}/usr/lib/postfix/sbin
command_directory = {unpacked}/usr/sbin
shlib_directory = {unpacked}/usr/lib/postfix
mail_owner = {owner}
setgid_group = {group}
import_environment = MAIL_CONFIG LD_LIBRARY_PATH={unpacked}/usr/lib/postfix
maillog_file = {data}/log
maillog_file_prefixes = {data}
myhostname = mx.bench.test
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
default_transport = discard
relay_transport = discard
local_transport = discard
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
default_process_limit = 150
message_size_limit = 50000000
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def unpack() -> Path | None:
    """The folder with Debian's postfix in it, or None where it cannot be had."""
    if not (UNPACKED / "usr/sbin/smtp-sink").exists():
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            return None
        UNPACKED.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["apt-get", "download", "-qq", "postfix"], cwd=UNPACKED, capture_output=True)
        packages = list(UNPACKED.glob("postfix_*.deb"))
        if done.returncode or not packages:
            return None
        subprocess.run(["dpkg", "-x", packages[0], UNPACKED], check=True, capture_output=True)
    works = subprocess.run(
        [UNPACKED / "usr/sbin/postconf", "-d", "mail_version"], env=environment(), capture_output=True
    )
    return None if works.returncode else UNPACKED


def smtp_source(port: int, messages: int, size: int, sessions: int = 1) -> list[str]:
    """The command that sends so many mails over kept connections."""
    program = str(UNPACKED / "usr/sbin/smtp-source")
    options = f"-d -s {sessions} -m {messages} -l {size} -f papers@example.org -t reader@example.net"
    return [program, *options.split(), f"127.0.0.1:{port}"]


@contextlib.contextmanager
def sink() -> Iterator[tuple[int, str]]:
    """A server that takes everything and keeps nothing: its port and its name."""
    port = free_port()
    if unpack():
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        command = [str(UNPACKED / "usr/sbin/smtp-sink"), *user, f"127.0.0.1:{port}", "1000"]
        process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
        wait: Callable[[], object]
        end, wait, name = process.terminate, process.wait, "smtp-sink"
    else:
        own = multiprocessing.get_context("spawn").Process(target=_own_sink, args=(port,), daemon=True)
        own.start()
        end, wait, name = own.terminate, own.join, "our own sink"
    try:
        wait_for(port)
        yield port, name
    finally:
        end()
        wait()


@contextlib.contextmanager
def postfix() -> Iterator[tuple[int, psutil.Process] | None]:
    """A private postfix that queues on disk as always and throws away what it queued: its port and its master process.
    None where there is no package, or where we are not root, which postfix wants to be.
    """
    if not unpack() or os.getuid():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="paper-round-postfix-"))
    port = free_port()
    _lay_out(folder, port)
    master = subprocess.Popen(
        [UNPACKED / "usr/lib/postfix/sbin/master", "-d", "-c", folder / "etc"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(port)
        yield port, psutil.Process(master.pid)
    finally:
        children = psutil.Process(master.pid).children(recursive=True)
        master.send_signal(signal.SIGTERM)
        master.wait(10)
        for child in psutil.wait_procs(children, timeout=5)[1]:
            child.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def far_away(port: int, delay: float) -> Iterator[int]:
    """A proxy in a process of its own: what the client says arrives so many seconds later. Its port."""
    near = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_proxy, args=(near, port, delay), daemon=True)
    process.start()
    try:
        wait_for(near)
        yield near
    finally:
        process.terminate()
        process.join()


def seconds(master: psutil.Process) -> float:
    """CPU seconds of a process and of all that live under it."""
    total = 0.0
    for process in (master, *master.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since, and its parent counts it
            t = process.cpu_times()
            total += t.user + t.system + t.children_user + t.children_system
    return total


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until the port is answered; TimeoutError after ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


def environment() -> dict[str, str]:
    return os.environ | {"LD_LIBRARY_PATH": str(UNPACKED / "usr/lib/postfix")}


def _lay_out(folder: Path, port: int) -> None:
    owner = pwd.getpwnam(OWNER).pw_uid
    os.umask(0o022)  # our settings' is stricter, and Postfix reads these as users of its own
    folder.chmod(0o755)
    names = {name: folder / name for name in ("etc", "queue", "data")}
    for path in names.values():
        path.mkdir(mode=0o755)
    os.chown(names["data"], owner, -1)
    for name in (*QUEUE, "public", "maildrop", "pid"):
        path = names["queue"] / name
        path.mkdir(mode=0o700)
        if name != "pid":
            os.chown(path, owner, -1)
    words = {"queue": names["queue"], "data": names["data"], "unpacked": UNPACKED, "owner": OWNER, "group": GROUP}
    (names["etc"] / "main.cf").write_text(MAIN.format(**words))
    (names["etc"] / "master.cf").write_text(MASTER.format(port=port))


def _own_sink(port: int) -> None:
    """Says yes to everything, PIPELINING included."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 ok\r\n")
            else:
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(talk, "127.0.0.1", port, limit=2**20) as server:
            await server.serve_forever()

    asyncio.run(serve())


def _proxy(near: int, port: int, delay: float) -> None:
    """What the server says passes at once: a round trip takes `delay`."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: _Near(port, delay), "127.0.0.1", near, backlog=1000) as server:
            await server.serve_forever()

    asyncio.run(serve())


class _Near(asyncio.Protocol):
    """The client's end."""

    def __init__(self, port: int, delay: float) -> None:
        self.port, self.delay = port, delay
        self.server: asyncio.Future[asyncio.WriteTransport] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.loop = asyncio.get_running_loop()
        self.opening = self.loop.create_task(self.open(transport))

    async def open(self, transport: asyncio.BaseTransport) -> None:
        found, _ = await self.loop.create_connection(lambda: _Far(transport), "127.0.0.1", self.port)
        self.server.set_result(found)

    def data_received(self, data: bytes) -> None:
        self.loop.call_later(self.delay, lambda: self.server.result().write(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.loop.call_later(self.delay, lambda: self.server.result().close())


class _Far(asyncio.Protocol):
    """The server's end."""

    def __init__(self, client: asyncio.BaseTransport) -> None:
        assert isinstance(client, asyncio.WriteTransport)
        self.client = client

    def data_received(self, data: bytes) -> None:
        self.client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.client.close()
