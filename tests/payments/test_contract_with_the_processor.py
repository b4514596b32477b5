"""What we rely on at the processor: tried on the sandbox, and on Stripe's test mode with a key.

    STRIPE_TEST_KEY=sk_test_… make test ARGS="-k test_contract_with_the_processor"

The same tests run against both, through the gateway that the site uses; only how a card pays
differs, because nobody can fill in Stripe's hosted page from here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import stripe  # noqa: TID251  (pays with Stripe's own test cards)
from pytest_django import Settings

from payments import gateway
from payments.records import Capture, ProcessorDispute
from tests.payments.processor import Processor

T = TypeVar("T")
KEY_VARIABLE = "STRIPE_TEST_KEY"
NO_KEY = f"set {KEY_VARIABLE}=sk_test_… to run the same tests against Stripe's test mode"
pytestmark = pytest.mark.django_db


class AtTheSandbox:
    """A card that pays on the sandbox's page."""

    patience_s = 0.0

    def __init__(self, processor: Processor) -> None:
        processor.control("clock", reset=True)
        self._processor = processor

    def pay(self, our_id: str, *, disputed: bool = False) -> str:
        """Take ten euro; return the payment intent's id."""
        session = gateway.create_session(an_order(our_id), key=f"pay-{our_id}")
        card = "4000000000000259" if disputed else "4242424242424242"
        assert self._processor.pay(session.id, card) == "paid"
        capture = gateway.retrieve_session(session.id).capture
        assert capture is not None
        return capture.intent_id


class AtStripe:
    """One of Stripe's test cards, charged by the API."""

    patience_s = 60.0

    def __init__(self, key: str) -> None:
        self._client = stripe.StripeClient(key, max_network_retries=2)

    def pay(self, our_id: str, *, disputed: bool = False) -> str:
        """Take ten euro; return the payment intent's id."""
        intent = self._client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "eur",
                "payment_method": "pm_card_createDispute" if disputed else "pm_card_visa",
                "payment_method_types": ["card"],
                "confirm": True,
                "metadata": {"payment": our_id},
            }
        )
        assert intent.status == "succeeded"
        return intent.id


Shop = AtTheSandbox | AtStripe


@pytest.fixture(params=["sandbox", "stripe"])
def shop(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Shop]:
    """Where cards are charged; the gateway is set up to ask there."""
    if request.param == "sandbox":
        yield AtTheSandbox(request.getfixturevalue("processor"))
        return
    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        pytest.skip(NO_KEY)
    assert key.startswith(("sk_test_", "rk_test_")), f"{KEY_VARIABLE} is no key of the test mode"
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = key, "https://api.stripe.com"
    yield AtStripe(key)


def an_order(our_id: str, *, amount: int = 1000, lasts_min: int = 31) -> dict[str, Any]:
    """Return a request as `checkout` writes it."""
    ends = datetime.now(UTC) + timedelta(minutes=lasts_min)  # noqa: TID251 (Stripe's clock)
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": amount,
                    "product_data": {"name": "Parking, spot A12"},
                },
            }
        ],
        "client_reference_id": our_id,
        "metadata": {"payment": our_id},
        "payment_intent_data": {"metadata": {"payment": our_id}},
        "success_url": "https://example.org/return",
        "cancel_url": "https://example.org/",
        "expires_at": int(ends.timestamp()),
        "locale": "en",
    }


def soon(shop: Shop, question: Callable[[], T]) -> T:
    """Ask until there is an answer: at Stripe some things are there a little later."""
    deadline = time.monotonic() + shop.patience_s
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(1)
    return answer


@pytest.fixture
def our_id() -> str:
    return str(uuid4())


def refused(call: Callable[[], object]) -> gateway.GatewayError:
    with pytest.raises(gateway.GatewayError) as error:
        call()
    assert not error.value.retryable, "it looked at the request and said no"
    return error.value


def test_the_same_key_and_body_is_the_same_page(shop: Shop, our_id: str) -> None:
    order = an_order(our_id)
    first, again = (gateway.create_session(order, key=our_id) for _ in range(2))
    assert first == again
    assert (first.status, first.capture) == ("open", None)
    assert first.url.startswith("http")


