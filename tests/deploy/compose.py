"""docker-compose.yml and the Dockerfiles, as Docker reads them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.deploy.tools import tool
from tests.stack import ROOT

FILE = ROOT / "docker-compose.yml"
# What the documentation says to set.
DOCUMENTED = {"SECRET_KEY": "a secret of the test", "POSTGRES_PASSWORD": "p@ss/word:+=", "EMAIL_URL": "smtp://relay:25"}


def env_file(**values: str) -> str:
    """Return .env.example with these variables set."""
    text = (ROOT / ".env.example").read_text()
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
        assert count == 1, f"{name} is not a line of .env.example"
    return text


def compose(folder: Path, *args: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose in the folder, where docker-compose.yml, or another text, stands beside .env."""
    if text is None:
        shutil.copy(FILE, folder)
    else:
        (folder / FILE.name).write_text(text)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [tool("docker-compose"), *args]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def resolved(folder: Path, **values: str) -> dict[str, Any]:
    """Return the whole file with every variable replaced, for a .env with these values."""
    (folder / ".env").write_text(env_file(**DOCUMENTED | values))
    done = compose(folder, "--profile", "*", "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.replace("$$", "$"))
    return found


def dockerfile(path: Path) -> dict[str, Any]:
    """Return the JSON of ENTRYPOINT, CMD and HEALTHCHECK."""
    text = path.read_text().replace("\\\n", " ")
    found = {name: json.loads(words) for name, words in re.findall(r"(?m)^(ENTRYPOINT|CMD) +(\[.*\])$", text)}
    check = re.search(r"(?m)^HEALTHCHECK .*CMD +(\[.*\])$", text)
    return found | {"HEALTHCHECK": json.loads(check[1]) if check else None}


def image(service: dict[str, Any]) -> dict[str, Any]:
    """Return `dockerfile` of the image that we build for the service; {} for an image of others."""
    built = service.get("build")
    if not built:
        return {}
    context = {"paper-round": ROOT, "paper-round-caddy": ROOT / "deploy" / "caddy"}[service["image"]]
    return dockerfile(context / "Dockerfile")


def command_line(service: dict[str, Any]) -> list[str]:
    """Return what the service's container executes."""
    built = image(service)
    return [*built.get("ENTRYPOINT", []), *(service.get("command") or built.get("CMD", []))]


def health_check(service: dict[str, Any]) -> list[str] | None:
    """Return what the service's health check executes; None without one."""
    check = service.get("healthcheck") or {}
    if check.get("disable"):
        return None
    kind, *words = check.get("test") or ["CMD", *(image(service).get("HEALTHCHECK") or [])]
    return (["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words) or None
