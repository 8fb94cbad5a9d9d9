"""How settings read the environment: each value checked, each mistake said in one line, all of them at once; empty is
unset.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import ipaddress
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

# A provider is chosen by the name of its key: ANYMAIL_POSTMARK_SERVER_TOKEN means Postmark.
PROVIDERS = {
    "AMAZON_SES": "amazon_ses",
    "BREVO": "brevo",
    "MAILERSEND": "mailersend",
    "MAILGUN": "mailgun",
    "MAILJET": "mailjet",
    "MANDRILL": "mandrill",
    "POSTAL": "postal",
    "POSTMARK": "postmark",
    "RESEND": "resend",
    "SENDGRID": "sendgrid",
    "SPARKPOST": "sparkpost",
}

# Who may be fetched from: a name, or a network of addresses; the port, None for those of the web.
PrivateHost = tuple[str | ipaddress.IPv4Network | ipaddress.IPv6Network, int | None]


# Providers whose tracking of opens and clicks can be turned off with each mail; the others' accounts must have it off.
UNTRACKED = ("MAILERSEND", "MAILGUN", "MAILJET", "MANDRILL", "POSTMARK", "SENDGRID", "SPARKPOST")
# Settings that need a package which only an extra of pyproject.toml installs: its module and the extra.
EXTRAS = {"AMAZON_SES": ("boto3", "ses"), "RESEND_SIGNING_SECRET": ("svix", "resend")}
# Backends of ours, which add the idempotency key that Anymail has no word for.
OWN_BACKENDS = ("brevo", "resend")


class Variables(Mapping[str, str]):
    """The process's environment, in which NAME_FILE names a file that holds NAME while NAME is unset or empty."""

    def __getitem__(self, name: str) -> str:
        path = os.environ.get(f"{name}_FILE", "")
        return secret_file(f"{name}_FILE", path) if path and not os.environ.get(name) else os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter({name.removesuffix("_FILE") for name in os.environ})

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Env(environ.Env):  # type: ignore[misc]  # the library has no types
    """The environment, secrets in files included. `read_env` still fills the process's own."""

    def __init__(self) -> None:
        super().__init__()
        self.ENVIRON = Variables()


