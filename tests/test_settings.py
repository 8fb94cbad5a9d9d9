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
    ("SITE_URL=https://https://papers.example.org", "is not an address such as"),
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


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("s3cret: $ # \n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "secret"))
    for unset in (None, ""):
        monkeypatch.delenv("METRICS_TOKEN", raising=False) if unset is None else monkeypatch.setenv("METRICS_TOKEN", "")
        assert environment.Env().str("METRICS_TOKEN", "") == "s3cret: $ #"
        assert os.environ.get("METRICS_TOKEN") == unset  # programs started from here do not inherit it
    monkeypatch.setenv("METRICS_TOKEN", "the variable wins")
    assert environment.Env().str("METRICS_TOKEN", "") == "the variable wins"


def test_a_file_of_another_program_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert environment.anymail_settings(environment.Env()) == ("", {})


SECRETS = {
    "SECRET_KEY": ("from-a-file", "settings.SECRET_KEY"),
    "SECRET_KEY_FALLBACKS": ("old,older", "','.join(settings.SECRET_KEY_FALLBACKS)"),
    "DATABASE_URL": ("postgres://a:b@c/d", "settings.DATABASES['default']['PASSWORD']"),
    "REDIS_URL": ("redis://c:1/0", "settings.REDIS_URL"),
    "EMAIL_URL": ("smtp+tls://a:b@c:587", "settings.EMAIL_HOST_PASSWORD"),
    "METRICS_TOKEN": ("token", "settings.METRICS_TOKEN"),
    "ANYMAIL_POSTMARK_SERVER_TOKEN": ("key", "settings.ANYMAIL['POSTMARK_SERVER_TOKEN']"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_may_be_in_a_file(tmp_path: Path, name: str) -> None:
    value, setting = SECRETS[name]
    (tmp_path / "secret").write_text(f"{value}\n")
    env = os.environ | {"DATA_DIR": str(tmp_path), name: "", f"{name}_FILE": str(tmp_path / "secret")}
    code = f"from django.conf import settings; print({setting})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == {"DATABASE_URL": "b", "EMAIL_URL": "b"}.get(name, value), done.stderr


def test_a_missing_secret_file_is_one_clear_line(tmp_path: Path) -> None:
    done = check(tmp_path, "SECRET_KEY=", "SECRET_KEY_FILE=/nowhere/key")
    assert done.returncode == 1
    assert (
        done.stderr == "A setting is wrong. SECRET_KEY_FILE='/nowhere/key' cannot be read: No such file or directory.\n"
    )


def test_without_embedded_parts_each_missing_service_is_named(tmp_path: Path) -> None:
    empty = ("EMBEDDED=0", "DATABASE_URL=", "REDIS_URL=", "EMAIL_URL=")
    done = check(tmp_path, *empty)
    assert done.returncode == 1
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
        assert f"{name} is not set" in done.stderr
    with_provider = check(tmp_path, *empty, "ANYMAIL_POSTMARK_SERVER_TOKEN=a").stderr
    assert "EMAIL_URL" not in with_provider
    assert "REDIS_URL is not set" in with_provider
    given = ("DATABASE_URL=postgres://a:b@c/d", "REDIS_URL=redis://a", "EMAIL_URL=smtp://a:1025")
    assert check(tmp_path, "EMBEDDED=0", *given).returncode == 0


def names_read() -> set[str]:
    """The variables that the settings read."""
    text = (ROOT / "config" / "settings.py").read_text() + (ROOT / "config" / "environment.py").read_text()
    return {a or b for a, b in re.findall(r'env\.\w+\("([A-Z_]+)"|\(env, "([A-Z_]+)"', text)}


@pytest.mark.parametrize("place", ["README.md", ".env.example"])
def test_every_setting_is_documented(place: str) -> None:
    text = (ROOT / place).read_text()
    assert names_read() >= {"SITE_URL", "DATABASE_URL", "PORT", "DEBUG"}
    assert not {name for name in names_read() if name not in text}
