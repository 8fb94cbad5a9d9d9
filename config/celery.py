"""The Celery app. Its settings are the CELERY_... ones of `config.settings`."""

import gc
import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, task_prerun, worker_process_init
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("paper_round")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_after_setup.connect
def log_findings_of_checks(**_: object) -> None:
    """After the set-up of logging, once for all processes of a worker."""
    import_module("subscriptions.checks").log_findings()  # needs the apps, which are not loaded with this module


@worker_process_init.connect
def spare_the_collector(**_: object) -> None:
    """What was imported lives as long as the process, and most of what tasks make is no circle."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # each look goes over all that is kept from chunk to chunk


@task_prerun.connect
def look_at_connections(task: Any, **_: object) -> None:
    """As Django does before a request: CONN_MAX_AGE and CONN_HEALTH_CHECKS are heeded. Celery itself would close the
    connection around every task, and a new one costs the database as much as a few dozen mails.
    """
    if not task.request.is_eager:
        close_old_connections()
