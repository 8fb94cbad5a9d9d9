"""The door for gunicorn: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from digest.picks.preview.preview_cache import keep_warm  # noqa: E402 (models can be imported from here on)
from subscriptions.checks import log_findings  # noqa: E402

log_findings()
keep_warm()
