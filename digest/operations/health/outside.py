"""How others see us: the senders' addresses, the mail server, and what DNS says of our domains."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
from django.conf import settings
from django.core.mail.utils import DNS_NAME

from digest.operations.health.findings import Finding, ok, problem, reason, warning
from subscriptions import addresses

SMTP_WAIT, DNS_WAIT = 5, 3
# Whose DMARC policy refuses mail in their name that others send.
MAILBOX_PROVIDERS = {
    "aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mail.ru",
    "me.com", "outlook.com", "proton.me", "protonmail.com", "web.de", "yahoo.com", "yandex.ru", "ymail.com",
}  # fmt: skip


def senders() -> list[Finding]:
    """The addresses mail comes from."""
    keys = _sender_keys()
    found = []
    if len(set(keys.values())) == 1:
        do = "Set TRANSACTIONAL_FROM_EMAIL to another one: complaints about the one then spare the other."
        found.append(warning("Digests and confirmations come from the same address.", do))
    for name, key in keys.items():
        if not settings.SITE_IS_LOCAL:
            found += _sender(name, _domain(key))
    return found or [ok("The senders' addresses are good.")]


def _sender(name: str, domain: str) -> list[Finding]:
    """Whether mail from this domain can be ours: receivers compare it with who signed and where the links lead."""
    if not domain:
        return [problem(f"{name} has no domain that others know.", f"Set {name} to an address of yours.")]
    if domain in MAILBOX_PROVIDERS:
        do = f"Set {name} to an address of a domain of yours, and let your mail server or provider sign for it."
        return [problem(f"{name} is an address at {domain}, which only {domain} may send from (DMARC).", do)]
    signing = settings.ANYMAIL.get("MAILGUN_SENDER_DOMAIN", "")
    if signing and not _related(domain, signing):
        do = f"Set {name} to an address at {signing}, or ANYMAIL_MAILGUN_SENDER_DOMAIN to {domain}."
        return [problem(f"{name} is at {domain}, but Mailgun signs for {signing}.", do)]
    site = urlsplit(settings.SITE_URL).hostname or ""
    if not _related(domain, site):
        do = f"Set {name} to an address at the site's domain, unless both are known to belong together."
        return [warning(f"{name} is at {domain}, but links in the mail lead to {site}: filters mistrust that.", do)]
    return []


def _related(one: str, other: str) -> bool:
    """Whether two names are under one domain. Without the list of public suffixes "co.uk" passes for one, too."""
    first, second = ([*name.lower().rstrip(".").split(".")][-2:] for name in (one, other))
    return first == second


def _sender_keys() -> dict[str, str]:
    texts = {name: getattr(settings, name) for name in ("DEFAULT_FROM_EMAIL", "TRANSACTIONAL_FROM_EMAIL")}
    return {name: addresses.key(parseaddr(text)[1]) for name, text in texts.items()}


def _domain(key: str) -> str:
    """The address's domain; "" where it is none that other machines could know."""
    local, _, domain = key.rpartition("@")
    return domain if local and "." in domain and domain.strip("[]") != "127.0.0.1" else ""


def mail_server() -> list[Finding]:
    """Connect and say hello; a provider's HTTP interface is not asked."""
    if not settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        return []
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    session = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    try:
        with session(settings.EMAIL_HOST, settings.EMAIL_PORT, str(DNS_NAME), timeout=SMTP_WAIT) as server:
            server.ehlo_or_helo_if_needed()
            if settings.EMAIL_USE_TLS and not server.has_extn("starttls"):
                do = "Turn on TLS there, or correct EMAIL_URL (smtp+ssl:// for port 465)."
                return [problem(f"The mail server {where} offers no STARTTLS, which EMAIL_URL asks for.", do)]
    except (OSError, ValueError) as error:
        do = "Start it with `make run`." if settings.EMBEDDED_MAIL else "Start it, or correct EMAIL_URL."
        return [problem(f"The mail server {where} cannot be used ({reason(error)}).", do)]
    return [ok(f"The mail server {where} answers.")]


def name_records() -> list[Finding]:
    """What others look up before they take our mail. A look-up that gets no answer is a warning."""
    if settings.SITE_IS_LOCAL:
        return []
    found = []
    for domain in sorted({_domain(key) for key in _sender_keys().values()} - {""}):
        for name, look in (("MX", _takes_mail), ("SPF", _spf), ("DMARC", _dmarc)):
            try:
                found.append(look(domain))
            except (dns.exception.DNSException, OSError) as error:
                what = f"{name} of {domain} could not be looked up ({reason(error)})."
                found.append(warning(what, "Run `manage.py doctor` again where DNS can be reached."))
    return found


def _takes_mail(domain: str) -> Finding:
    if any(not record.endswith(" .") for record in _records(domain, "MX")):  # "0 ." says: no mail here
        return ok(f"{domain} has a mail server.")
    if _records(domain, "A") or _records(domain, "AAAA"):
        return ok(f"{domain} has an address.")
    do = "Publish an MX record for it, or send from a domain that has one: bounces and answers must arrive."
    return problem(f"{domain}, which mail comes from, has neither MX nor A record.", do)


def _spf(domain: str) -> Finding:
    records = [text for text in _records(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
    if not records:
        do = f"Publish a TXT record for {domain} that names your mail server or provider: v=spf1 mx -all"
        return problem(f"{domain} has no SPF record: its mail is taken for forged.", do)
    if len(records) > 1:
        return problem(f"{domain} has {len(records)} SPF records: they count as none.", "Make one of them.")
    return ok(f"{domain} has an SPF record.")


def _dmarc(domain: str) -> Finding:
    """A domain without one is under that of the domain above it."""
    above = [domain.split(".", number)[-1] for number in range(max(domain.count("."), 1))]
    if any(text.upper().startswith("V=DMARC1") for name in above for text in _records(f"_dmarc.{name}", "TXT")):
        return ok(f"{domain} has a DMARC record.")
    do = f"Publish a TXT record for _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:postmaster@{domain}"
    return problem(f"{domain} has no DMARC record: large providers refuse its bulk mail.", do)


def _records(name: str, kind: str) -> list[str]:
    """A name's records as text; none where the name or the kind does not exist. Raises DNSException."""
    resolver = dns.resolver.Resolver()
    resolver.lifetime = DNS_WAIT
    try:
        answer = resolver.resolve(name, kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    # A TXT record is one text in several strings.
    return [b"".join(one.strings).decode("utf-8", "replace") if kind == "TXT" else str(one) for one in answer]
