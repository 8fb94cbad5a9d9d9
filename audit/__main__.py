"""`make audit`: tools that nobody here wrote judge every page and every mail, in every state.

The real service is started with ten days of papers; the tools are put into var/audit and nothing of them into the
project. A line a page; exit 1 when something is wrong, or could not be judged. `make audit CHECKS="axe vnu"`
runs only those.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from audit import looking, mailing, speed, validating
from audit.mailing import Faults
from audit.tools import Lacking
from tests import plugin  # noqa: F401  an environment that names nobody's service
from tests.stack import Stack
from tests.tour import Tour


class Audit:
    """What the checks share: the service, the mails, and one walk through both."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        (folder / "gallery").mkdir()
        self.mails = mailing.write_mails(folder / "gallery")
        self.tour = Tour.through(stack, folder)

    @cache  # noqa: B019  one audit a process
    def _walk(self) -> looking.Walk:
        return looking.walk(self.tour, self.mails)

    def lighthouse(self) -> Faults:
        given, home = self.tour.given, self.tour.stack.url
        pages = {"today": "/", "sign-up": "/subscribe/", "paper": given["paper"], "preferences": given["preferences"]}
        return speed.judged_by_lighthouse(
            {name: path if "://" in path else home + path for name, path in pages.items()}
        )

    def caniemail(self) -> Faults:
        return mailing.judged_by_caniemail(self.mails)

    def spamassassin(self) -> Faults:
        return mailing.judged_by_spamassassin(self.mails)

    def axe(self) -> Faults:
        return self._walk().accessibility

    def policy(self) -> Faults:
        return self._walk().policy

    def vnu(self) -> Faults:
        return validating.judged_by_vnu(self._walk().documents)

    def checks(self) -> dict[str, tuple[str, Callable[[], Faults]]]:
        """In the order they run: Lighthouse first, because the walk erases its reader."""
        return {
            "lighthouse": ("Lighthouse, as on a slow phone", self.lighthouse),
            "caniemail": ("features that mail programs lack", self.caniemail),
            "spamassassin": ("SpamAssassin, local rules", self.spamassassin),
            "axe": ("axe-core, two sizes, light and dark", self.axe),
            "policy": ("nothing asked of other hosts, no policy violated", self.policy),
            "vnu": ("the W3C's validator", self.vnu),
        }


def main(chosen: list[str]) -> int:
    failed = judged = 0
    with tempfile.TemporaryDirectory(prefix="paper-round-audit-") as name, Stack(Path(name)) as stack:
        for key, (title, check) in Audit(Path(name), stack).checks().items():
            if chosen and key not in chosen:
                continue
            print(f"== {key}: {title}", flush=True)
            try:
                faults = check()
            except Lacking as lacking:
                print(f"LACKING  {lacking}")
                failed += 1
                continue
            for page, wrong in faults.items():
                judged, failed = judged + 1, failed + bool(wrong)
                print("\n         ".join([f"{'FAILED ' if wrong else 'passed '}  {page}", *wrong]), flush=True)
    print(f"{judged} judgements, {failed} of them bad or impossible.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
