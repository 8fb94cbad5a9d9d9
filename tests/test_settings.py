"""A wrong setting is one clear line and an exit code, never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from config import environment
from tests.stack import ROOT

WRONG = [
    ("DEBUG=maybe", "is neither yes nor no"),
    ("PORT=99999", "from 1 to 65535"),
    ("PORT=80 80", "from 1 to 65535"),
    ("SITE_URL=papers", "is not an address such as"),
    ("DATABASE_URL=mysql://x/y", "must begin with postgres"),
    ("EMAIL_URL=mail", "is not an address such as"),
    ("LOG_LEVEL=loud", "is not one of"),
    ("UNKNOWN_DELIVERIES=twice", "is not one of: resend, hold"),
    ("MAIL_RATE=14/s,many", "'many' is not a rate such as 14/s"),
    ("MAIL_RATE=0/s", "'0/s' is not a rate"),
    ("MAIL_DOMAIN_LIMITS=gmail.com", "'gmail.com' is not a domain and a number such as gmail.com=4"),
    ("MAIL_COMPLAINT_LIMIT=a little", "is not a percentage such as 0.1 or 2"),
    ("MAIL_COMPLAINT_LIMIT=101", "is not a percentage"),
    ("MAIL_WARM_UP=200,-1", "is not a list of whole numbers such as 200,400,800"),
    ("MAIL_BACKOFF=60,30", "is not growing numbers of seconds"),
    ("MAIL_CIRCUIT_WAIT=30", "is not 2 growing numbers of seconds"),
    ("MAIL_WINDOW=0", "from 1 to 1000"),
    ("CANDIDATE_DAYS=0", "from 1 to 60"),
    ("KEEP_DIGESTS_DAYS=124", "from 125 to 36500"),
    ("KEEP_MATCHES_DAYS=36", "from 37 to 36500"),
    ("KEEP_LEFT_DAYS=ever", "from 1 to 36500"),
    ("FETCH_PRIVATE_HOSTS=wiki.lan,10.0.0.5/8", "'10.0.0.5/8' is not a host, an address or a network"),
    ("FETCH_PRIVATE_HOSTS=http://wiki.lan/", "is not a host, an address or a network"),
    ("FETCH_PRIVATE_HOSTS=wiki.lan:99999", "is not a host, an address or a network"),
    ("ANYMAIL_POSTMARK_SERVER_TOKEN=a ANYMAIL_RESEND_API_KEY=b", "names 2 providers"),
    ('ANYMAIL_WEBHOOK_SECRET=["a:b"', "ANYMAIL_WEBHOOK_SECRET begins like JSON and is none"),
    ("PROVIDER_BATCHES=many", "is neither yes nor no"),
]


def check(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"DATA_DIR": str(folder)} | dict(setting.split("=", 1) for setting in settings)
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(("setting", "says"), WRONG)
def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, setting: str, says: str) -> None:
    pairs = setting.split(" ") if setting.startswith("ANYMAIL") else [setting]
    done = check(tmp_path, *pairs)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_all_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    singles = [setting for setting, _ in WRONG if not setting.startswith("ANYMAIL")]
    last_of_each = {setting.split("=")[0]: setting for setting in singles}
    done = check(tmp_path, *last_of_each.values(), "ANYMAIL_POSTMARK_SERVER_TOKEN=a", "ANYMAIL_RESEND_API_KEY=b")
    assert done.returncode == 1
    first, *lines = done.stderr.splitlines()
    assert first == "Settings are wrong:"
    for name in (*last_of_each, "ANYMAIL_"):
        assert sum(line.startswith(f"  {name}") for line in lines) == 1, name
    assert len(lines) == len(last_of_each) + 1


def test_a_providers_key_alone_chooses_it(tmp_path: Path) -> None:
    code = "from django.conf import settings; print(settings.EMAIL_BACKEND, settings.EMBEDDED_MAIL)"
    env = os.environ | {"DATA_DIR": str(tmp_path), "ANYMAIL_POSTMARK_SERVER_TOKEN": "secret"}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == "anymail.backends.postmark.EmailBackend False"


def test_a_providers_settings_come_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and objects as JSON, no tracking, and no repeats behind our back."""
    monkeypatch.setenv("ANYMAIL_MAILGUN_API_KEY", "key")
    monkeypatch.setenv("ANYMAIL_WEBHOOK_SECRET", '["a:b", "c:d"]')
    monkeypatch.setenv("ANYMAIL_IGNORE_UNSUPPORTED_FEATURES", "true")
    backend, values = environment.anymail_settings(environ.Env())
    assert backend == "anymail.backends.mailgun.EmailBackend"
    assert values == {
        "MAILGUN_API_KEY": "key",
        "MAILGUN_SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
        "WEBHOOK_SECRET": ["a:b", "c:d"],
        "IGNORE_UNSUPPORTED_FEATURES": True,
    }
    monkeypatch.delenv("ANYMAIL_MAILGUN_API_KEY")
    monkeypatch.setenv(
        "ANYMAIL_AMAZON_SES_CLIENT_PARAMS", '{"region_name": "eu-west-1", "config": {"read_timeout": 9}}'
    )
    backend, values = environment.anymail_settings(environ.Env())
    assert backend == "anymail.backends.amazon_ses.EmailBackend"
    params = values["AMAZON_SES_CLIENT_PARAMS"]
    assert params["region_name"] == "eu-west-1"
    assert (params["config"]["retries"], params["config"]["read_timeout"]) == ({"total_max_attempts": 1}, 9)
    monkeypatch.delenv("ANYMAIL_AMAZON_SES_CLIENT_PARAMS")
    monkeypatch.setenv("ANYMAIL_BREVO_API_KEY", "key")
    assert environment.anymail_settings(environ.Env())[0] == "digest.mail.transports.providers.brevo.EmailBackend"


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    for _ in range(2):
        assert check(tmp_path, "SECRET_KEY=").returncode == 0
    path = tmp_path / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_text()
    check(tmp_path, "SECRET_KEY=")
    assert path.read_text() == first
    assert len(first) > 50


def names_read() -> set[str]:
    """The variables that the settings read."""
    text = (ROOT / "config" / "settings.py").read_text() + (ROOT / "config" / "environment.py").read_text()
    return {a or b for a, b in re.findall(r'env\.\w+\("([A-Z_]+)"|\(env, "([A-Z_]+)"', text)}


@pytest.mark.parametrize("place", ["README.md", ".env.example"])
def test_every_setting_is_documented(place: str) -> None:
    text = (ROOT / place).read_text()
    assert names_read() >= {"SITE_URL", "DATABASE_URL", "PORT", "DEBUG"}
    assert not {name for name in names_read() if name not in text}
