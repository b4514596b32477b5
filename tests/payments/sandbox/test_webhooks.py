"""Webhooks: signed, sent again when refused, and whatever can happen to them on the way."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box, wait_for
from tests.payments.sandbox.receiver import NEXT_SECRET, SECRET, Receiver

PAID = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


def a_customer(box: Box) -> str:
    return box.client().customers.create({"email": "a@example.org"}).id


def states(box: Box) -> dict[str, int]:
    counts: dict[str, int] = box.control("state", "GET")["webhooks"]["deliveries"]
    return counts


def test_a_payment_is_told_by_signed_events(box: Box, receiver: Receiver) -> None:
    intent = box.a_paid_intent()
    assert box.control("deliver") == {"attempted": 4, "accepted": 4}
    assert receiver.types() == PAID
    session = receiver.events()[-1].data.object
    assert isinstance(session, stripe.checkout.Session)
    assert (session.payment_intent, session.payment_status) == (intent.id, "paid")
    assert all(event.livemode is False for event in receiver.events())


def test_only_the_types_of_the_command_line_are_sent(
    start_box: Callable[..., Box], receiver: Receiver
) -> None:
    wanted = ("--webhook-event", "charge.succeeded", "--webhook-event", "refund.created")
    box = start_box("--webhook-url", receiver.url, "--webhook-secret", SECRET, *wanted)
    intent = box.a_paid_intent()
    box.client().refunds.create({"payment_intent": intent.id})
    wait_for(lambda: len(receiver.received) == 2)
    assert receiver.types() == ["charge.succeeded", "refund.created"]
    assert "checkout.session.completed" in box.event_types(), "it happened all the same"


def test_they_are_sent_without_being_asked_for(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", paused=False)
    box.a_paid_intent()
    wait_for(lambda: len(receiver.received) == 4)
    assert sorted(receiver.types()) == sorted(PAID)
    wait_for(lambda: all(event["pending_webhooks"] == 0 for event in box.all("events")))


def test_both_secrets_of_a_rotation_verify(box: Box, receiver: Receiver) -> None:
    a_customer(box)
    box.control("deliver")
    assert len(receiver.events(SECRET)) == len(receiver.events(NEXT_SECRET)) == 1
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.events("whsec_of_somebody_else")


def test_a_changed_body_does_not_verify(box: Box, receiver: Receiver) -> None:
    a_customer(box)
    box.control("deliver")
    [(body, signature)] = receiver.received
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"a@", b"b@"), signature, SECRET)


def test_the_signature_carries_the_time_of_the_machine(box: Box, receiver: Receiver) -> None:
    box.control("clock", now=1_700_000_000)
    a_customer(box)
    box.control("deliver")
    assert abs(int(receiver.received[0][1].split(",")[0][2:]) - time.time()) < 60
    assert abs(receiver.events()[0].created - 1_700_000_000) < 60


def test_a_refused_one_is_sent_again_with_growing_pauses(box: Box, receiver: Receiver) -> None:
    box.control("clock", frozen=True)
    a_customer(box)
    receiver.statuses = [500, 404, 200]
    assert box.control("deliver") == {"attempted": 1, "accepted": 0}
    for pause in (1, 2):
        box.advance(pause - 0.5)
        assert box.control("deliver")["attempted"] == 0
        box.advance(0.5)
        assert box.control("deliver")["attempted"] == 1
    assert states(box) == {"sent": 1}
    assert len({event.id for event in receiver.events()}) == 1
    assert len(receiver.received) == 3


def test_a_redirect_is_a_refusal(box: Box, receiver: Receiver) -> None:
    a_customer(box)
    receiver.statuses = [302]
    assert box.control("deliver") == {"attempted": 1, "accepted": 0}


def test_after_three_days_it_is_given_up(box: Box, receiver: Receiver) -> None:
    box.control("clock", frozen=True)
    a_customer(box)
    receiver.statuses = [500, 500]
    box.control("deliver")
    box.advance(3 * 86_400 + 1)
    box.control("deliver")
    assert states(box) == {"failed": 1}
    box.advance(86_400)
    assert box.control("deliver")["attempted"] == 0
    assert box.all("events")[0]["pending_webhooks"] == 1


def test_copies_carry_the_same_event(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", duplicate=2)
    a_customer(box)
    box.control("deliver")
    assert len(receiver.received) == 3
    assert len({event.id for event in receiver.events()}) == 1


def test_lost_ones_never_arrive_but_stay_listed(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", drop=1)
    a_customer(box)
    box.control("deliver")
    assert receiver.received == []
    assert states(box) == {"dropped": 1}
    assert box.event_types() == ["customer.created"]


def test_late_ones_wait_for_their_time(box: Box, receiver: Receiver) -> None:
    box.control("clock", frozen=True)
    box.control("webhooks", delay=3 * 86_400)
    a_customer(box)
    box.advance(3 * 86_400 - 1)
    box.control("deliver")
    assert receiver.received == []
    box.advance(1)
    box.control("deliver")
    assert receiver.types() == ["customer.created"]


def test_shuffled_ones_come_in_another_order(box: Box, receiver: Receiver) -> None:
    box.control("clock", frozen=True)
    box.control("webhooks", reorder=1000)
    made = [a_customer(box) for _ in range(20)]
    box.advance(1000)
    box.control("deliver")
    came = [event.data.object.id for event in receiver.events()]
    assert sorted(came) == sorted(made)
    assert came != made


def test_a_seeder_can_keep_them_from_being_queued(box: Box, receiver: Receiver) -> None:
    box.control("webhooks", discard=True, paused=False)
    a_customer(box)
    assert states(box) == {}
    box.control("webhooks", discard=False)
    a_customer(box)
    wait_for(lambda: receiver.received)
    assert len(box.event_types()) == 2
    assert len(receiver.received) == 1


def test_what_waits_can_be_dropped(box: Box, receiver: Receiver) -> None:
    a_customer(box)
    assert box.control("webhooks/clear") == {"dropped": 1}
    assert box.control("deliver")["attempted"] == 0
    assert receiver.received == []


def test_one_event_can_be_sent_again(box: Box, receiver: Receiver) -> None:
    a_customer(box)
    box.control("deliver")
    [event] = box.all("events")
    assert box.control(f"events/{event['id']}/resend") == {"queued": 1}
    box.control("deliver")
    assert [came.id for came in receiver.events()] == [event["id"]] * 2


def test_named_events_are_sent_in_the_order_that_was_asked_for(
    box: Box, receiver: Receiver
) -> None:
    box.a_paid_intent()
    wanted = [event["id"] for event in box.all("events")][::-1]
    sent = box.control("deliver", events=wanted, times=2)["data"]
    assert [row["event"] for row in sent] == wanted * 2
    assert [event.id for event in receiver.events()] == wanted * 2
    assert receiver.types()[:4] == PAID[::-1]


def test_an_endpoint_made_by_the_api_shows_its_secret_once(box: Box, receiver: Receiver) -> None:
    endpoints = box.client().webhook_endpoints
    wanted: Any = {"url": receiver.url, "enabled_events": ["customer.created"]}
    made = endpoints.create(wanted)
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert "secret" not in endpoints.retrieve(made.id)
    a_customer(box)
    box.client().checkout.sessions.expire(box.a_session().id)
    box.control("deliver")
    bodies = [json.loads(body)["type"] for body, _ in receiver.received]
    assert sorted(bodies) == ["checkout.session.expired", "customer.created", "customer.created"]


def test_a_disabled_or_removed_endpoint_gets_nothing(box: Box, receiver: Receiver) -> None:
    endpoints = box.client().webhook_endpoints
    [fixed] = endpoints.list().data
    endpoints.update(fixed.id, {"disabled": True})
    a_customer(box)
    assert states(box) == {}
    endpoints.update(fixed.id, {"disabled": False})
    a_customer(box)
    assert endpoints.delete(fixed.id).deleted is True
    assert box.control("deliver") == {"attempted": 1, "accepted": 0}
    assert states(box) == {"failed": 1}
    assert receiver.received == []


def test_an_address_that_nobody_answers_is_tried_again(box: Box) -> None:
    [fixed] = box.client().webhook_endpoints.list().data
    box.client().webhook_endpoints.update(fixed.id, {"url": "http://127.0.0.1:1/путь"})
    a_customer(box)
    assert box.control("deliver") == {"attempted": 1, "accepted": 0}
    assert states(box) == {"queued": 1}


@pytest.mark.parametrize(
    "fields",
    [{"drop": 1.1}, {"drop": "often"}, {"duplicate": 11}, {"delay": -1}, {"paused": 3}, {"x": 1}],
)
def test_settings_that_make_no_sense_are_refused(box: Box, fields: dict[str, Any]) -> None:
    before = box.control("state", "GET")["webhooks"]
    answer = box.http.post(f"{box.base}/_control/webhooks", json=fields, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert box.control("state", "GET")["webhooks"] == before
