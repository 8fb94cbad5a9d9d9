"""What mail programs and spam filters say of each mail of the gallery."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from audit.tools import ROOT, TOOLS, Lacking, npm, run, spamassassin

MOST_SPAM = 1.0
STATUS = re.compile(rb"^X-Spam-Status: .*?score=(-?[\d.]+).*?tests=(\S*)", re.MULTILINE | re.DOTALL)
# What a client lacks and may lack. Whoever adds a row says why it does no harm.
MAY_BE_LACKING = {
    ("gmail.mobile-webmail", "*"): "its page in a phone's browser knows no style sheet; what matters is inline",
    ("outlook.windows", "@media"): "only the dark colours and a phone's margins",
    ("outlook.windows-mail", "@media"): "the same",
    ("outlook.windows", "border-radius"): "the button has corners",
    ("outlook.windows-mail", "border-radius"): "the same",
    ("outlook.windows-mail", "word-break"): "a word without end, wider than a phone; it is no phone's program",
    ("outlook.windows-mail", "role attribute"): "its screen reader calls a layout table a table",
    ("outlook.macos", "<body> element"): "the background stands on the table inside as well",
}
Faults = dict[str, list[str]]  # of a page or mail: what is wrong with it


def write_mails(folder: Path) -> list[Path]:
    """The gallery's mails, as HTML and as they leave; the HTML files."""
    own = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "audit"}
    own |= {"SITE_URL": "https://papers.example.org", "POSTAL_ADDRESS": "1 Library Lane, Exampleton"}
    own |= dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), "")
    done = run([sys.executable, str(ROOT / "audit" / "mails.py"), str(folder)], cwd=ROOT, env=os.environ | own)
    if done.returncode:
        raise SystemExit(f"The mails could not be made: {done.stderr.decode()[-800:]}")
    return sorted(folder.glob("*.html"))


def judged_by_caniemail(mails: list[Path]) -> Faults:
    """No feature that Gmail, Outlook or Apple Mail lack, but for MAY_BE_LACKING (caniemail.com's tables, from npm)."""
    npm("caniemail")
    script = str(ROOT / "audit" / "caniemail.mjs")
    answer = run(["node", script, *map(str, mails)], env=os.environ | {"AUDIT_TOOLS": str(TOOLS)})
    if answer.returncode:
        raise Lacking(f"node: {answer.stderr.decode()[-300:]}")
    return {
        f"mail {Path(file).stem}": [
            f"{client} lacks {feature}"
            for feature, clients in features.items()
            for client in clients
            if not {(client, feature), (client, "*")} & MAY_BE_LACKING.keys()
        ]
        for file, features in json.loads(answer.stdout).items()
    }


def judged_by_spamassassin(mails: list[Path]) -> Faults:
    """Each mail scores under MOST_SPAM by the rules that need no network (Debian's package)."""
    command = spamassassin()
    faults: Faults = {}
    for path in mails:
        answer = run([*command, "-L", "-t"], input=path.with_suffix(".eml").read_bytes())
        found = STATUS.search(answer.stdout)
        if not found:
            raise Lacking(f"spamassassin: {answer.stderr.decode()[-300:]}")
        score, rules = found.group(1).decode(), found.group(2).decode()
        faults[f"mail {path.stem} ({score})"] = [f"scores {score}: {rules}"] if float(score) >= MOST_SPAM else []
    return faults
