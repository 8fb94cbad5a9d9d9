"""The JSON interface by tools that know nothing of us: its description validated, and then fuzzed from it.

Schemathesis asks the real application (WSGI, in this process, nothing patched) what openapi.json says can be asked, and
what it says cannot, and holds every answer to it. The inputs are the same on each run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)  # fmt: skip

from digest.models import Feedback, Paper
from digest.picks.selection.select import select_due
from digest.web.api import openapi
from subscriptions import tokens
from subscriptions.models import Secret, Subscriber
from tests.conftest import MORNING

EXAMPLES = 40  # an operation, besides those that cover each boundary of the description
# What fits the description may still be no time zone, no line that can be read, no paper of one's mail: 422 says so.
ACCEPTED = ["2xx", "304", "401", "404", "422"]
schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json",
    get_wsgi_application(),  # config.wsgi would start a thread of its own too
    config=SchemathesisConfig(
        seed=1,
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(deterministic=True, database="none"),
                checks=ChecksConfig(
                    positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=ACCEPTED),
                ),
            )
        ),
    ),
)


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """Requests end without closing the connection, as with Django's own test client: the test's rows live in it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def token(one_transaction: None, alice: Subscriber, papers: list[Paper], settings: object) -> str:
    """Alice, with a mail and a saved paper. Nobody counts how often is asked."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    select_due(MORNING)
    Feedback.objects.create(subscriber=alice, paper=papers[0], kind="save", at=MORNING)
    return tokens.make(alice, Secret.Kind.API, MORNING)


def test_the_description_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(json.loads(openapi.text())).validate()


def test_no_operation_is_passed_over() -> None:
    described = {
        f"{method.upper()} {path}" for path, of in json.loads(openapi.text())["paths"].items() for method in of
    }
    # Schemathesis leaves out the address it read the description from; test_api.py asks that.
    assert {one.ok().label for one in schema.get_all_operations()} == described - {"GET /api/v1/openapi.json"}


@pytest.mark.django_db
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_as_described(case: schemathesis.Case, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
