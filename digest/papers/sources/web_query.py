"""Web addresses with another query."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import quoted

NO_DEFAULTS: Mapping[str, str] = {}


def query_of(url: str) -> dict[str, str]:
    """The parameters of the address; of one that stands twice, the last. SourceError where it is no address."""
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:
        raise SourceError(f"{quoted(url)} is not a web address: correct the source") from None


def with_query(
    url: str, values: Mapping[str, str], *, drop: Collection[str] = (), defaults: Mapping[str, str] = NO_DEFAULTS
) -> str:
    """The address with these parameters, without those to drop, and with defaults for what it does not say."""
    kept = {name: value for name, value in query_of(url).items() if name not in drop and value}
    return urlunsplit(urlsplit(url)._replace(query=urlencode({**defaults, **kept, **values}), fragment=""))
