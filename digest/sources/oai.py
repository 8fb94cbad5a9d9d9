"""OAI-PMH's addresses (https://www.openarchives.org/OAI/openarchivesprotocol.html, 3.5 and 4.5)."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode, urlsplit


def day_url(url: str, day: dt.date) -> str:
    """The records made or changed on that day; `url` may name a `set` and a `metadataPrefix` in its query."""
    address = urlsplit(url)
    named = {key: value for key, value in parse_qsl(address.query) if key in ("set", "metadataPrefix")}
    values = {"verb": "ListRecords", "metadataPrefix": "oai_dc", **named, "from": str(day), "until": str(day)}
    return address._replace(query=urlencode(values), fragment="").geturl()


def token_url(url: str, token: str) -> str:
    """The next part of a list."""
    values = {"verb": "ListRecords", "resumptionToken": token}
    return urlsplit(url)._replace(query=urlencode(values), fragment="").geturl()
