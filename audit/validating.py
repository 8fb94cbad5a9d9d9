"""What the validator of the W3C (vnu) says of each document, and of the stylesheet."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from audit.mailing import Faults
from audit.tools import ROOT, Lacking, npm, run

# What is no fault, where, and why. In mails Outlook for Windows obeys attributes where it knows no style.
PASSED_OVER = {
    r"CSS: “field-sizing”": "paper-round.css",  # newer than the validator's list; without it the field scrolls
    r"CSS: “mso-hide”": "mail",  # Word's own, and the only way to hide a line from Outlook
    r"The “(align|border|cellpadding|cellspacing|height|width)” attribute on the “(table|td)” element": "mail",
}


def judged_by_vnu(documents: dict[str, str]) -> Faults:
    """No error in any page or mail, nor in the stylesheet (npm's vnu-jar; needs Java)."""
    jar = npm("vnu-jar") / "build" / "dist" / "vnu.jar"
    with tempfile.TemporaryDirectory(prefix="paper-round-vnu-") as name:
        files = {}
        for number, (title, document) in enumerate(documents.items()):
            path = Path(name) / f"{number}.html"
            path.write_text(document, encoding="utf-8")
            files[path.name] = title
        stylesheet = ROOT / "static" / "paper-round.css"
        command = ["java", "-jar", str(jar), "--format", "json", "--exit-zero-always", "--also-check-css"]
        answer = run([*command, name, str(stylesheet)])
    if answer.returncode or not answer.stderr:
        raise Lacking(f"java: {answer.stderr.decode()[-300:]}")
    faults: Faults = {title: [] for title in documents} | {stylesheet.name: []}
    for message in json.loads(answer.stderr)["messages"]:
        file = Path(message["url"]).name
        title = files.get(file, file)
        if message["type"] == "error" and not _is_passed_over(message["message"], title):
            faults[title].append(f"line {message.get('lastLine', 0)}: {message['message']}")
    return faults


def _is_passed_over(message: str, title: str) -> bool:
    return any(re.search(pattern, message) and of in title for pattern, of in PASSED_OVER.items())
