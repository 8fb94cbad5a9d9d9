"""Translations: read the marked texts out of the source into locale/*/LC_MESSAGES/django.po, and compile those.

`make words` does both. Reading needs Debian's `gettext`; compiling, `python -m config.catalogues`, needs nothing but
Python. The .mo files are committed, so that nobody who only runs the service needs either.
"""

from __future__ import annotations

from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def catalogues() -> list[Path]:
    """The .po file of each language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def compiled(path: Path) -> bytes:
    """What belongs into the .mo file beside this .po file: the same bytes from the same texts."""
    return bytes(polib.pofile(str(path)).to_binary())


def tidy(path: Path) -> None:
    """Without what makes two runs differ (the date) and what the source no longer has."""
    catalogue = polib.pofile(str(path), wrapwidth=0)
    catalogue.metadata.pop("POT-Creation-Date", None)
    for entry in catalogue.obsolete_entries():
        catalogue.remove(entry)
    catalogue.save()


def main() -> None:
    for path in catalogues():
        tidy(path)
        path.with_suffix(".mo").write_bytes(compiled(path))
        texts = polib.pofile(str(path))
        wanting = [*texts.untranslated_entries(), *texts.fuzzy_entries()]
        language = path.relative_to(LOCALE).parts[0]
        print(f"{language}: {len(texts)} texts, {len(wanting)} to translate or to look at.")


if __name__ == "__main__":
    main()
