"""What somebody typed as a source's address, understood generously. Pure: asks nobody.

arXiv's addresses: https://info.arxiv.org/help/rss.html; its archives: https://arxiv.org/category_taxonomy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from digest.models import Source
from digest.papers.sources.parsed import SourceError
from digest.papers.sources.plain_text import quoted

HUGGINGFACE_URL = "https://huggingface.co/api/daily_papers"
ARXIV_FEED = "https://rss.arxiv.org/rss/"
MAX_LENGTH = 1000  # of Source.url

ARCHIVES = frozenset(
    "astro-ph cond-mat cs econ eess gr-qc hep-ex hep-lat hep-ph hep-th math math-ph nlin nucl-ex nucl-th physics "
    "q-bio q-fin quant-ph stat".split()
)
# Subjects with names of one word; the others are two letters, or words with a hyphen.
ONE_WORD = ("optics", "other", "soft")
CATEGORY = re.compile(rf"([a-z-]+)(?:\.([a-z]{{2}}|[a-z]+-[a-z]+|{'|'.join(ONE_WORD)}))?", re.IGNORECASE)
CATEGORY_PATH = re.compile(r"/(?:rss|atom|list|archive)/([^/]+)")
SEARCHED = re.compile(r"cat:([\w.-]+)(?:(?: OR |\|)cat:([\w.-]+))*")
# An author's own list, as a page, as Atom in both flavours, as JSON: https://info.arxiv.org/help/myarticles.html
AUTHOR_PATH = re.compile(r"/a/([a-z0-9_-]{3,80})(?:\.(?:atom2?|js|json))?/?", re.IGNORECASE)
PAPER_PATH = re.compile(r"/(?:abs|pdf|html)/")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?=//)", re.IGNORECASE)
OAI_PATH = re.compile(r"oai[-_]?(?:pmh)?2?\b", re.IGNORECASE)
EXAMPLE = "paste one such as https://example.org/feed.xml, or a category of arXiv such as cs.CL"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask; `kind` is None where only the answer can tell."""

    url: str
    kind: Source.Kind | None = None


def understood(typed: str) -> Address:
    """The address that was meant, in its canonical form. SourceError where none can be."""
    text = typed.strip().strip("<>\"'“”").strip()
    if not text:
        raise SourceError(f"There is no address: {EXAMPLE}.")
    if len(text) > MAX_LENGTH:
        raise SourceError(f"The address has over {MAX_LENGTH:,} letters: look for a shorter one.")
    if names := _categories(text):
        return _arxiv_feed(names)
    if text.casefold().replace(" ", "") in ("huggingface", "huggingfacedailypapers", "hf"):
        return Address(HUGGINGFACE_URL, Source.Kind.HUGGINGFACE)
    parts = _split(text)
    return _known_host(parts) or _archive(parts) or Address(parts.geturl())


def key(url: str) -> str:
    """Equal for addresses that ask for the same: http or https, host in any case, a slash at the end or none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "") + (f":{port}" if port not in (None, 80, 443) else "")
    return f"{host}{parts.path.rstrip('/')}?{parts.query}"


def names_an_archive(url: str) -> bool:
    """Whether the address looks like an OAI-PMH endpoint's, so that asking for Identify is worth a request."""
    parts = urlsplit(url)
    return bool(OAI_PATH.search(parts.path) or OAI_PATH.match(parts.hostname or ""))


def archive_url(url: str) -> str:
    """An OAI-PMH endpoint's base address, with the `set` and `metadataPrefix` that were named."""
    parts = urlsplit(url)
    named = [(name, value) for name, value in parse_qsl(parts.query) if name in ("set", "metadataPrefix")]
    return parts._replace(query=urlencode(named), fragment="").geturl()


def arxiv_names(url: str) -> list[str]:
    """The categories of one of arXiv's feeds."""
    return unquote(urlsplit(url).path).rpartition("/")[2].split("+")


