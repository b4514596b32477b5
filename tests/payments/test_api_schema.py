"""The OpenAPI document is valid, and the running site does what it says."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parking.models import Spot
from parking.throttling import HoldThrottle
from tests.payments.processor import Processor

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_document_has_no_faults() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_every_answer_is_one_that_the_document_names(
    live_server: LiveServer, spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HoldThrottle, "allow_request", lambda *_: True)
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/schema/?format=json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 11
    for operation in operations:

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS)

        ask()


def test_the_browsable_page_needs_no_inline_script(client: Client, spot: Spot) -> None:
    page = client.get("/api/")
    assert page.status_code == 200
    assert b"<script>" not in page.content
    policy = page["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


def test_the_browsable_page_draws_and_breaks_no_policy(
    browser: Browser, live_server: LiveServer
) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{live_server.url}/api/")
    page.get_by_text("/api/v1/bookings/", exact=True).wait_for()
    page.close()
    assert complaints == []
