"""Where we may connect to: web ports of hosts outside our own network, and what `FETCH_PRIVATE_HOSTS` adds.

An address is checked when its connection is made, and the connection goes to the very address that was checked:
a name that leads elsewhere a moment later (DNS rebinding) gains nothing. OWASP's SSRF cheat sheet has the attacks.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import httpcore
import httpx
from django.conf import settings

from digest.papers.sources.parsed import SourceError

PORTS = {"http": 80, "https": 443}
# What the standard library takes for global, depending on its age, and nobody on the internet answers from:
# protocol assignments and 6to4 relays (RFC 6890, 7526), documentation (RFC 9637).
NOT_PUBLIC = [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")]
UNICAST = IPv6Network("2000::/3")  # all that has been given out for the internet
NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


def check_form(url: httpx.URL) -> None:
    """Raise SourceError for an address that is not a plain one of the web, before anything is looked up."""
    if url.scheme not in PORTS or not url.host:
        raise SourceError("only addresses that begin with http:// or https:// are fetched: check the address.")
    if url.userinfo:
        raise SourceError("an address with a user name or a password in it is not fetched: take them out.")


def addresses(host: str, port: int, timeout: float) -> list[str]:
    """The IP addresses of a host, all of which we may connect to on this port.

    Raises SourceError if we may not; httpcore.ConnectError or ConnectTimeout if the look-up failed for now.
    """
    found = _resolve_within(timeout, host, port)
    for text in found:
        address = ipaddress.ip_address(text)
        if _is_allowed(host, port, address):
            continue
        if not is_public(address):
            where = host if host == text else f"{host} ({text})"
            raise SourceError(f"{where} is not on the public internet: {_remedy(host, port)}")
        if port not in PORTS.values():
            raise SourceError(f"port {port} is not one of the web's (80, 443): {_remedy(host, port)}")
    return found


def resolve(host: str, port: int) -> list[str]:
    """The addresses the system knows for a host, in its order; other spellings of a number (0x7f.1) included."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet; one that carries an IPv4 address is judged by that."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            carried = IPv4Address(int(address) & 0xFFFF_FFFF)
        if carried:
            return is_public(carried)
        if address not in UNICAST:
            return False
    elsewhere = any(address in network for network in NOT_PUBLIC)
    return address.is_global and not (address.is_multicast or address.is_reserved or elsewhere)


def _resolve_within(timeout: float, host: str, port: int) -> list[str]:
    """`resolve`, which has no time limit of its own: whoever owns a name decides how slowly it is answered."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolve(host, port))
        except OSError as error:
            answers.put(error)
        except UnicodeError:  # no name that DNS could know
            answers.put(socket.gaierror(socket.EAI_NONAME, ""))

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        found = answers.get(timeout=max(timeout, 0))
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"looking up {host} took too long") from None
    if isinstance(found, socket.gaierror) and found.errno in NO_SUCH_NAME:
        raise SourceError(f"there is no host {host}: is the address right, and this machine connected?")
    if isinstance(found, OSError) or not found:
        raise httpcore.ConnectError(f"{host} could not be looked up")
    return found


def _is_allowed(host: str, port: int, address: IPv4Address | IPv6Address) -> bool:
    """Whether the operator opened this, by name or by network. An entry without a port opens the web's."""
    for allowed, opened in settings.FETCH_PRIVATE_HOSTS:
        is_meant = allowed == host.lower().rstrip(".") if isinstance(allowed, str) else address in allowed
        if is_meant and (port == opened or (opened is None and port in PORTS.values())):
            return True
    return False


def _remedy(host: str, port: int) -> str:
    """What to do where the address is meant."""
    name = f"[{host}]" if ":" in host else host
    entry = name if port in PORTS.values() else f"{name}:{port}"
    return f"check it and, if it is meant, add {entry} to the setting FETCH_PRIVATE_HOSTS."
