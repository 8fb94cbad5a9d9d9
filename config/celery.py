"""The Celery app. Its settings are the CELERY_... ones of `config.settings`."""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("paper_round")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def spare_the_collector(**_: object) -> None:
    """What was imported lives as long as the process, and most of what tasks make is no circle."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # each look goes over all that is kept from chunk to chunk
