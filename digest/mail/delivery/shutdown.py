"""Whether this worker was told to stop: its children then finish the window on the wire and give the rest back.

Celery tells the parent only, and waits for its children's tasks; whoever waits for Celery may lose patience and kill.
A byte of shared memory, since a lock could be left taken by a child that is killed.
"""

from __future__ import annotations

from multiprocessing.sharedctypes import RawValue

from celery.signals import worker_shutting_down

_is_stopping = RawValue("b", 0)


@worker_shutting_down.connect
def stop(**kwargs: object) -> None:
    _is_stopping.value = 1


def is_stopping() -> bool:
    return bool(_is_stopping.value)
