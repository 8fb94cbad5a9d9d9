"""What a paper is known by: arXiv ids and DOIs out of the many ways sources write them, and safe links.

Only whole values are read (an id, a link, a guid), never prose: a number in the middle of an abstract is
somebody else's paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, quote, unquote, urlsplit

MAX_URL = 2_000
MAX_DOI = 300
IN_PATH = "/:;()!$&'*+,=@"  # signs that stand in the path of an address as they are (RFC 3986, 3.3)

# The archives that handed out ids of the old kind (until March 2007); without the list "and/1234567"
# would be a paper.
OLD_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs"
    "|dg-ga|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol"
    "|physics|plasm-ph|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
# "math.GT/0309136" is the same paper as "math/0309136": the subject is no part of the name.
ARXIV_ID = re.compile(
    r"(?:(?P<id>[0-9]{2}(?:0[1-9]|1[0-2])\.[0-9]{4,5})"
    rf"|(?P<archive>{OLD_ARCHIVES})(?:\.[A-Za-z-]{{2,9}})?/(?P<number>[0-9]{{7}}))"
    r"(?:v(?P<version>[1-9][0-9]{0,3}))?"
)
ARXIV_NAMES = re.compile(r"^(?:oai:arxiv\.org:|https?://(?:dx\.)?doi\.org/|(?:doi|arxiv):\s*)+", re.IGNORECASE)
ARXIV_DOI = re.compile(r"10\.48550/arxiv\.", re.IGNORECASE)
ARXIV_HOSTS = ("arxiv.org", "huggingface.co", "hf.co", "alphaxiv.org", "ar5iv.org")
ARXIV_PATH = re.compile(r"/(?:abs|pdf|html|format|papers|overview)/(?P<rest>.+)")

DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
DOI_NAMES = re.compile(r"^(?:doi:\s*|info:doi/)+", re.IGNORECASE)
DOI_PATH = re.compile(r"/doi/(?:[a-z]+/)?(?P<doi>10\.[0-9]{4,9}/\S+)")


def arxiv_id_of(text: str) -> tuple[str, int | None]:
    """The arXiv id in an id, link, guid or DOI, and the version if it says one; else ("", None)."""
    text = text.strip()[:MAX_URL]
    candidate = _arxiv_path(text) or ARXIV_DOI.sub("", ARXIV_NAMES.sub("", text))
    found = ARXIV_ID.fullmatch(candidate)
    if not found:
        return "", None
    name = found["id"] or f"{found['archive']}/{found['number']}"
    return name, int(found["version"]) if found["version"] else None


def first_arxiv_id(texts: Iterable[str]) -> tuple[str, int | None]:
    """The arXiv id, and its version if said, in the first of the texts that is one; else ("", None)."""
    return next((found for text in texts if (found := arxiv_id_of(text))[0]), ("", None))


def _arxiv_path(text: str) -> str:
    address = _web_address(text)
    if address is None or not _is_at(address, ARXIV_HOSTS):
        return ""
    found = ARXIV_PATH.fullmatch(unquote(address.path))
    return found["rest"].rstrip("/").removesuffix(".pdf") if found else ""


def doi_of(text: str) -> str:
    """The DOI in an identifier, a resolver's link or a publisher's /doi/ link, lower-case; else ""."""
    text = text.strip()[:MAX_URL]
    address = _web_address(text)
    on_publishers_page = DOI_PATH.search(unquote(address.path)) if address else None
    if on_publishers_page:
        return _tidy_doi(on_publishers_page["doi"])
    if address and _is_at(address, ("doi.org",)):
        text = unquote(address.path).lstrip("/")
    found = DOI.fullmatch(DOI_NAMES.sub("", text))
    return _tidy_doi(found[0]) if found else ""


def first_doi(texts: Iterable[str]) -> str:
    """The DOI in the first of the texts that is one; else ""."""
    return next((found for text in texts if (found := doi_of(text))), "")


def paper_url(arxiv_id: str, doi: str) -> str:
    """Where a paper of these names is at home, for records that give no page of their own; else ""."""
    if arxiv_id:
        return f"https://arxiv.org/abs/{quote(arxiv_id, safe=IN_PATH)}"
    return f"https://doi.org/{quote(doi, safe=IN_PATH)}" if doi else ""


def _tidy_doi(doi: str) -> str:
    doi = doi.rstrip(".,;/").lower()
    return doi if doi.isprintable() and len(doi) <= MAX_DOI else ""


def safe_url(text: str) -> str:
    """The address if a reader may be sent there (http or https, a host, nothing hidden in it), else ""."""
    address = _web_address(text.strip())
    if address is None or address.username is not None or any(sign in text for sign in '"<>`\\'):
        return ""
    return text.strip()


def is_host(text: str, host: str) -> bool:
    """Whether the address is on that host or under it."""
    address = _web_address(text.strip())
    return address is not None and _is_at(address, (host,))


def _web_address(text: str) -> SplitResult | None:
    if not text.isprintable() or " " in text or len(text) > MAX_URL:
        return None
    try:
        address = urlsplit(text)
        named = bool(address.hostname)
    except ValueError:  # "http://[" and its kin
        return None
    return address if named and address.scheme in ("http", "https") else None


def _is_at(address: SplitResult, hosts: tuple[str, ...]) -> bool:
    name = address.hostname or ""
    return any(name == host or name.endswith("." + host) for host in hosts)
