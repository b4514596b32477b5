"""Notices of the processor: verified, stored once, acted on in any order."""

import itertools
import json
import random
import time
from typing import Any

import pytest
import stripe  # noqa: TID251
from django.test import Client
from pytest_django import Settings

from parking.models import SlotState, Spot
from payments import balances, checkout, expiry, gateway, reconciliation, refunds, webhooks
from payments.cancel import cancel_booking
from payments.models import MoneyException, PaymentState, Refund, WebhookEvent
from tests import cast
from tests.payments.processor import Processor, post_notice
from tests.payments.situations import (
    act_on_events,
    an_open_payment,
    books,
    everything,
    fresh,
    later,
)


def a_notice(**fields: object) -> bytes:
    return json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "type": "customer.created",
            "livemode": False,
            "created": 1_772_524_800,
            "data": {"object": {"object": "customer", "id": "cus_1"}},
            **fields,
        }
    ).encode()


def test_the_notice_alone_confirms_a_payment(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    [event] = processor.events("checkout.session.completed")
    assert processor.deliver(event) == 200
    assert fresh(payment.slot).state == SlotState.HELD, "the answer does not wait for the work"
    act_on_events(later(1))
    assert fresh(payment).state == PaymentState.PAID
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert WebhookEvent.objects.get().is_matched


def test_the_same_notice_is_stored_once(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    [event] = processor.events("checkout.session.completed")
    assert [processor.deliver(event) for _ in range(3)] == [200, 200, 200]
    act_on_events(later(1))
    act_on_events(later(9))
    assert WebhookEvent.objects.count() == 1
    assert [kind for kind, _ in books()] == ["capture", "fee"]


def a_story(processor: Processor) -> None:
    """One paid, one cancelled with a refund, one expired, one declined."""
    zone = cast.a_zone()
    spots = [cast.a_spot(zone, f"K-{n}") for n in range(4)]
    paid, cancelled, expired, declined = [
        an_open_payment(spot, start=cast.at(60)) for spot in spots
    ]
    processor.pay(paid.session_id)
    processor.pay(cancelled.session_id)
    processor.pay(declined.session_id, "4000000000000002")
    checkout.sync_payment(payment_id=cancelled.id, now=cast.at(1))
    done = cancel_booking(
        reference=cancelled.slot.booking.reference, now=cast.at(2), actor="citizen"
    )
    refunds.submit(refund_id=done.refund_ids[0], now=cast.at(2))
    gateway.expire_session(expired.session_id)


def outcome() -> dict[str, Any]:
    rows = everything()
    return {
        "slots": [state for _, state in rows["slots"]],
        "payments": sorted(row[1:] for row in rows["payments"]),
        "books": sorted((kind, sorted(lines.items())) for kind, lines in rows["books"]),
        "refunds": sorted(Refund.objects.values_list("state", "amount")),
        "exceptions": list(MoneyException.objects.values_list("kind", flat=True)),
    }


EXPECTED = {
    "slots": ["confirmed", "cancelled", "held", "held"],
    "payments": [
        ("expired", None, None, False),
        ("open", None, None, False),
        ("paid", 200, 28, False),
        ("paid", 200, 28, False),
    ],
    "refunds": [("succeeded", 200)],
    "exceptions": [],
}


@pytest.mark.parametrize("seed", range(6))
def test_order_duplicates_and_losses_lead_to_the_same_rows(
    processor: Processor, db: None, seed: int
) -> None:
    rng = random.Random(seed)
    a_story(processor)
    notices = [event for event in processor.events() for _ in range(rng.randint(1, 3))]
    rng.shuffle(notices)
    if seed % 2:
        notices = [event for event in notices if rng.random() < 0.5]
    hours = itertools.count(1)
    for event in notices:
        assert processor.deliver(event) == 200
        if rng.random() < 0.5:
            act_on_events(later(next(hours)))
    act_on_events(later(next(hours)))
    reconciliation.read_events(now=cast.at(5))
    act_on_events(later(next(hours)))

    got = outcome()
    books_ = got.pop("books")
    assert got == EXPECTED
    assert [kind for kind, _ in books_] == ["capture", "capture", "fee", "fee", "refund"]
    assert balances.clearing("EUR") == processor_balance(processor)
    assert not WebhookEvent.objects.filter(processed_at=None).exists()


def processor_balance(processor: Processor) -> int:
    said = processor.get("balance")
    return sum(part["amount"] for pot in ("available", "pending") for part in said[pot])


def test_an_unknown_type_is_stored_as_unmatched(processor: Processor, db: None) -> None:
    assert post_notice(a_notice()) == 200
    act_on_events(later(1))
    event = WebhookEvent.objects.get()
    assert event.processed_at
    assert not event.is_matched


@pytest.mark.parametrize(
    "about",
    [
        {"object": "checkout.session", "id": "cs_test_x", "metadata": {}},
        {"object": "checkout.session", "id": "cs_test_x", "metadata": {"payment": "no uuid"}},
        {"object": "charge", "id": "ch_x", "payment_intent": None, "metadata": None},
        {"object": "refund", "id": "re_x", "payment_intent": "pi_x"},
        {"object": "dispute", "id": "dp_x", "payment_intent": "pi_x"},
        {},
    ],
)
def test_an_unknown_object_is_stored_as_unmatched(
    processor: Processor, db: None, about: dict
) -> None:
    assert post_notice(a_notice(data={"object": about})) == 200
    act_on_events(later(1))
    event = WebhookEvent.objects.get()
    assert event.processed_at
    assert not event.is_matched
    assert books() == []


def test_an_event_waits_while_the_processor_is_away(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    [event] = processor.events("checkout.session.completed")
    processor.deliver(event)
    processor.fail("error", method="GET", status=503)
    act_on_events(later(1))
    assert WebhookEvent.objects.get().processed_at is None
    processor.control("faults/clear")
    act_on_events(later(1))
    assert fresh(payment.slot).state == SlotState.HELD, "not before its time"
    act_on_events(later(2))
    assert fresh(payment.slot).state == SlotState.CONFIRMED


def test_money_on_an_ended_page_is_put_before_a_person(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    type(payment).objects.filter(id=payment.id).update(
        state=PaymentState.EXPIRED, next_check_at=None
    )
    processor.deliver(processor.events("checkout.session.completed")[0])
    act_on_events(later(1))
    assert MoneyException.objects.get().key == f"paid-after-end:{payment.id}"
    assert books() == []


def test_a_dispute_is_put_before_a_person_once(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id, "4000000000000259")
    checkout.sync_payment(payment_id=payment.id, now=cast.at(1))
    for event in processor.events("charge.dispute.created", "charge.dispute.funds_withdrawn"):
        processor.deliver(event)
    act_on_events(later(1))
    trouble = MoneyException.objects.get()
    assert (trouble.kind, trouble.payment_id) == ("dispute", payment.id)


class TestRefusal:
    """Nothing is stored of what the processor did not sign."""

    pytestmark = pytest.mark.django_db

    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self, processor: Processor) -> object:
        yield
        assert not WebhookEvent.objects.exists()

    def test_another_secret(self) -> None:
        assert post_notice(a_notice(), secret="whsec_of_a_stranger") == 400

    def test_an_old_timestamp(self) -> None:
        assert post_notice(a_notice(), sent_at=1_700_000_000) == 400

    @pytest.mark.parametrize(
        "signature", ["", "t=1", "v1=abc", "t=abc,v1=def", "ключ", "t=1,v1=\xff", "," * 100]
    )
    def test_no_or_a_broken_signature(self, signature: str) -> None:
        assert post_notice(a_notice(), signature=signature) == 400

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'"text"', b"null", b'{"data": 1}']
    )
    def test_a_signed_body_that_is_no_event(self, body: bytes) -> None:
        if body == b"\xff\xfe":
            assert post_notice(body, signature="t=1,v1=00") == 400
        else:
            assert post_notice(body) == 400

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 60_000 + b"]" * 60_000,
            a_notice(created=10**20),
            a_notice(created=float("nan")),
            a_notice(id="evt_" + "x" * 300),
            a_notice(type="x" * 81),
            a_notice(data={"object": []}),
            a_notice(data={"object": {"name": "\ud800"}}),
            a_notice(data={"object": {"fee": float("inf")}}),
        ],
        ids=[
            "deep",
            "far future",
            "nan",
            "long id",
            "long type",
            "list",
            "half a sign",
            "infinity",
        ],
    )
    def test_a_signed_body_that_cannot_be_kept(self, body: bytes) -> None:
        assert post_notice(body) == 400

    def test_a_body_of_a_megabyte_whoever_sends_it(self) -> None:
        large = a_notice(data={"object": {"text": "x" * 2**20}})
        assert post_notice(large) == 413
        assert post_notice(large, signature="t=1,v1=00") == 413
        assert post_notice(b"\x00" * 2**20, signature="") == 413

    def test_the_other_mode(self) -> None:
        assert post_notice(a_notice(livemode=True)) == 400

    def test_a_body_that_is_too_large(self) -> None:
        assert post_notice(a_notice(data={"object": {"text": "x" * 300_000}})) == 413

    def test_a_changed_body(self) -> None:
        body = a_notice()
        stamp = int(time.time())
        signed = stripe.WebhookSignature._compute_signature(
            f"{stamp}.{body.decode()}", "whsec_of_the_tests"
        )
        changed = body.replace(b"cus_1", b"cus_2")
        assert post_notice(changed, signature=f"t={stamp},v1={signed}") == 400

    def test_another_method(self) -> None:
        assert Client().get("/stripe/webhook/").status_code == 405


