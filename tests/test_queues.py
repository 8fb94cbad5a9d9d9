"""Which worker does what, and for how long at most."""

from __future__ import annotations

import pytest
from django.conf import settings

from config.celery import app
from digest.models.sources import LONGEST_CHECK
from embedded.management.commands import run

app.loader.import_default_modules()
TASKS = sorted(name for name in app.tasks if not name.startswith("celery."))
MAIL = {
    "digest.tasks.send_due",
    "digest.tasks.select_chunk",
    "digest.tasks.deliver_chunks",
    "subscriptions.tasks.send_notices",
}
VISIBILITY = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_whether_it_is_mail(name: str) -> None:
    assert name in settings.CELERY_TASK_ROUTES
    assert app.amqp.router.route({}, name)["queue"].name == ("mail" if name in MAIL else "papers")


def test_there_are_tasks_and_no_routes_of_others() -> None:
    assert set(settings.CELERY_TASK_ROUTES) == set(TASKS) >= MAIL


@pytest.mark.parametrize("name", TASKS)
def test_every_task_ends_before_the_broker_hands_it_out_again(name: str) -> None:
    own = settings.CELERY_TASK_ANNOTATIONS.get(name, {})
    hard = own.get("time_limit", settings.CELERY_TASK_TIME_LIMIT)
    soft = own.get("soft_time_limit", settings.CELERY_TASK_SOFT_TIME_LIMIT)
    assert 0 < soft < hard < VISIBILITY


def test_a_check_that_is_given_up_has_surely_ended() -> None:
    limits = settings.CELERY_TASK_ANNOTATIONS["digest.tasks.ingest_one"]
    assert limits["time_limit"] < LONGEST_CHECK.total_seconds() < VISIBILITY


def test_a_worker_that_is_told_no_queue_takes_all() -> None:
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} == {"mail", "papers"}
    assert set(app.amqp.queues.consume_from) == {"mail", "papers"}


def test_each_queue_has_a_worker_of_its_own_by_default() -> None:
    read = [words[words.index("-Q") + 1] for program in run.programs(8000) if "-Q" in (words := program.command)]
    assert sorted(read) == ["mail", "papers"]
