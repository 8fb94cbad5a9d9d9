"""Settings whose broker takes every message for lost after three seconds, and says which it hands out."""

from config.settings import *  # noqa: F403
from config.settings import CELERY_BROKER_TRANSPORT_OPTIONS, LOGGING

CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {
    # kombu looks only every hundredth second for what was not acknowledged, unless told so.
    "visibility_timeout": 3, "unacked_restore_interval": 1, "unacked_restore_throttle": 1,
}  # fmt: skip
LOGGING["loggers"]["celery.worker.strategy"] = {"level": "INFO"}
