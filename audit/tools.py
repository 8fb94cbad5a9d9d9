"""Where the tools of others come from: npm and Debian packages, put into var/audit and nowhere else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.stack import BROWSERS

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "var" / "audit"
VERSIONS = {"axe-core": "4.14.1", "caniemail": "1.0.5", "lighthouse": "12.8.2", "vnu-jar": "26.9.27"}
PERL_LIBRARIES = (
    "libhtml-parser-perl", "libhtml-tagset-perl", "libnetaddr-ip-perl", "libnet-dns-perl", "libmail-spf-perl",
    "liburi-perl", "libnet-ip-perl",
)  # fmt: skip


class Lacking(Exception):
    """A tool that cannot be had here, and how to get it."""


def run(command: list[str], timeout: float = 300, **more: object) -> subprocess.CompletedProcess[bytes]:
    """A bounded run. Raises Lacking when the program is not there or takes too long."""
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            command, capture_output=True, timeout=timeout, check=False, **more
        )
        return done
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Lacking(f"{command[0]}: {error}") from error


def npm(name: str) -> Path:
    """The folder of a package of VERSIONS, installed when it is not there. Raises Lacking."""
    package = TOOLS / "node_modules" / name
    if not package.is_dir():
        TOOLS.mkdir(parents=True, exist_ok=True)
        wanted = [f"{each}@{version}" for each, version in VERSIONS.items()]
        # No install scripts: vnu-jar's would fetch a Java of its own.
        quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
        run(["npm", "install", "--prefix", str(TOOLS), *quiet, *wanted], timeout=600)
    if not package.is_dir():
        raise Lacking(f"npm could not install {name}@{VERSIONS[name]} into var/audit")
    return package


def browser() -> str:
    """The system's Chromium. Raises Lacking."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        raise Lacking("a browser: install Debian's package `chromium`")
    return found


def spamassassin() -> list[str]:
    """The command: the installed one, or Debian's packages unpacked. Raises Lacking."""
    if found := shutil.which("spamassassin"):
        return [found]
    root = TOOLS / "root"
    program = root / "usr" / "bin" / "spamassassin"
    if not program.is_file():
        (TOOLS / "deb").mkdir(parents=True, exist_ok=True)
        run(["apt-get", "download", "spamassassin", *PERL_LIBRARIES], cwd=TOOLS / "deb")
        for package in (TOOLS / "deb").glob("*.deb"):
            run(["dpkg", "-x", str(package), str(root)])
    if not program.is_file():
        raise Lacking("spamassassin: install Debian's package `spamassassin`")
    folders = [root / "usr/share/perl5", *(root / "usr/lib").glob("*/perl5/*")]
    return [
        "perl", "-T", *(f"-I{folder}" for folder in folders), str(program), f"--prefspath={TOOLS / 'user_prefs'}",
        f"--configpath={root / 'usr/share/spamassassin'}", f"--siteconfigpath={root / 'etc/spamassassin'}",
    ]  # fmt: skip
