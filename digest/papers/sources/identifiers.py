"""What a paper is known by: arXiv ids and DOIs out of the many ways sources write them, and safe links.

Only whole values are read (an id, a link, a guid), never prose: a number in the middle of an abstract is
somebody else's paper.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qs, quote, unquote, urljoin, urlsplit

MAX_URL = 2_000
WEB_SCHEME = re.compile("https?://", re.IGNORECASE)
MAX_DOI = 200  # of the column
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
ARXIV_NAMES = re.compile(
    r"^(?:oai:arxiv\.org:|https?://(?:dx\.|www\.)?doi\.org/|(?:urn:)?(?:doi|arxiv)[:.]\s*)+", re.IGNORECASE
)
ARXIV_DOI = re.compile(r"10\.48550/arxiv\.", re.IGNORECASE)
ARXIV_HOSTS = (
    *("arxiv.org", "huggingface.co", "hf.co", "alphaxiv.org", "ar5iv.org", "semanticscholar.org", "scirate.com"),
    *("papers.cool", "arxivdaily.com", "emergentmind.com", "arxiv-sanity-lite.com", "paperswithcode.com"),
)
ARXIV_PATH = re.compile(
    r"/(?:[a-z]{2}/)?(?:(?:abs|pdf|html|format|papers|overview|src|e-print|ps|dvi|arxiv|thread)/)?(?:arxiv:)?(?P<rest>.+)",
    re.IGNORECASE,
)
OLD_IN_PATH = re.compile(rf"(?P<archive>{OLD_ARCHIVES})(?P<number>[0-9]{{7}})")

DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]{1,9}){0,3}/\S+")
DOI_NAMES = re.compile(
    r"^(?:(?:urn:|info:)?doi\s?[:/]\s*|doi\s(?=10\.)|https?://(?:dx\.|www\.)?doi\.org/)+", re.IGNORECASE
)
DOI_PATH = re.compile(r"/(?P<doi>10\.[0-9]{4,9}/[^/\s].*)")
MAX_SIGNS = 3_000  # of "&lt;" in a pasted DOI
# What publishers' links add to a DOI: views of the article, its parts, its number in their shelves.
VIEWS = re.compile(
    r"(?:full(?:[-_.]?(?:text|html?|pdf|xml))?(?:\.pdf)?|abstract|short|e?pdf(?:plus|ft|direct)?|e?html?|meta|xml|epub|reader|figures?"
    r"|tables?|references|citations?|cited-?by|summary|metrics|download|media|data|review|issuetoc|standard"
    r"|supp(?:l|lementa?r?y?|info|material)?[a-z_-]*|[\w.-]{0,80}\.(?:pdf|html?|xml|epub))",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[0-9]{1,12}")
# Links that hold the second half of a DOI only.
KNOWN_PATHS = tuple(
    (host, re.compile(path), prefix)
    for host, path, prefix in (
        ("biorxiv.org", r"/cgi/content/short/([0-9.]{6,40})v[0-9]{1,3}", "10.1101/"),
        ("medrxiv.org", r"/cgi/content/short/([0-9.]{6,40})v[0-9]{1,3}", "10.1101/"),
        ("nature.com", r"/articles/([sd][0-9a-z-]{6,40})(?:\.pdf)?", "10.1038/"),
    )
)
PREPRINT_PREFIXES = ("10.1101/", "10.64898/")  # bioRxiv and medRxiv put the version behind the DOI
PREPRINT_VERSION = re.compile(r"v[0-9]{1,3}(?:\.[a-z.-]{1,40})?$")


def arxiv_id_of(text: str) -> tuple[str, int | None]:
    """The arXiv id in an id, link, guid or DOI, and the version if it says one; else ("", None)."""
    text = text.strip()[:MAX_URL]
    candidate = _arxiv_path(text) or ARXIV_DOI.sub("", ARXIV_NAMES.sub("", text))
    found = ARXIV_ID.fullmatch(candidate.lower() if candidate[-3:-1].isupper() else candidate)
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
    if pid := parse_qs(address.query).get("pid"):  # arxiv-sanity
        return pid[0]
    found = ARXIV_PATH.fullmatch(unquote(address.path))
    rest = found["rest"].rstrip("/").removesuffix(".pdf") if found else ""
    return OLD_IN_PATH.sub(r"\g<archive>/\g<number>", rest)


def doi_of(text: str) -> str:
    """The DOI that is stated, else the one that a publisher's link shows; "" where there is none."""
    return stated_doi(text) or guessed_doi(text)


def stated_doi(text: str) -> str:
    """The DOI of an identifier or of a resolver's link, lower-case; else "".

    arXiv's own DOIs (10.48550/arXiv.2503.10613) are its ids in another dress, and none a journal gave.
    """
    text = text.strip()[:MAX_URL]
    address = _web_address(text)
    if address and _is_at(address, ("doi.org",)):
        text = unquote(address.path).lstrip("/")
    found = DOI.fullmatch(DOI_NAMES.sub("", text))
    return _without_views(_tidy_doi(found[0])) if found else ""


