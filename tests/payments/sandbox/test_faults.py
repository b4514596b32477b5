"""Injected faults: above all, what was executed although its answer was lost."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.payments.sandbox.box import Box

KEY: Any = {"idempotency_key": "one"}


def fail(box: Box, kind: str, **fields: Any) -> str:
    return str(box.control("faults", kind=kind, **fields)["id"])


def test_a_lost_answer_hides_a_session_that_exists(box: Box) -> None:
    fail(box, "lost_answer", times=1)
    with pytest.raises(stripe.APIConnectionError):
        box.client().checkout.sessions.create(box.order(), KEY)
    [hidden] = box.all("checkout/sessions")
    assert box.client().checkout.sessions.create(box.order(), KEY).id == hidden["id"]
    assert len(box.all("checkout/sessions")) == 1


def test_the_client_retries_by_itself_to_exactly_one_object(box: Box) -> None:
    fail(box, "lost_answer", times=2, method="POST")
    made = box.client(retries=2).checkout.sessions.create(box.order(), KEY)
    assert made.last_response.headers["Idempotent-Replayed"] == "true"
    assert [row["id"] for row in box.all("checkout/sessions")] == [made.id]
    assert box.control("faults", "GET") == {"data": []}


def test_a_refund_whose_answer_was_lost_is_made_once(box: Box) -> None:
    intent = box.a_paid_intent()
    fail(box, "lost_answer", times=1, path="/v1/refunds")
    box.client(retries=1).refunds.create({"payment_intent": intent.id, "amount": 100}, KEY)
    assert [row["amount"] for row in box.all("refunds")] == [100]


def test_without_a_key_a_retry_makes_a_second_refund(box: Box) -> None:
    intent = box.a_paid_intent()
    fail(box, "lost_answer", times=1, path="/v1/refunds")
    wanted = {"payment_intent": intent.id, "amount": "100"}
    headers = {"Authorization": "Bearer sk_test_box"}
    url = f"{box.base}/v1/refunds"
    with pytest.raises(requests.ConnectionError):
        requests.post(url, data=wanted, headers=headers, timeout=10)
    assert requests.post(url, data=wanted, headers=headers, timeout=10).ok
    assert len(box.all("refunds")) == 2


def test_an_expiry_whose_answer_was_lost_has_happened(box: Box) -> None:
    session = box.a_session()
    fail(box, "lost_answer", times=1, path="/v1/checkout/sessions/*/expire")
    with pytest.raises(stripe.APIConnectionError):
        box.client().checkout.sessions.expire(session.id)
    assert box.client().checkout.sessions.retrieve(session.id).status == "expired"


def test_a_refusal_can_be_lost_as_well(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url)
    fail(box, "lost_answer", times=1, path="/v1/checkout/sessions/*/expire")
    with pytest.raises(stripe.APIConnectionError):
        box.client().checkout.sessions.expire(session.id)


def test_a_payer_whose_page_was_lost_has_paid(box: Box) -> None:
    session = box.a_session()
    fail(box, "lost_answer", times=1, path="/c/pay/*", method="POST")
    with pytest.raises(requests.ConnectionError):
        box.pay(session.url)
    assert box.client().checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize("kind", ["lost_request", "error"])
def test_a_request_that_did_not_arrive_changes_nothing(box: Box, kind: str) -> None:
    fail(box, kind, times=1)
    with pytest.raises((stripe.APIConnectionError, stripe.APIError)):
        box.client().checkout.sessions.create(box.order(), KEY)
    assert box.all("checkout/sessions") == []
    made = box.client().checkout.sessions.create(box.order(), KEY)
    assert "Idempotent-Replayed" not in made.last_response.headers


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, stripe.APIError), (503, stripe.APIError), (429, stripe.RateLimitError)],
)
def test_an_error_of_any_status_can_be_asked_for(
    box: Box, status: int, error: type[Exception]
) -> None:
    fail(box, "error", status=status)
    for _ in range(2):
        with pytest.raises(error):
            box.client().balance.retrieve()
    box.control("faults/clear")
    assert box.client().balance.retrieve().livemode is False


def test_a_payer_sees_a_page_in_place_of_an_error(box: Box) -> None:
    session = box.a_session()
    fail(box, "error", status=503, path="/c/pay/*")
    answer = box.browse(session.url)
    assert (answer.status_code, "Something went wrong" in answer.text) == (503, True)


def test_slowness_delays_and_nothing_else(box: Box) -> None:
    fail(box, "latency", seconds=1.5, times=1, method="GET")
    begun = time.monotonic()
    box.client().balance.retrieve()
    middle = time.monotonic()
    box.client().balance.retrieve()
    assert middle - begun >= 1.5
    assert time.monotonic() - middle < 1.5


def test_a_fault_meets_only_its_method_and_address(box: Box) -> None:
    fail(box, "error", path="/v1/refunds", method="POST")
    assert box.a_paid_intent().status == "succeeded"
    assert box.all("refunds") == []
    assert box.browse(f"{box.base}/").status_code == 200


def test_chance_decides_how_often(box: Box) -> None:
    fail(box, "error", probability=0.5, path="/v1/balance")
    fail(box, "error", probability=0, path="/v1/customers")
    headers = {"Authorization": "Bearer sk_test_box"}
    statuses = [
        box.http.get(f"{box.base}/v1/balance", headers=headers, timeout=10).status_code
        for _ in range(60)
    ]
    assert 10 < statuses.count(500) < 50
    assert box.all("customers") == []


def test_one_of_two_can_be_removed(box: Box) -> None:
    kept, removed = fail(box, "error", path="/v1/refunds"), fail(box, "error")
    box.control(f"faults/{removed}", "DELETE")
    assert [rule["id"] for rule in box.control("faults", "GET")["data"]] == [kept]
    again = box.http.delete(f"{box.base}/_control/faults/{removed}", timeout=10)
    assert again.status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "flood"},
        {"kind": "error", "status": 200},
        {"kind": "error", "times": 0},
        {"kind": "error", "probability": 2},
        {"kind": "latency", "seconds": 10**400},
        {"kind": "latency", "seconds": [1]},
        {"kind": "error", "method": "BREW"},
        {"kind": "error", "where": "/v1/*"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(box: Box, fields: dict[str, Any]) -> None:
    answer = box.http.post(f"{box.base}/_control/faults", json=fields, timeout=10)
    assert answer.status_code == 400
    assert box.control("faults", "GET") == {"data": []}