def test_another_body_under_the_same_key_is_refused(shop: Shop, our_id: str) -> None:
    order = an_order(our_id)
    gateway.create_session(order, key=our_id)
    changed = {**order, "cancel_url": "https://example.org/elsewhere"}
    refused(lambda: gateway.create_session(changed, key=our_id))


@pytest.mark.parametrize("change", [{"lasts_min": 10}, {"lasts_min": 25 * 60}, {"amount": 1}])
def test_what_the_processor_does_not_take_is_refused(
    shop: Shop, our_id: str, change: dict[str, int]
) -> None:
    refused(lambda: gateway.create_session(an_order(our_id, **change), key=our_id))


def test_a_page_is_ended_once(shop: Shop, our_id: str) -> None:
    session = gateway.create_session(an_order(our_id), key=our_id)
    assert gateway.expire_session(session.id).status == "expired"
    refused(lambda: gateway.expire_session(session.id))
    assert gateway.retrieve_session(session.id).status == "expired"


def test_a_page_that_does_not_exist_is_refused(shop: Shop) -> None:
    refused(lambda: gateway.retrieve_session("cs_test_nobody"))
    refused(lambda: gateway.retrieve_refund("re_nobody"))
    refused(lambda: gateway.retrieve_payout("po_nobody"))


def test_an_intent_and_its_charge_lead_to_our_payment(shop: Shop, our_id: str) -> None:
    intent_id = shop.pay(our_id)
    assert gateway.our_id_of(intent_id) == our_id
    [movement] = soon(shop, lambda: movements(intent_id))
    assert gateway.intent_of_charge(movement) == intent_id


def movements(intent_id: str) -> list[str]:
    """Return the charges of an intent among the newest balance transactions."""
    since = datetime.now(UTC) - timedelta(minutes=10)  # noqa: TID251
    return [
        one.source
        for one in gateway.movements_since(since)
        if one.type == "charge" and gateway.intent_of_charge(one.source) == intent_id
    ]


def test_a_capture_says_amount_card_and_fee(shop: Shop, our_id: str) -> None:
    intent_id = shop.pay(our_id)

    def capture() -> Capture | None:
        client = gateway._client().v1.payment_intents
        said = client.retrieve(intent_id, {"expand": ["latest_charge.balance_transaction"]})
        found = Capture.read(said.to_dict())
        return found if found.fee is not None else None

    found = soon(shop, capture)
    assert found is not None
    assert (found.amount, found.currency, found.card_last4) == (1000, "EUR", "4242")
    assert found.fee is not None
    assert 0 < found.fee < 1000


def test_refunds_in_parts_stop_at_what_came_in(shop: Shop, our_id: str) -> None:
    intent_id = shop.pay(our_id)

    def back(amount: int, name: str) -> str:
        done = gateway.create_refund(intent_id=intent_id, amount=amount, our_id=name, key=name)
        assert (done.amount, done.our_id, done.intent_id) == (amount, name, intent_id)
        return done.id

    first, second, third = (f"{our_id}-{n}" for n in range(3))
    assert back(400, first) == back(400, first), "the same key is the same refund"
    assert back(400, second)
    refused(lambda: back(400, third))
    known = {one.our_id: one.amount for one in gateway.refunds_of(intent_id)}
    assert known == {first: 400, second: 400}


def test_a_dispute_names_the_money_that_it_moved(shop: Shop, our_id: str) -> None:
    intent_id = shop.pay(our_id, disputed=True)

    def dispute() -> ProcessorDispute | None:
        since = datetime.now(UTC) - timedelta(minutes=10)  # noqa: TID251
        for event in gateway.events_since(since, types=["charge.dispute.created"]):
            about = event.payload["data"]["object"]
            if about["payment_intent"] == intent_id:
                return gateway.retrieve_dispute(about["id"])
        return None

    found = soon(shop, dispute)
    assert found is not None
    assert (found.amount, found.currency, found.intent_id) == (1000, "EUR", intent_id)
    [moved] = found.movements
    assert (moved.category, moved.amount, moved.net) == ("dispute", -1000, -1000 - moved.fee)


def test_the_balance_is_a_whole_number(shop: Shop, our_id: str) -> None:
    shop.pay(our_id)
    assert isinstance(gateway.balance("EUR"), int)
    assert gateway.balance("XXX") == 0