def _split(text: str) -> SplitResult:
    """The parts of a web address, its host in small letters, https:// where nothing was said."""
    if any(character.isspace() for character in text):
        raise SourceError(f"{quoted(text)} is not one address: {EXAMPLE}.")
    text = re.sub(r"^feed:(?://)?(?=https?://)|^feed(?=://)", "", text, flags=re.IGNORECASE)
    text = f"https{text}" if text.startswith("://") else text
    scheme = SCHEME.match(text)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise SourceError(f"Only addresses that begin with http:// or https:// are fetched, not {quoted(scheme[0])}.")
    try:
        parts = urlsplit(text if scheme else f"https://{text.lstrip('/')}")
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SourceError(f"{quoted(text)} is not a web address: {EXAMPLE}.") from error
    if not host or not (scheme or "." in host or ":" in parts.netloc):
        raise SourceError(f"{quoted(text)} is not a web address: {EXAMPLE}.")
    if "@" in parts.netloc:
        raise SourceError("The address holds a user name or a password, which everybody here could read: take it out.")
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), fragment="")


def _known_host(parts: SplitResult) -> Address | None:
    """Hugging Face's and arXiv's own pages, whichever of them was pasted."""
    host = parts.hostname or ""
    if host in ("huggingface.co", "www.huggingface.co", "hf.co"):
        is_list = not parts.path.strip("/") or re.match(r"/(?:papers|api/daily_papers)(?:/|$)", parts.path)
        return Address(HUGGINGFACE_URL, Source.Kind.HUGGINGFACE) if is_list else None
    if host != "arxiv.org" and not host.endswith(".arxiv.org"):
        return None
    if _asks_an_archive(parts) or names_an_archive(parts.geturl()):
        return Address(archive_url(parts.geturl()), Source.Kind.OAI)
    if PAPER_PATH.match(parts.path):
        raise SourceError("This is the address of one paper: give the category whose new papers you want, as cs.CL.")
    if author := AUTHOR_PATH.fullmatch(parts.path):
        return Address(f"https://arxiv.org/a/{author[1]}.atom2")
    found = CATEGORY_PATH.match(parts.path)
    names = _categories(unquote(found[1])) if found else _searched_categories(parts)
    if names:
        return _arxiv_feed(names)
    if parts.path.startswith("/api/query") and parts.query:
        return Address(parts.geturl())  # a search is a feed like others
    raise SourceError(
        f"{quoted(parts.geturl(), 100)} names no category of arXiv: type its categories, as cs.CL or cs.CL+cs.LG."
    )


def _archive(parts: SplitResult) -> Address | None:
    if not _asks_an_archive(parts):
        return None
    return Address(archive_url(parts.geturl()), Source.Kind.OAI)


def _asks_an_archive(parts: SplitResult) -> bool:
    return any(name == "verb" for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def _arxiv_feed(names: list[str]) -> Address:
    return Address(ARXIV_FEED + "+".join(names), Source.Kind.ARXIV)


def _searched_categories(parts: SplitResult) -> list[str]:
    """The categories of a search that asks for nothing else."""
    query = dict(parse_qsl(parts.query)).get("search_query", "").strip()
    if not SEARCHED.fullmatch(query):
        return []
    return _categories("+".join(re.findall(r"cat:([\w.-]+)", query)))


def _categories(text: str) -> list[str]:
    """The arXiv categories that a text consists of, as arXiv writes them; [] where it is anything else."""
    names = [_category(name) for name in re.split(r"[+,\s]+", text.strip("+, ")) if name]
    return list(dict.fromkeys(names)) if all(names) else []


def _category(name: str) -> str:
    found = CATEGORY.fullmatch(name)
    if not found or found[1].lower() not in ARCHIVES:
        return ""
    archive, subject = found[1].lower(), found[2] or ""
    if not subject:
        return archive
    return f"{archive}.{subject.upper() if len(subject) == 2 else subject.lower()}"