def secret_file(name: str, path: str) -> str:
    """Return the file's text without the white space around it. Raises ImproperlyConfigured when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a UTF-8 text"
        raise ImproperlyConfigured(f"{name}={path!r} cannot be read: {reason}.") from error


Given = ParamSpec("Given")
Result = TypeVar("Result")
Reader = Callable[Concatenate[environ.Env, Given], Result]


class Unset(environ.Env):  # type: ignore[misc]  # the library has no types
    """An environment in which nothing is set."""

    ENVIRON: dict[str, str] = {}


faults: list[str] = []  # of the settings read so far


def collecting(read: Reader[Given, Result]) -> Reader[Given, Result]:
    """A reader of a setting that puts a wrong value down among `faults` and goes on as if it were unset, so that
    whoever sets up a service hears of all mistakes at once.
    """

    @wraps(read)
    def reading(env: environ.Env, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return read(env, *args, **kwargs)
        except ImproperlyConfigured as error:
            faults.append(str(error))
            return read(Unset(), *args, **kwargs)

    return reading


def refuse_faults() -> None:
    """What the settings end with: raises ImproperlyConfigured, a fault a line."""
    found, faults[:] = list(dict.fromkeys(faults)), []
    if found:
        raise ImproperlyConfigured("\n".join(found))


@collecting
def anymail_settings(env: environ.Env) -> tuple[str, dict[str, Any]]:
    """The provider's backend ("" for none) and Anymail's own settings, from ANYMAIL_... variables."""
    given = {name: env.ENVIRON[name] for name in env.ENVIRON if name.startswith("ANYMAIL_")}
    values = {name[8:]: anymail_value(name, text) for name, text in given.items()}
    values = {name: value for name, value in values.items() if value != ""}
    named = {prefix: backend for prefix, backend in PROVIDERS.items() if any(key.startswith(prefix) for key in values)}
    if len(named) > 1:
        raise ImproperlyConfigured(
            f"ANYMAIL_... names {len(named)} providers ({', '.join(named.values())}): set the keys of one only."
        )
    _require_extras(values)
    defaults: dict[str, Any] = {
        f"{prefix}_SEND_DEFAULTS": {"track_opens": False, "track_clicks": False}
        for prefix in named
        if prefix in UNTRACKED
    }
    if "POSTMARK" in named:
        # Else it writes a Message-ID of its own, and a repeat is not to be recognised.
        defaults["POSTMARK_SEND_DEFAULTS"]["extra_headers"] = {"X-PM-KeepID": "true"}
    if "AMAZON_SES" in named:
        # botocore would send again by itself after a time-out, when the first may have been taken.
        patience = {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 30}
        given = values.get("AMAZON_SES_CLIENT_PARAMS", {})
        values["AMAZON_SES_CLIENT_PARAMS"] = given | {"config": patience | given.get("config", {})}
    for slug in named.values():
        home = "digest.mail.transports.providers" if slug in OWN_BACKENDS else "anymail.backends"
        return f"{home}.{slug}.EmailBackend", defaults | values
    return "", values


def _require_extras(values: Mapping[str, Any]) -> None:
    for prefix, (module, extra) in EXTRAS.items():
        name = next((key for key in values if key.startswith(prefix)), None)
        if name and importlib.util.find_spec(module) is None:
            raise ImproperlyConfigured(
                f"ANYMAIL_{name} is set, but {module} is not installed. Install the extra `{extra}`: "
                f"pip install -r requirements-{extra}.txt, or with Docker EXTRA={extra} docker compose build."
            )


def anymail_value(name: str, text: str) -> Any:
    """Text, or what JSON says where it is a list, an object, true or false: two webhook secrets, say."""
    if not re.match(r"[\[{]|(true|false)$", text):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} begins like JSON and is none ({error}).") from error


@collecting
def choice(env: environ.Env, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    value = str(env.str(name, "")) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of: {', '.join(allowed)}.")
    return value


@collecting
def yes_or_no(env: environ.Env, name: str, default: bool) -> bool:
    """1, 0, true, false, yes, no, on, off."""
    text = str(env.str(name, "")).strip().lower()
    if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return text in ("1", "true", "yes", "on") if text else default
    raise ImproperlyConfigured(f"{name}={text!r} is neither yes nor no: say 1 or 0.")


@collecting
def whole_number(env: environ.Env, name: str, default: int, lowest: int, highest: int) -> int:
    """An int within bounds."""
    text = str(env.str(name, "")) or str(default)
    if not text.strip().isdecimal() or not lowest <= int(text) <= highest:
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number from {lowest} to {highest}.")
    return int(text)


@collecting
def private_hosts(env: environ.Env, name: str) -> list[PrivateHost]:
    """Hosts and networks, comma-separated, each with a port or without."""
    found = []
    for text in str(env.str(name, "")).split(","):
        try:
            found += [private_host(text.strip())] if text.strip() else []
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}: {text.strip()!r} is not a host, an address or a network such as wiki.example.org, "
                "127.0.0.1:9000, 10.1.0.0/16 or [fd00::1]:8080."
            ) from error
    return found


def private_host(text: str) -> PrivateHost:
    """A name in lower case, or a network (an address is one of a single address); and its port. Raises ValueError."""
    ported = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", text)
    host, port = (ported[1], int(ported[2])) if ported else (text, None)
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(text)
    host = host.removeprefix("[").removesuffix("]").lower()
    try:
        return ipaddress.ip_network(host), port
    except ValueError:
        labels = host.split(".")
        if not all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels) or labels[-1].isdigit():
            raise
        return host, port


@collecting
def database(env: environ.Env, default: str) -> dict[str, Any]:
    """Django's settings for the database's address: SQLite or PostgreSQL."""
    try:
        found: dict[str, Any] = env.db_url_config(str(env.str("DATABASE_URL", "")) or default)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured("DATABASE_URL is not an address such as postgres://user:pass@host/name.") from error
    if found.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite:///.")
    return found


@collecting
def mail(env: environ.Env, default: str) -> dict[str, Any]:
    """Django's EMAIL_... settings for the mail server's address."""
    try:
        found: dict[str, Any] = env.email_url_config(str(env.str("EMAIL_URL", "")) or default)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured("EMAIL_URL is not an address such as smtp+tls://user:pass@host:587.") from error
    return found


@collecting
def site_url(env: environ.Env, default: str) -> str:
    """The address readers reach us at, without a slash at its end."""
    url = (str(env.str("SITE_URL", "")) or default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "//" in parts.path:
        raise ImproperlyConfigured(f"SITE_URL={url!r} is not an address such as https://papers.example.org.")
    return url


def words(env: environ.Env, name: str) -> list[str]:
    """Return the parts of a comma-separated list, without the blanks around them."""
    return [word.strip() for word in str(env.str(name, "")).split(",") if word.strip()]


def require_services(env: environ.Env, has_provider: bool) -> None:
    """With EMBEDDED=0, add a fault for each service that is not set and would be replaced by an embedded one."""
    if yes_or_no(env, "EMBEDDED", True):
        return
    wanted = {"DATABASE_URL": "postgres://user:password@host/name", "REDIS_URL": "redis://host:6379/0"}
    if not has_provider:
        wanted["EMAIL_URL"] = "smtp+tls://user:password@host:587, or set a provider's key (ANYMAIL_...)"
    for name, example in wanted.items():
        if not env.str(name, ""):
            faults.append(f"{name} is not set, and EMBEDDED=0 excludes the embedded one. Set {name}={example}.")


def secret_key(env: environ.Env, data_dir: Path) -> str:
    """SECRET_KEY, or one made once and kept beside the data: links in sent mail must outlive a restart."""
    given: Any = env.str("SECRET_KEY", "")
    if given:
        return str(given)
    path = data_dir / "secret_key"
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):  # another process was first: its key is the one
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def socket_path(data_dir: Path) -> Path:
    """Where the embedded Redis listens. A Unix socket's path holds about 100 bytes, a folder's may not."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) < 100:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"paper-round-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    info = folder.lstat()
    if info.st_uid != os.getuid() or not stat.S_ISDIR(info.st_mode):
        raise ImproperlyConfigured(f"{folder} belongs to somebody else: set DATA_DIR to a shorter path.")
    folder.chmod(0o700)
    return folder / "redis.sock"
