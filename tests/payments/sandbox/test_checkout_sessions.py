"""Checkout Sessions: what may be opened, and how they end unpaid."""

from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box


def test_a_new_session_is_open_and_has_a_page(box: Box) -> None:
    session = box.a_session(metadata={"slot": "7"})
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url == f"{box.base}/c/pay/{session.id}"
    assert (session.amount_total, session.currency) == (250, "eur")
    assert session.metadata.to_dict() == {"slot": "7"}
    assert session.livemode is False
    assert session.payment_intent is None
    assert box.event_types() == []


def test_its_line_items_are_listed(box: Box) -> None:
    session = box.a_session()
    lines = box.client().checkout.sessions.line_items.list(session.id).data
    assert [(line.description, line.amount_total, line.quantity) for line in lines] == [
        ("Spot A12", 250, 1)
    ]


@pytest.mark.parametrize("ahead", [30 * 60, 24 * 3600])
def test_it_may_last_from_30_minutes_to_a_day(box: Box, ahead: int) -> None:
    box.control("clock", frozen=True)
    moment = int(box.now()) + ahead
    assert box.a_session(expires_at=moment).expires_at == moment


@pytest.mark.parametrize("ahead", [10 * 60, 30 * 60 - 1, 24 * 3600 + 1])
def test_a_shorter_or_longer_life_is_refused(box: Box, ahead: int) -> None:
    box.control("clock", frozen=True)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.a_session(expires_at=int(box.now()) + ahead)
    assert refusal.value.param == "expires_at"
    assert box.all("checkout/sessions") == []


def test_it_can_be_expired_once(box: Box) -> None:
    session = box.a_session()
    expired = box.client().checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        box.client().checkout.sessions.expire(session.id)
    assert box.event_types() == ["checkout.session.expired"]


def test_a_paid_one_cannot_be_expired(box: Box) -> None:
    session = box.a_session()
    box.pay(session.url)
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        box.client().checkout.sessions.expire(session.id)
    assert box.client().checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_it_expires_by_itself_at_its_time(box: Box) -> None:
    box.control("clock", frozen=True)
    session = box.a_session(expires_at=int(box.now()) + 1860)
    box.advance(1859)
    assert box.client().checkout.sessions.retrieve(session.id).status == "open"
    box.advance(1)
    assert box.client().checkout.sessions.retrieve(session.id).status == "expired"
    [event] = box.all("events")
    assert (event["type"], event["created"]) == ("checkout.session.expired", session.expires_at)


@pytest.mark.parametrize(
    ("amount", "currency"), [(49, "eur"), (49, "usd"), (49, "chf"), (29, "gbp"), (0, "irr")]
)
def test_less_than_the_smallest_charge_is_refused(box: Box, amount: int, currency: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.a_session(amount, currency)
    assert refusal.value.code == "amount_too_small"
    assert box.all("checkout/sessions") == []


@pytest.mark.parametrize(("amount", "currency"), [(50, "eur"), (50, "chf"), (1, "irr")])
def test_the_smallest_charge_itself_is_fine(box: Box, amount: int, currency: str) -> None:
    assert box.a_session(amount, currency).amount_total == amount


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"success_url": "http://пример.рф/"}, "success_url"),
        ({"success_url": "http://h;script-src/"}, "success_url"),
        ({"colour": "green"}, "colour"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"payment_method_types": ["sepa_debit"]}, "payment_method_types"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"metadata": {"key": "v" * 501}}, "metadata[key]"),
    ],
)
def test_a_wrong_parameter_is_named(box: Box, changes: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.a_session(**changes)
    assert refusal.value.param == param
    assert box.all("checkout/sessions") == []


@pytest.mark.parametrize(
    ("price", "named"),
    [
        ({"currency": "xyz"}, "line_items[0][price_data][currency]"),
        ({"unit_amount": "2.50"}, "line_items[0][price_data][unit_amount]"),
        ({"unit_amount": -1}, "line_items[0][price_data][unit_amount]"),
        ({"product_data": {}}, "line_items[0][price_data][product_data]"),
    ],
)
def test_a_wrong_price_is_named(box: Box, price: dict[str, Any], named: str) -> None:
    order = box.order()
    order["line_items"][0]["price_data"].update(price)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.client().checkout.sessions.create(order)
    assert str(refusal.value.param).startswith(named)


def test_one_session_has_one_currency(box: Box) -> None:
    lines = box.order(250, "eur")["line_items"] + box.order(250, "chf")["line_items"]
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        box.a_session(line_items=lines)


def test_an_unknown_session_is_not_found(box: Box) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.client().checkout.sessions.retrieve("cs_test_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
