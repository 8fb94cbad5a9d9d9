"""`make audit`: tools that nobody here wrote judge the mails (and, in time, the pages).

The tools are put into var/audit, and nothing of them into the project; what cannot be had is skipped, and said. Each
check is a function of the folder of mails that returns what it found wrong; add yours to CHECKS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "var" / "audit"
MOST_SPAM = 1.0
PERL_LIBRARIES = (
    "libhtml-parser-perl", "libhtml-tagset-perl", "libnetaddr-ip-perl", "libnet-dns-perl", "libmail-spf-perl",
    "liburi-perl", "libnet-ip-perl",
)  # fmt: skip
# What a client lacks and may lack. Whoever adds a row says why it does no harm.
MAY_BE_LACKING = {
    (
        "gmail.mobile-webmail",
        "*",
    ): "its page in a phone's browser knows no style sheet; what matters is inline",
    ("outlook.windows", "@media"): "only the dark colours and a phone's margins",
    ("outlook.windows-mail", "@media"): "the same",
    ("outlook.windows", "border-radius"): "the button has corners",
    ("outlook.windows-mail", "border-radius"): "the same",
    ("outlook.windows-mail", "role attribute"): "its screen reader calls a layout table a table",
    ("outlook.macos", "<body> element"): "the background stands on the table inside as well",
}


class Lacking(Exception):
    """A tool that cannot be had here, and how to get it."""


def run(command: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
    """A bounded run. Raises Lacking when the program is not there or takes too long."""
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            command, capture_output=True, timeout=300, check=False, **more
        )
        return done
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Lacking(f"{command[0]}: {error}") from error


def caniemail(mails: Path) -> list[str]:
    """No feature that Gmail, Outlook or Apple Mail lack, but for MAY_BE_LACKING (caniemail.com's tables, from npm)."""
    package = TOOLS / "node_modules" / "caniemail"
    if not package.is_dir():
        run(["npm", "install", "--prefix", str(TOOLS), "--no-audit", "--no-fund", "--no-save", "caniemail@1.0.5"])
    if not package.is_dir():
        raise Lacking("npm could not install caniemail@1.0.5 into var/audit")
    files = [str(path) for path in sorted(mails.glob("*.html"))]
    answer = run(["node", str(ROOT / "audit" / "caniemail.mjs"), *files], env=os.environ | {"AUDIT_TOOLS": str(TOOLS)})
    if answer.returncode:
        raise Lacking(f"node: {answer.stderr.decode()[-300:]}")
    found = {
        (client, feature)
        for features in json.loads(answer.stdout).values()
        for feature, clients in features.items()
        for client in clients
        if not {(client, feature), (client, "*")} & MAY_BE_LACKING.keys()
    }
    return [f"{client} lacks {feature}" for client, feature in sorted(found)]


def spamassassin(mails: Path) -> list[str]:
    """Each mail scores under MOST_SPAM with the local rules (Debian's package `spamassassin`)."""
    command = spamassassin_command()
    wrong = []
    for path in sorted(mails.glob("*.eml")):
        answer = run([*command, "-L", "-t"], input=path.read_bytes())
        score = re.search(rb"^X-Spam-Status: .*?score=(-?[\d.]+)", answer.stdout, re.MULTILINE)
        if not score:
            raise Lacking(f"spamassassin: {answer.stderr.decode()[-300:]}")
        if float(score.group(1)) >= MOST_SPAM:
            wrong.append(f"{path.stem} scores {score.group(1).decode()}")
    return wrong


def spamassassin_command() -> list[str]:
    """The installed one, or Debian's packages unpacked into var/audit."""
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


def write_mails(folder: Path) -> int:
    """The gallery's mails, as HTML and as they leave. Returns how many."""
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "audit"}
    os.environ |= {"SITE_URL": "https://papers.example.org", "POSTAL_ADDRESS": "1 Library Lane, Exampleton"}
    os.environ |= dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), "")
    done = run([sys.executable, str(ROOT / "audit" / "mails.py"), str(folder)], cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"The mails could not be made: {done.stderr.decode()[-800:]}")
    return len(list(folder.glob("*.eml")))


# Checks of pages (axe, Lighthouse, HTML validator) belong here too: functions of the folder that say what is wrong.
CHECKS: tuple[Callable[[Path], list[str]], ...] = (caniemail, spamassassin)


def main() -> int:
    TOOLS.mkdir(parents=True, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="paper-round-audit-") as name:
        print(f"{write_mails(Path(name))} mails.")
        for check in CHECKS:
            try:
                wrong = check(Path(name))
            except Lacking as lacking:
                print(f"skipped  {check.__name__}: {lacking}")
                continue
            failed += len(wrong)
            print(f"{'FAILED ' if wrong else 'passed '}  {check.__name__}: {(check.__doc__ or '').splitlines()[0]}")
            for line in wrong:
                print(f"         {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
