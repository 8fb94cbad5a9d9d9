"""All settings, from the environment only. With nothing set it runs, embedded. README has the table."""

from __future__ import annotations

import datetime as dt
import tomllib
import warnings
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from django.templatetags.static import static
from django.urls import reverse_lazy
from kombu import Queue

from config import content_policy, environment, mailing, private_files

BASE_DIR = Path(__file__).resolve().parent.parent
env = environment.Env()
env.read_env(BASE_DIR / ".env")
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# --- where things are -------------------------------------------------------------------------------
DATA_DIR = (BASE_DIR / (env.str("DATA_DIR", "") or "var")).resolve()
private_files.prepare(DATA_DIR)  # and the umask: whatever starts a process of the service, it reads this first
PORT = environment.whole_number(env, "PORT", 8000, 1, 65535)
SITE_URL = environment.site_url(env, f"http://127.0.0.1:{PORT}")
SITE_NAME = env.str("SITE_NAME", "") or "Paper Round"
POSTAL_ADDRESS = env.str("POSTAL_ADDRESS", "")
SITE_IS_LOCAL = urlsplit(SITE_URL).hostname in ("127.0.0.1", "localhost", "::1")

# --- safety -----------------------------------------------------------------------------------------
DEBUG = environment.yes_or_no(env, "DEBUG", False)
SECRET_KEY = environment.secret_key(env, DATA_DIR)
SECRET_KEY_FALLBACKS = environment.words(env, "SECRET_KEY_FALLBACKS")
# Suppressed addresses are hashed with a key of their own where there is one: it need not change with SECRET_KEY.
SUPPRESSION_KEY = env.str("SUPPRESSION_KEY", "")
SUPPRESSION_KEY_FALLBACKS = environment.words(env, "SUPPRESSION_KEY_FALLBACKS")
# The machine itself may always ask: health checks do.
ALLOWED_HOSTS = [
    *(env.list("ALLOWED_HOSTS", default=[]) or [urlsplit(SITE_URL).hostname]),
    "127.0.0.1",
    "localhost",
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
# A proxy ends TLS in front of us and says so; a redirect would break the one-click POST of RFC 8058.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Tokens stand in addresses: no other site ever gets a referrer. ("no-referrer" would make browsers send
# "Origin: null" with our own forms, which the CSRF check rightly refuses.)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_policy.SITE}
# How many proxies of ours stand in front and append to X-Forwarded-For; 0 believes no header.
TRUSTED_PROXIES = environment.whole_number(env, "TRUSTED_PROXIES", 0, 0, 5)
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_HANDLER = "accounts.lockout.Handler"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.too_many"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
# Whether staff need a code from an app besides their password: whoever has set one up, or everybody.
ADMIN_TOTP = environment.choice(env, "ADMIN_TOTP", "optional", ("optional", "required"))
OTP_TOTP_ISSUER = SITE_NAME
# Tries are limited by accounts.views: django-otp's own throttle would let a stranger lock the operator out.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0

# --- Django -----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "auditlog",
    "subscriptions",
    "digest",
    "embedded",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "axes",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "accounts",  # last: its admin takes back what those before it have registered
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "subscriptions.language.LanguageMiddleware",
    "subscriptions.request_size.RequestSizeMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.content_policy.admin_policy",
    "axes.middleware.AxesMiddleware",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Bytes that are read of a body: of reports from mail providers, that is. subscriptions.request_size bounds forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["config.formats"]
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each by its own name, as the switch shows it
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 31_536_000  # a year, in seconds
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY = HTTPS, True
# Each template may speak of languages without saying so first.
_BUILTINS = ["django.templatetags.i18n", "subscriptions.templatetags.languages"]
_TEMPLATES = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}
TEMPLATES = [
    {
        **_TEMPLATES,
        "NAME": "html",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": _BUILTINS,
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "subscriptions.context.site",
            ],
        },
    },
    # Subjects and text parts are not HTML: escaped, "R&D" would arrive as "R&amp;D".
    {
        **_TEMPLATES,
        "BACKEND": "config.text_templates.TextTemplates",
        "NAME": "text",
        "OPTIONS": {"builtins": _BUILTINS},
    },
]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o755  # of STATIC_ROOT, whatever the umask: another user's server may read it
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
# Outside the image nothing is collected, the finders serve the files: no reason for a warning at each start.
warnings.filterwarnings("ignore", message="No directory at")
LOG_LEVEL = environment.choice(env, "LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "subscriptions.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # A mistyped address, or a task that did what it should, is no news.
        **{key: {"level": "WARNING"} for key in ("httpx", "axes", "celery.worker.strategy", "celery.app.trace")},
        "django.request": {"level": "ERROR"},
        # Django's own handlers for these would write addresses in clear.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}

# --- database ---------------------------------------------------------------------------------------
DATABASES = {"default": environment.database(env, f"sqlite:///{DATA_DIR}/paper-round.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Several processes write: take the write lock when a transaction begins, and wait for it.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}

# --- Redis: queue and counters ----------------------------------------------------------------------
EMBEDDED_REDIS = not env.str("REDIS_URL", "")
REDIS_SOCKET = environment.socket_path(DATA_DIR)
REDIS_URL = env.str("REDIS_URL", "") or f"unix://{REDIS_SOCKET}"
CACHES = {"default": {"BACKEND": "config.redis_cache.RedisCache", "LOCATION": REDIS_URL}}

# --- mail -------------------------------------------------------------------------------------------
# With neither EMAIL_URL nor a provider's key, mail goes to the catcher that `make run` starts.
_provider_backend, ANYMAIL = environment.anymail_settings(env)
environment.require_services(env, bool(_provider_backend))
EMBEDDED_MAIL = not env.str("EMAIL_URL", "") and not _provider_backend
MAIL_CATCHER_PORT = environment.whole_number(env, "MAIL_CATCHER_PORT", 1025, 1, 65535)
MAIL_CATCHER_DIR = DATA_DIR / "mail"
if _provider_backend:
    EMAIL_BACKEND = _provider_backend
else:
    for _name, _value in environment.mail(env, f"smtp://127.0.0.1:{MAIL_CATCHER_PORT}").items():
        globals()[_name] = _value
EMAIL_TIMEOUT = environment.whole_number(env, "MAIL_TIMEOUT", 30, 1, 300)  # seconds a server may be silent
_HOST = "localhost" if SITE_IS_LOCAL else urlsplit(SITE_URL).hostname
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "") or f"{SITE_NAME} <papers@{_HOST}>"
# Confirmations leave from another address, so that complaints about the one do not taint the other.
TRANSACTIONAL_FROM_EMAIL = env.str("TRANSACTIONAL_FROM_EMAIL", "") or f"{SITE_NAME} <hello@{_HOST}>"
# Sign digests here (plain SMTP only), where neither a provider nor the relay does.
DKIM_SELECTOR = env.str("DKIM_SELECTOR", "")
DKIM_PRIVATE_KEY = env.str("DKIM_PRIVATE_KEY", "")  # a PEM text, or the path of one
DKIM_DOMAIN = env.str("DKIM_DOMAIN", "") or parseaddr(DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]

# --- what the service does --------------------------------------------------------------------------
# Hugging Face's list is looked at by itself once a source is due; False leaves it to `manage.py ingest`.
FETCH_SOURCES = environment.yes_or_no(env, "FETCH_SOURCES", True)
# What mail does when a daily source is late: say so, wait up to three hours and then say so, or neither.
LATE_SOURCES = environment.choice(env, "LATE_SOURCES", "label", ("label", "hold", "ignore"))
# Hosts, ports and networks that sources may be fetched from although they are not of the public web.
FETCH_PRIVATE_HOSTS = environment.private_hosts(env, "FETCH_PRIVATE_HOSTS")
CANDIDATE_DAYS = environment.whole_number(env, "CANDIDATE_DAYS", 7, 1, 60)
# More sign-ups an hour than this, and than three times the usual, are a burst; 0: none ever is.
SIGNUP_BURST = environment.whole_number(env, "SIGNUP_BURST", 60, 0, 1_000_000)
# Whether a browser has to do a little work before it signs somebody up.
SIGNUP_PROOF_OF_WORK = environment.choice(env, "SIGNUP_PROOF_OF_WORK", "burst", ("off", "burst", "always"))
# How far back the first mail after a pause looks.
CATCH_UP_DAYS = environment.whole_number(env, "CATCH_UP_DAYS", 30, 1, 60)
# How long what grows is kept, in days (digest.operations.retention). Whatever is set, no mail looks back further
# than 125 days, and the digests of these say which papers a subscriber had already.
KEEP_DIGESTS_DAYS = environment.whole_number(env, "KEEP_DIGESTS_DAYS", 365, 125, 36_500)
_LOOKED_BACK = max(30, max(7, CANDIDATE_DAYS) + CATCH_UP_DAYS)
KEEP_MATCHES_DAYS = environment.whole_number(env, "KEEP_MATCHES_DAYS", max(60, _LOOKED_BACK), _LOOKED_BACK, 36_500)
KEEP_UNCONFIRMED_DAYS = environment.whole_number(env, "KEEP_UNCONFIRMED_DAYS", 7, 7, 365)  # their link is good for 7
KEEP_LEFT_DAYS = environment.whole_number(env, "KEEP_LEFT_DAYS", 90, 1, 36_500)
KEEP_PAGES_DAYS = environment.whole_number(env, "KEEP_PAGES_DAYS", 30, 1, 36_500)
KEEP_HISTORY_DAYS = environment.whole_number(env, "KEEP_HISTORY_DAYS", 400, 365, 36_500)
KEEP_ADMIN_LOG_DAYS = environment.whole_number(env, "KEEP_ADMIN_LOG_DAYS", 365, 1, 36_500)
KEEP_SIGN_INS_DAYS = environment.whole_number(env, "KEEP_SIGN_INS_DAYS", 30, 1, 36_500)
KEEP_CAUGHT_MAIL_DAYS = environment.whole_number(env, "KEEP_CAUGHT_MAIL_DAYS", 30, 1, 36_500)
# Many mails a call where the provider takes them; 0: one by one, each with its own idempotency key where it knows keys.
PROVIDER_BATCHES = environment.yes_or_no(env, "PROVIDER_BATCHES", True)
UNKNOWN_DELIVERIES = environment.choice(env, "UNKNOWN_DELIVERIES", "resend", ("resend", "hold"))

# --- how mail leaves --------------------------------------------------------------------------------
# What one task takes, and what is on its way at once: the most a killed worker leaves in doubt.
MAIL_CHUNK = environment.whole_number(env, "MAIL_CHUNK", 500, 1, 5000)
MAIL_WINDOW = environment.whole_number(env, "MAIL_WINDOW", 50, 1, 1000)
# Connections of a worker to the SMTP server, for one that is far away; a window should hold two mails for each.
MAIL_CONNECTIONS = environment.whole_number(env, "MAIL_CONNECTIONS", 1, 1, 200)
# What a dead worker held is taken up when its lease is over; a living one keeps it for longer
# (digest.mail.delivery.worker_locks).
MAIL_LEASE = dt.timedelta(seconds=environment.whole_number(env, "MAIL_LEASE", 600, 2, 86_400))
# A mail put off waits so many seconds before each next try, and fails after the last.
MAIL_BACKOFF = mailing.waits(env, "MAIL_BACKOFF", "60,300,900,3600,14400")
# A server that takes nothing is tried again after the first of these, then after longer, up to the second.
MAIL_CIRCUIT_WAIT = mailing.waits(env, "MAIL_CIRCUIT_WAIT", "30,1800", 2)
MAIL_RATE = mailing.rates(env, "MAIL_RATE")
MAIL_DOMAIN_LIMITS = mailing.domain_limits(env, "MAIL_DOMAIN_LIMITS")
MAIL_WARM_UP = mailing.numbers(env, "MAIL_WARM_UP")
MAIL_ASK_ABOVE = environment.whole_number(env, "MAIL_ASK_ABOVE", 500, 0, 1_000_000_000)  # 0: never asks
# So many of 100 mails called spam, in a week, and mail waits for the operator; 0: never asks.
MAIL_COMPLAINT_LIMIT = mailing.percent(env, "MAIL_COMPLAINT_LIMIT", "0.1")

# --- Celery -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a Redis that is away for a night is waited for
CELERY_TASK_IGNORE_RESULT = True
CELERY_DB_REUSE_MAX = 1_000  # tasks; until then config.celery looks after the connection
CELERY_TASK_ACKS_LATE = True
# Papers and mail have workers of their own, so that no foreign page holds up mail. A worker without -Q takes both.
CELERY_TASK_QUEUES = [Queue("mail"), Queue("papers")]
CELERY_TASK_DEFAULT_QUEUE = "papers"  # what is not mail must not stand in its way
CELERY_TASK_ROUTES = {
    "digest.tasks.send_due": {"queue": "mail"},
    "digest.tasks.select_chunk": {"queue": "mail"},
    "digest.tasks.deliver_chunks": {"queue": "mail"},
    "subscriptions.tasks.send_notices": {"queue": "mail"},
    "digest.tasks.ingest_due": {"queue": "papers"},
    "digest.tasks.ingest_one": {"queue": "papers"},
    "digest.tasks.match_new": {"queue": "papers"},
    "digest.tasks.prune": {"queue": "papers"},
}
# Seconds a task may take: shorter than the broker waits before it hands a message out again, and than what a source's
# check may take (digest.models.sources.LONGEST_CHECK). At the softer limit a task can still say so.
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TASK_ANNOTATIONS = {
    "digest.tasks.ingest_due": {"soft_time_limit": 50, "time_limit": 60},
    "digest.tasks.ingest_one": {"soft_time_limit": 600, "time_limit": 660},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A page must answer while Redis is down: rows hold the work, the next look finds it.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "visibility_timeout": 3600}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
LOOK_EVERY = environment.whole_number(env, "LOOK_EVERY", 60, 1, 3600)  # seconds between two looks for due readers
CELERY_BEAT_SCHEDULE = {
    # A look that waited longer than until the next one is of no use: it expires.
    "look-for-due-sources": {"task": "digest.tasks.ingest_due", "schedule": 60, "options": {"expires": 55}},
    "look-for-due-readers": {
        "task": "digest.tasks.send_due",
        "schedule": LOOK_EVERY,
        "options": {"expires": LOOK_EVERY * 0.9},
    },
    "look-for-notices": {
        "task": "subscriptions.tasks.send_notices",
        "schedule": 60,
        "options": {"expires": 55},
    },
    "prune": {"task": "digest.tasks.prune", "schedule": 3600, "options": {"expires": 3000}},
}

# --- admin ------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_URL": "/",
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("second_factor")}]},
    "SITE_SYMBOL": "mail",
    "SHOW_HISTORY": True,
    "SCRIPTS": [lambda request: static("admin-expressions.js"), lambda request: static("admin-alpine.js")],
    "DASHBOARD_CALLBACK": "digest.operations.dashboard.context",
    "SIDEBAR": {"navigation": "digest.operations.dashboard.navigation"},
    "COLORS": {
        "primary": {
            "50": "#eff5fc", "100": "#dce9f8", "200": "#bcd4f1", "300": "#8fb8f5", "400": "#5f95dd",
            "500": "#3a74c2", "600": "#1d4f91", "700": "#1a4680", "800": "#183b69", "900": "#16325a", "950": "#0f213c",
        }
    },
}  # fmt: skip

environment.refuse_faults()
