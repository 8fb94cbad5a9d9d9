"""Claim, send, record, settle: the promise of delivery.

A delivery goes waiting -> sending -> sent. "sending" is committed before its bytes leave, the outcome after. A worker
that dies leaves claimed rows, taken up again when the lease ends, and at most MAIL_WINDOW rows in "sending", which
`settle` sends once more under the same Message-ID or holds for the operator.

Rooms: `gate` (may mail leave at all), `circuit` (is the server there), `pacing` (how many now), `claiming`, `ways`
(hand over), `recording`, `settling`, `alive` (whose worker lives); `sending` goes through them.
"""

from digest.mail.delivery.recover_unknown import settle
from digest.mail.delivery.send_mail import deliver_all, deliver_chunks, ready_count

__all__ = ["deliver_all", "deliver_chunks", "ready_count", "settle"]
