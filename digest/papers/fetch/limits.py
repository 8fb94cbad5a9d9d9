"""How much, and how long, one page may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    size: int = 30_000_000  # of the page, as it comes over the wire and unpacked
    connect: float = 10  # to reach the server, and for the TLS handshake
    read: float = 20  # for its next bytes
    total: float = 60  # for one try, from the look-up of its name to its last byte, redirects included
    redirects: int = 5
    tries: int = 3
    retry_for: float = 30  # a further try begins only so soon after the first one
    patience: float = 600  # waiting, for the host's turn and between tries, in all; a task must outlive it


LIMITS = Limits()
