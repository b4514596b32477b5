"""A citizen pays, and the slot is theirs."""

from urllib.parse import urlsplit

import pytest

from parking.models import BookingEvent, SlotState, Spot
from payments import checkout, gateway
from payments.models import Mail, MoneyException, Payment, PaymentState, Refund
from payments.records import Session
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, an_open_payment, books, check_books, fresh


def test_paying_confirms_the_slot_and_writes_the_books(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    assert payment.state == PaymentState.OPEN
    assert fresh(payment.slot).state == SlotState.HELD
    assert books() == []
    assert processor.pay(payment.session_id) == "paid"

    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(2))

    slot = fresh(payment.slot)
    assert (slot.state, slot.confirmed_at) == (SlotState.CONFIRMED, cast.at(2))
    assert (payment.state, payment.captured, payment.paid_at) == ("paid", 200, cast.at(2))
    assert (payment.card_brand, payment.card_last4) == ("visa", "4242")
    assert payment.next_check_at is None
    fee = payment.fee
    assert fee == processor.all("balance_transactions")[0]["fee"] > 0
    assert books() == [
        ("capture", {"psp_clearing": 200, "parking_revenue:kamppi": -200}),
        ("fee", {"psp_fees": fee, "psp_clearing": -fee}),
    ]
    check_books()
    assert list(Mail.objects.values_list("key", flat=True)) == [f"confirmed:{slot.id}"]
    assert not MoneyException.objects.exists()
    assert not Refund.objects.exists()


def test_tax_is_booked_on_its_own_account(processor: Processor, db: None) -> None:
    taxed = {
        **cast.TWO_EURO_AN_HOUR,
        "tax": {"code": "vat", "rate_bp": 2550, "included": True},
    }
    spot = cast.a_spot(cast.a_zone(tariff=taxed))
    a_paid_booking(spot, processor)
    assert books()[0] == (
        "capture",
        {"psp_clearing": 200, "parking_revenue:kamppi": -159, "tax_payable:vat": -41},
    )


def test_syncing_again_changes_nothing(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    before = books()
    for minute in range(3, 6):
        checkout.sync_payment(payment_id=payment.id, now=cast.at(minute))
    assert books() == before
    assert BookingEvent.objects.filter(kind="confirmed").count() == 1
    assert Mail.objects.count() == 1


def test_a_fee_that_is_told_later_is_booked_then(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    session = gateway.retrieve_session(payment.session_id)
    early = Session(
        **{
            **vars(session),
            "capture": type(session.capture)(
                **{**vars(session.capture), "fee": None, "balance_transaction_id": ""}
            ),
        }
    )
    paid = checkout.apply(payment=payment, session=early, now=cast.at(1))
    assert (paid.state, paid.fee) == ("paid", None)
    assert paid.next_check_at > cast.at(1)
    assert [kind for kind, _ in books()] == ["capture"]

    paid = checkout.sync_payment(payment_id=payment.id, now=cast.at(2))
    assert paid.fee > 0
    assert paid.next_check_at is None
    assert [kind for kind, _ in books()] == ["capture", "fee"]


def test_a_declined_card_leaves_the_slot_held_and_another_card_pays(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    assert processor.pay(payment.session_id, "4000000000000002") == "declined"
    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(1))
    assert payment.state == PaymentState.OPEN
    assert fresh(payment.slot).state == SlotState.HELD
    assert books() == []

    assert processor.pay(payment.session_id) == "paid"
    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(2))
    assert payment.state == PaymentState.PAID
    assert [kind for kind, _ in books()] == ["capture", "fee"]


def test_a_second_tab_gets_the_same_page(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    first = checkout.start(slot_id=slot.pk, now=cast.at(1))
    second = checkout.start(slot_id=slot.pk, now=cast.at(2))
    assert first == second
    assert urlsplit(first).netloc == urlsplit(processor.base).netloc
    assert len(processor.all("checkout/sessions")) == 1
    assert Payment.objects.count() == 1


def test_the_processor_learns_no_plate_and_no_address(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, plate="SECRET1", email="who@example.org")
    told = repr(
        [processor.all(kind) for kind in ("checkout/sessions", "payment_intents", "charges")]
    )
    assert str(payment.id) in told
    assert "SECRET1" not in told
    assert "who@example.org" not in told
    assert payment.slot.booking.access_key not in told


@pytest.mark.parametrize("minutes", [10, 11, 600])
def test_no_payment_starts_when_the_time_is_over(
    spot: Spot, processor: Processor, minutes: int
) -> None:
    slot = cast.a_hold(spot)
    with pytest.raises(checkout.HoldOver):
        checkout.start(slot_id=slot.pk, now=cast.at(minutes))
    assert not Payment.objects.exists()
    assert processor.all("checkout/sessions") == []


def test_no_payment_starts_for_a_confirmed_slot(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    with pytest.raises(checkout.AlreadyPaid):
        checkout.start(slot_id=payment.slot_id, now=cast.at(3))
    assert Payment.objects.count() == 1


def test_an_amount_that_the_processor_refuses_leaves_the_slot_held(
    processor: Processor, db: None
) -> None:
    band = {**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 40}]}
    cheap = {**cast.TWO_EURO_AN_HOUR, "bands": [band]}
    slot = cast.a_hold(cast.a_spot(cast.a_zone(tariff=cheap)), minutes=15)
    assert slot.amount == 10
    with pytest.raises(checkout.ProcessorRefused, match="amount_too_small"):
        checkout.start(slot_id=slot.pk, now=cast.at(1))
    payment = Payment.objects.get()
    assert (payment.state, payment.failure) == (PaymentState.FAILED, "amount_too_small")
    assert fresh(slot).state == SlotState.HELD
    assert books() == []
