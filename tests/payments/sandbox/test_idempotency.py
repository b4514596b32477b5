"""Idempotency keys: one key, one outcome."""

import threading
import time
from typing import Any

import pytest
import requests
import stripe

from tests.payments.sandbox.box import KEY, Box


def test_the_same_request_gets_the_same_answer(box: Box) -> None:
    sessions = box.client().checkout.sessions
    first = sessions.create(box.order(), {"idempotency_key": "pay-1"})
    again = sessions.create(box.order(), {"idempotency_key": "pay-1"})
    assert first.id == again.id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(box.all("checkout/sessions")) == 1


def test_the_answer_stays_the_first_even_when_the_object_has_changed(box: Box) -> None:
    sessions = box.client().checkout.sessions
    session = sessions.create(box.order(), {"idempotency_key": "pay-1"})
    sessions.expire(session.id)
    assert sessions.create(box.order(), {"idempotency_key": "pay-1"}).status == "open"


def test_other_parameters_under_the_key_are_refused(box: Box) -> None:
    sessions = box.client().checkout.sessions
    sessions.create(box.order(250), {"idempotency_key": "pay-1"})
    with pytest.raises(stripe.IdempotencyError):
        sessions.create(box.order(300), {"idempotency_key": "pay-1"})
    with pytest.raises(stripe.IdempotencyError):
        box.client().customers.create({}, {"idempotency_key": "pay-1"})
    assert len(box.all("checkout/sessions")) == 1


def test_a_malformed_request_may_be_corrected_under_its_key(box: Box) -> None:
    sessions = box.client().checkout.sessions
    with pytest.raises(stripe.InvalidRequestError):
        sessions.create(box.order(1), {"idempotency_key": "pay-1"})
    assert sessions.create(box.order(250), {"idempotency_key": "pay-1"}).amount_total == 250


def test_a_refusal_of_what_had_begun_is_final_for_its_key(box: Box) -> None:
    intent = box.a_paid_intent(card="4000000000005126")
    refunds = box.client().refunds
    refunds.create({"payment_intent": intent.id})
    wanted: Any = {"payment_intent": intent.id}
    with pytest.raises(stripe.InvalidRequestError):
        refunds.create(wanted, {"idempotency_key": "again"})
    box.advance(60)  # The first refund has failed by now: a new key would succeed.
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refunds.create(wanted, {"idempotency_key": "again"})
    assert refusal.value.code == "charge_already_refunded"
    assert len(box.all("refunds")) == 1


def test_a_key_is_forgotten_after_a_day(box: Box) -> None:
    sessions = box.client().checkout.sessions
    first = sessions.create(box.order(), {"idempotency_key": "pay-1"})
    box.advance(86_401)
    assert sessions.create(box.order(), {"idempotency_key": "pay-1"}).id != first.id


def test_a_second_request_while_the_first_still_runs_is_a_conflict(box: Box) -> None:
    box.control("faults", kind="latency", seconds=1.5, times=1, path="/v1/customers")
    statuses: list[int] = []

    def send() -> None:
        answer = requests.post(
            f"{box.base}/v1/customers",
            headers={"Authorization": f"Bearer {KEY}", "Idempotency-Key": "slow"},
            timeout=10,
        )
        statuses.append(answer.status_code)

    first = threading.Thread(target=send)
    first.start()
    time.sleep(0.5)
    send()
    first.join()
    assert statuses == [409, 200]
    assert len(box.all("customers")) == 1


def test_an_endless_key_is_refused(box: Box) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="1 to 255"):
        box.client().customers.create({}, {"idempotency_key": "k" * 256})
