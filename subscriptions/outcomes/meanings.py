"""What an answer means: whom it concerns, what to do with the mail, the address and the run. The tables' words."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass


class Outcome(enum.Enum):
    """What to do with this mail."""

    TEMPORARY = "temporary"  # again, later
    PERMANENT = "permanent"  # never again
    UNKNOWN = "unknown"  # the server may have it: UNKNOWN_DELIVERIES decides
    NO_SERVER = "no server"  # nothing was handed over, and no other mail will get through now


class Party(enum.Enum):
    """Whom an answer is about."""

    ADDRESS = "this address"
    MESSAGE = "this message"
    US = "us"  # our name, network address, key or account: other mails will meet the same
    SERVER = "the server"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row's verdict. `wait` is the least time before the next try, None where the usual backoff will do."""

    what: str
    outcome: Outcome
    party: Party
    suppresses: bool = False  # the mailbox is dead: never mail this address again
    points: int = 0  # towards a suppression, where the address may be dead (subscriptions.bounces)
    opens_circuit: bool = False  # the rest of the run waits too
    alarms: bool = False  # the operator has something to mend
    wait: dt.timedelta | None = None

    @property
    def may_retry(self) -> bool:
        """Whether this mail goes out once more by itself."""
        return self.outcome in (Outcome.TEMPORARY, Outcome.NO_SERVER)

    @property
    def counts_against_server(self) -> bool:
        """One such answer may be chance; several in a row are a reason to pause the run."""
        return self.opens_circuit or self.party in (Party.US, Party.SERVER)


def _hours(count: float) -> dt.timedelta:
    return dt.timedelta(hours=count)


T, P, U, N = Outcome.TEMPORARY, Outcome.PERMANENT, Outcome.UNKNOWN, Outcome.NO_SERVER

# --- this address
DEAD = Meaning("no such mailbox", P, Party.ADDRESS, suppresses=True)
FULL = Meaning("mailbox full", T, Party.ADDRESS, points=1, wait=_hours(4))
BUSY = Meaning("mailbox busy", T, Party.ADDRESS)
UNPROVEN = Meaning("mailbox not known yet", T, Party.ADDRESS, points=1)
LATER = Meaning("greylisted", T, Party.ADDRESS, wait=_hours(0.1))
REFUSED = Meaning("recipient refused", P, Party.ADDRESS, points=1)
INVALID = Meaning("not an address for this server", P, Party.ADDRESS, points=1)
# --- this message
TOO_BIG = Meaning("message too big", P, Party.MESSAGE, alarms=True)
CONTENT = Meaning("content refused", P, Party.MESSAGE, alarms=True)
MALFORMED = Meaning("message not understood", P, Party.MESSAGE, alarms=True)
# --- us
POLICY = Meaning("refused by policy", P, Party.US, alarms=True)
BLOCKLISTED = Meaning("our network address is on a blocklist", T, Party.US, alarms=True, wait=_hours(1))
UNPROVEN_SENDER = Meaning("our domain is not proven (SPF, DKIM, DMARC)", T, Party.US, alarms=True, wait=_hours(1))
SENDER = Meaning("our sender's address is refused", T, Party.US, alarms=True, wait=_hours(1))
MISFIT = Meaning("the provider cannot carry this mail as it is set up", T, Party.US, alarms=True, wait=_hours(1))
PUT_OFF = Meaning("put off by policy", T, Party.US)
KEY = Meaning("key, password or account refused", N, Party.US, opens_circuit=True, alarms=True)
# --- the server
THROTTLED = Meaning("too much at once", T, Party.SERVER, opens_circuit=True)
TROUBLE = Meaning("trouble at the server", T, Party.SERVER)
CLOSING = Meaning("the server closes the connection", N, Party.SERVER, opens_circuit=True)
UNREACHED = Meaning("the server was not reached", N, Party.SERVER, opens_circuit=True)
UNAVAILABLE = Meaning("the service takes nothing now", N, Party.SERVER, opens_circuit=True)
IN_DOUBT = Meaning("no answer: it may have been taken", U, Party.SERVER)
BROKEN = Meaning("the service failed: it may have been taken", U, Party.SERVER, opens_circuit=True)
ODD = Meaning("an answer nobody expects: it may have been taken", U, Party.SERVER)
