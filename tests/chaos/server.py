"""An SMTP server that misbehaves at random, as a process: `python -m tests.chaos.server PORT LOG SEED`.

Each mail it stores is a line of LOG, written before any answer: {"to", "message_id", "fate"}. What it may do to a
mail: put off (450, 451), close (421), drop the connection before or after storing it, store it and hang, be slow. It
leaves no recipient in doubt twice, since once is what UNKNOWN_DELIVERIES=resend sends again; addresses that begin with
"gone" are refused for good.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TextIO

PER_MAIL = 0.02  # seconds that each takes, so that a kill finds some on their way
HANG, SLOW = 4.0, 0.5
IN_DOUBT = ("drop", "store and drop", "store and hang")
FATES = {"450": 0.03, "451": 0.03, "421": 0.02, "slow": 0.02, "drop": 0.01, "store and drop": 0.01,
         "store and hang": 0.005}  # fmt: skip
REPLIES = {
    "450": "450 4.2.0 Mailbox busy",
    "451": "451 4.3.0 Trouble here",
    "421": "421 4.3.2 Closing for a moment",
}


class Evil:
    """What the whole server remembers."""

    def __init__(self, log: TextIO, seed: int) -> None:
        self.log, self.random = log, random.Random(seed)
        self.put_off: Counter[str] = Counter()
        self.in_doubt: set[str] = set()

    def fate(self, recipient: str) -> str:
        fate = self.random.choices([*FATES, "taken"], [*FATES.values(), 1 - sum(FATES.values())])[0]
        if fate in REPLIES:
            self.put_off[recipient] += 1
            return fate if self.put_off[recipient] <= 3 else "taken"
        if fate in IN_DOUBT:
            if recipient in self.in_doubt:
                return "taken"
            self.in_doubt.add(recipient)
        return fate

    def store(self, recipient: str, data: bytes, fate: str) -> None:
        found = re.search(rb"^Message-ID:\s*(\S+)", data, re.M | re.I)
        name = found[1].decode() if found else ""
        self.log.write(json.dumps({"to": recipient, "message_id": name, "fate": fate}) + "\n")
        self.log.flush()


class Session:
    def __init__(self, evil: Evil, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.evil, self.reader, self.writer = evil, reader, writer
        self.recipient = ""

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def serve(self) -> None:
        try:
            if self.evil.random.random() < 0.02:
                self.say("421 4.3.2 Not now")
                return
            self.say("220 chaos ESMTP")
            while line := await self.reader.readline():
                await self.writer.drain()
                if not await self.answer(line.decode("utf-8", "replace").strip()):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a client that was killed
        finally:
            self.writer.close()

    async def answer(self, line: str) -> bool:
        """Whether the session goes on."""
        verb = line[:4].upper()
        if verb in ("EHLO", "HELO"):
            self.say("250-chaos", "250-PIPELINING", "250-ENHANCEDSTATUSCODES", "250 8BITMIME")
        elif verb == "RCPT":
            self.recipient = line.partition("<")[2].partition(">")[0]
            gone = self.recipient.startswith("gone")
            self.say("550 5.1.1 No such user here" if gone else "250 2.1.5 OK")
        elif verb == "DATA":
            return await self.data()
        elif verb == "QUIT":
            self.say("221 2.0.0 Bye")
            return False
        else:
            self.say("250 2.0.0 OK")
        return True

    async def data(self) -> bool:
        if self.recipient.startswith("gone"):
            self.say("554 5.5.1 No valid recipients")
            return True
        self.say("354 Go on")
        data = await self.reader.readuntil(b"\r\n.\r\n")
        fate = self.evil.fate(self.recipient)
        await asyncio.sleep(SLOW if fate == "slow" else PER_MAIL)
        if fate in REPLIES:
            self.say(REPLIES[fate])
            return fate != "421"
        if fate != "drop":
            self.evil.store(self.recipient, data, fate)
        if fate == "store and hang":
            await asyncio.sleep(HANG)
        if fate in IN_DOUBT:
            self.writer.transport.abort()
            return False
        self.say("250 2.0.0 Taken")
        return True


async def main(port: int, log: Path, seed: int) -> None:
    with log.open("a", encoding="utf-8") as out:
        evil = Evil(out, seed)
        server = await asyncio.start_server(
            lambda reader, writer: Session(evil, reader, writer).serve(), "127.0.0.1", port, limit=2**22
        )
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
