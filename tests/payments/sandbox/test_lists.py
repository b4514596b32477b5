"""Lists: pages, cursors, filters, expansion."""

from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box


def customers(box: Box, count: int) -> list[str]:
    create = box.client().customers.create
    return [create({"email": f"{number}@example.org"}).id for number in range(count)]


def test_pages_run_from_the_newest_to_the_oldest(box: Box) -> None:
    made = customers(box, 7)
    listed = box.client().customers.list({"limit": 3})
    assert listed.has_more is True
    assert [row.id for row in listed.auto_paging_iter()] == made[::-1]


def test_backwards_pages_run_in_the_order_of_time(box: Box) -> None:
    made = customers(box, 7)
    pages = box.client().customers.list({"limit": 2, "ending_before": made[0]})
    assert [row.id for row in pages.auto_paging_iter()] == made[1:]


def test_events_can_be_narrowed_by_type_and_time(box: Box) -> None:
    box.control("clock", frozen=True)
    customers(box, 2)
    box.advance(100)
    border = int(box.now())
    customers(box, 1)
    box.client().checkout.sessions.expire(box.a_session().id)
    events = box.client().events
    wanted: Any = {"types": ["customer.created"]}
    assert len(events.list(wanted).data) == 3
    assert len(events.list({**wanted, "created": {"gte": border}}).data) == 1
    assert len(events.list({**wanted, "created": {"lt": border}}).data) == 2
    assert len(events.list({"type": "checkout.session.expired"}).data) == 1


def test_events_reach_back_thirty_days(box: Box) -> None:
    customers(box, 1)
    box.advance(29 * 86_400)
    assert len(box.all("events")) == 1
    box.advance(2 * 86_400)
    assert box.all("events") == []
    assert len(box.all("customers")) == 1


def test_objects_are_found_by_what_they_belong_to(box: Box) -> None:
    intent, other = box.a_paid_intent(), box.a_paid_intent()
    box.client().refunds.create({"payment_intent": other.id})
    for path in ("charges", "checkout/sessions"):
        [only] = box.all(path, payment_intent=intent.id)
        assert only["payment_intent"] == intent.id
    assert box.all("refunds", payment_intent=intent.id) == []
    [taken] = box.all("balance_transactions", source=intent.latest_charge.id)
    assert taken["type"] == "charge"


def test_a_link_is_expanded_step_by_step(box: Box) -> None:
    box.a_paid_intent()
    chain = "payment_intent.latest_charge.balance_transaction"
    [session] = box.client().checkout.sessions.list({"expand": [f"data.{chain}"]}).data
    intent: Any = session.payment_intent
    assert intent.latest_charge.balance_transaction.net == 250 - 28
    [row] = box.all("charges")
    assert isinstance(row["balance_transaction"], str)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"limit": 101}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"starting_after": "cus_nobody"}, "starting_after"),
        ({"created": {"gte": "yesterday"}}, "created[gte]"),
        ({"colour": "green"}, "colour"),
        ({"expand": ["customer"]}, "expand"),
        ({"expand": ["data.email.a.b.c.d"]}, "expand"),
    ],
)
def test_a_wrong_question_is_named(box: Box, params: Any, named: str) -> None:
    customers(box, 1)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.client().customers.list(params)
    assert refusal.value.param == named


def test_private_fields_never_show(box: Box) -> None:
    box.pay(box.a_session().url, "4000002500003155")
    box.a_paid_intent()
    for path in ("checkout/sessions", "payment_intents", "charges", "webhook_endpoints", "events"):
        for row in box.all(path):
            assert not [name for name in row if name.startswith("_")], path
            assert "4242424242424242" not in str(row)
            assert "whsec_" not in str(row)
