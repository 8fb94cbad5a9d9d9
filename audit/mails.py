"""Writes the gallery's mails into a folder: <number>-<name>.html and .eml."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest.web.pages.gallery import states  # noqa: E402

folder = Path(sys.argv[1])
call_command("migrate", verbosity=0)
for number, state in enumerate(states(timezone.now())):
    stem = f"{number:02}-{state.name.lower().replace(' ', '-')}"
    (folder / f"{stem}.html").write_text(str(state.mail.alternatives[0][0]), encoding="utf-8")
    (folder / f"{stem}.eml").write_bytes(state.mail.message().as_bytes(linesep="\r\n"))