def guessed_doi(text: str) -> str:
    """The DOI that a publisher's link seems to hold; "" where it is not sure where the DOI ends.

    A guess: it neither merges papers nor stands in for the link.
    """
    address = _web_address(text.strip()[:MAX_URL])
    if address is None or _is_at(address, ("doi.org",)):
        return ""
    for host, path, prefix in KNOWN_PATHS:
        if _is_at(address, (host,)) and (known := path.fullmatch(address.path)):
            return prefix + known[1].lower()
    found = DOI_PATH.search(unquote(address.path)) or DOI_PATH.search(f"/{parse_qs(address.query).get('id', [''])[0]}")
    if not found or " " in found["doi"]:
        return ""
    doi = _without_views(_tidy_doi(found["doi"]))
    if doi.startswith(PREPRINT_PREFIXES):
        doi = PREPRINT_VERSION.sub("", doi)
    return _without_number(doi)


def _without_views(doi: str) -> str:
    """The DOI without "/full" and its kin, of which no DOI consists."""
    while doi.count("/") > 1 and VIEWS.fullmatch(doi.rpartition("/")[2]):
        doi = doi.rpartition("/")[0].rstrip(".,;/")
    return doi


def _without_number(doi: str) -> str:
    """The DOI without the "/7654321/some-title" that Oxford, MIT and AIP put behind it; "" where unsure."""
    if "(sici)" in doi or doi.count("/") < 2:
        return doi
    parts = doi.split("/")
    numbers = [place for place, part in enumerate(parts) if place > 1 and NUMBER.fullmatch(part)]
    if not numbers:
        # "10.1093/nar/gkx1" is a DOI; a third part may be a title.
        return doi if len(parts) == 3 and len(parts[2]) <= 40 and parts[2].count("-") < 3 else ""
    kept = parts[: numbers[0]]
    is_sure = len(numbers) == 1 and len(parts) - numbers[0] <= 2 and any(sign.isdigit() for sign in "".join(kept[1:]))
    return "/".join(kept) if is_sure else ""


def first_doi(texts: Iterable[str]) -> str:
    """The DOI that the first of the texts states; else ""."""
    return next((found for text in texts if (found := stated_doi(text))), "")


def first_guess(texts: Iterable[str]) -> str:
    """The DOI that the first of the links seems to hold; else ""."""
    return next((found for text in texts if (found := guessed_doi(text))), "")


ROUND_IT = "<>[](){}\"'“”‘’ \t,;"
AT_END = ".,;:!?]>\"'“”‘’ \t"
CATEGORY_BEHIND = re.compile(r"\s\[[\w.-]{2,20}\]$")  # "arXiv:2401.12345v2 [cs.CL]"
KNOWN_START = re.compile(
    r"(?:www\.)?(?:[a-z-]{1,20}\.)?(?:arxiv\.org|doi\.org|huggingface\.co|hf\.co|alphaxiv\.org)/", re.IGNORECASE
)


def named_in(text: str) -> tuple[str, str]:
    """The arXiv id and the DOI that a pasted text consists of, whatever stands round it; "" for what it is not."""
    text = html.unescape(text.strip()[:MAX_SIGNS])
    text = CATEGORY_BEHIND.sub("", text.rstrip(".,; \t")).rstrip(AT_END).lstrip(ROUND_IT)
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip(AT_END)
    if KNOWN_START.match(text):
        text = f"https://{text}"
    inner = DOI_NAMES.sub("", text)
    arxiv_id = arxiv_id_of(text)[0] or arxiv_id_of(inner)[0]
    return arxiv_id, "" if arxiv_id else doi_of(text) or doi_of(inner)


def paper_url(arxiv_id: str, doi: str) -> str:
    """Where a paper of these names is at home, for records that give no page of their own; else ""."""
    if arxiv_id:
        return f"https://arxiv.org/abs/{quote(arxiv_id, safe=IN_PATH)}"
    return f"https://doi.org/{quote(doi, safe=IN_PATH)}" if doi else ""


def _tidy_doi(doi: str) -> str:
    doi = doi.rstrip(".,;/").lower()
    if ARXIV_DOI.match(doi) or not doi.isprintable() or len(doi) > MAX_DOI:
        return ""
    while doi.endswith(")") and doi.count(")") > doi.count("("):
        doi = doi[:-1].rstrip(".,;/")
    return doi


def safe_url(text: str) -> str:
    """The address if a reader may be sent there (http or https, a host, nothing hidden in it), else ""."""
    address = _web_address(text.strip())
    if address is None or address.username is not None or any(sign in text for sign in '"<>`\\'):
        return ""
    return text.strip()


def linked(text: str, base: str = "") -> str:
    """The address a link leads to from a page at `base`, its spaces escaped; "" where no reader may be sent there."""
    text = text.strip().replace(" ", "%20")
    if WEB_SCHEME.match(text):
        text = text[:5].lower() + text[5:]
    if text.startswith(("http://", "https://")) or not text:
        return safe_url(text)
    if ":" in text.partition("/")[0] and text[:6].lower() not in ("http:/", "https:"):  # another scheme
        return ""
    try:
        return safe_url(urljoin(base, text))
    except ValueError:
        return ""


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