def test_two_secrets_are_accepted_while_one_is_rotated(
    processor: Processor, db: None, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_of_the_tests"]
    assert post_notice(a_notice(id="evt_old")) == 200
    assert post_notice(a_notice(id="evt_new"), secret="whsec_new") == 200
    assert WebhookEvent.objects.count() == 2


def test_no_secret_set_refuses_everything(
    processor: Processor, db: None, settings: Settings
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert post_notice(a_notice()) == 400


def test_a_text_with_a_nul_is_stored(processor: Processor, db: None) -> None:
    body = a_notice(data={"object": {"object": "customer", "name": "a\0b"}})
    assert post_notice(body) == 200
    assert WebhookEvent.objects.get().payload["data"]["object"]["name"] == "ab"


def test_an_expired_page_frees_the_place_of_a_hold_that_is_over(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    expiry.sweep(now=cast.at(10))
    gateway.expire_session(payment.session_id)
    processor.deliver(processor.events("checkout.session.expired")[0])
    act_on_events(later(1))
    assert fresh(payment.slot).state == SlotState.RELEASED


def test_two_workers_act_on_an_event_once(spot: Spot, processor: Processor) -> None:
    post_notice(a_notice())
    assert webhooks.process(event_id="evt_1", now=later(1))
    assert not webhooks.process(event_id="evt_1", now=later(1))
    assert not webhooks.process(event_id="evt_unknown", now=later(1))
