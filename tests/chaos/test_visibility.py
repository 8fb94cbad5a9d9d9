"""No fault at all, but a broker that hands out again what takes longer than its patience: nobody gets two mails."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.chaos.house import House
from tests.smtp import Server
from tests.stack import wait_until

pytestmark = pytest.mark.processes

MAILS, EACH = 60, 0.15  # seconds; a chunk of all takes three times the broker's patience
RECEIVED = re.compile(r"Task digest\.tasks\.deliver_chunks\[([0-9a-f-]+)\] received")


class Slow(Server):
    """Takes its time over each mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(EACH)
        return await super().handle_DATA(server, session, envelope)


def test_a_message_handed_out_again_while_its_task_runs_doubles_nothing() -> None:
    with Slow() as server, House(seed=1) as house:
        house.env |= {
            "EMAIL_URL": f"smtp://127.0.0.1:{server.port}", "DJANGO_SETTINGS_MODULE": "tests.chaos.hasty",
            "MAIL_LEASE": "600", "MAIL_CHUNK": str(MAILS), "MAIL_TIMEOUT": "30", "LOOK_EVERY": "5",
        }  # fmt: skip
        house.fill(str(MAILS), str(2 * MAILS))
        house.start_all()
        wait_until(lambda: len(server.accepted) >= MAILS, "all mails to arrive", 120)
        wait_until(lambda: _open(house) == 0, "all to be recorded", 60)
        handed_out = Counter(RECEIVED.findall(house.log.read_text(errors="replace")))
    assert max(handed_out.values()) > 1  # else nothing was shown
    assert Counter(envelope.rcpt_tos[0] for envelope in server.accepted).most_common(1)[0][1] == 1
    assert len(server.accepted) == MAILS


def _open(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM digest_delivery WHERE status IN ('waiting', 'sending')")[0][0])
