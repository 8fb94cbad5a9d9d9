from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from embedded import first_run
from embedded.management.commands import run

ROOT = Path(__file__).resolve().parents[2]


def get(port: int, address: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", address)
    return connection.getresponse().status


@pytest.mark.processes
def test_make_run_serves_everything_and_leaves_nothing(tmp_path, free_port, wait_until):
    port, mail = free_port(), free_port()
    env = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": str(port), "MAIL_CATCHER_PORT": str(mail)}
    env |= {"FETCH_SOURCES": "False", "SITE_URL": f"http://127.0.0.1:{port}", "REDIS_URL": "", "EMAIL_URL": ""}
    env |= {"DATABASE_URL": f"sqlite:///{tmp_path}/papers.sqlite3"}
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"], cwd=ROOT, env=env, stdout=file, stderr=subprocess.STDOUT
        )
    children: list[psutil.Process] = []
    try:
        wait_until(lambda: "Ctrl-C ends everything" in output.read_text(), "the banner", 60)
        wait_until(lambda: "ready." in output.read_text(), "the worker", 60)
        children = psutil.Process(process.pid).children(recursive=True)
        assert get(port, "/mailbox/") == 200
        text = output.read_text()
        assert f"http://127.0.0.1:{port}/mailbox/" in text
        password = tmp_path / "admin_password.txt"
        assert str(password) in text and password.read_text().strip() not in text
        assert password.stat().st_mode & 0o777 == 0o600
        second = subprocess.run(
            [sys.executable, "manage.py", "run"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30
        )
        assert second.returncode == 1
        assert f"already running here (pid {process.pid}, http://127.0.0.1:{port})" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert len(children) >= 10  # redis, mail, web + 2, worker + 2, papers + 1, beat
        assert not [child for child in children if child.is_running()]
    finally:
        process.kill()
        process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def test_it_runs_only_what_is_missing(settings):
    settings.EMBEDDED_REDIS = settings.EMBEDDED_MAIL = True
    assert [program.name for program in run.programs(8000)] == ["redis", "mail", "web", "worker", "papers", "beat"]
    settings.EMBEDDED_REDIS = settings.EMBEDDED_MAIL = False
    assert [program.name for program in run.programs(8000)] == ["web", "worker", "papers", "beat"]


@pytest.mark.django_db
class TestTheAdministrator:
    @pytest.fixture(autouse=True)
    def here(self, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        settings.SITE_IS_LOCAL = True
        self.said: list[str] = []

    def make(self) -> None:
        first_run.make_admin(self.said.append)

    def test_it_is_made_once_with_a_password_for_this_user_only(self):
        self.make()
        password = first_run.password_file()
        assert password.stat().st_mode & 0o777 == 0o600
        assert get_user_model().objects.get(is_superuser=True).check_password(password.read_text().strip())
        assert str(password) in first_run.admin_hint()
        self.make()
        assert len(self.said) == 1
        assert get_user_model().objects.count() == 1

    def test_it_is_not_made_on_a_public_site(self):
        with override_settings(SITE_IS_LOCAL=False):
            self.make()
        assert not get_user_model().objects.exists()
        assert first_run.admin_hint() == ""

    def test_it_takes_nobody_elses_name(self):
        get_user_model().objects.create_user("admin", password="mine")
        self.make()
        assert not get_user_model().objects.filter(is_superuser=True).exists()
        assert "createsuperuser" in self.said[0]

    def test_its_password_is_not_advertised_once_changed(self):
        self.make()
        user = get_user_model().objects.get()
        user.set_password("another")
        user.save()
        assert first_run.admin_hint() == ""


@pytest.mark.django_db
class TestTheSample:
    def test_it_fills_an_empty_site_once(self):
        from digest.models import Paper

        said: list[str] = []
        first_run.ingest_sample(said.append)
        first_run.ingest_sample(said.append)
        assert Paper.objects.count() > 0
        assert len(said) == 1
