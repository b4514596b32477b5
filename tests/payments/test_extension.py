"""Staying longer: told before it is paid, paid apart, and given back with the rest."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from parking import booking, extension, locking, refusals
from parking.models import Slot, SlotState
from payments import cancel, checkout, expiry, refunds
from payments.models import MoneyException, Payment, PaymentState, Refund, RefundState
from tests import cast
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor
from tests.payments.situations import check_books, fresh

HALF_HOUR = timedelta(minutes=30)


def ask(guest: Client, slot: Slot, by: timedelta = HALF_HOUR) -> Slot:
    """Choose a longer stay on the page; return the slot that is held for it."""
    to = (slot.end + by).isoformat()
    answer = guest.post(page(slot, "extend/"), {"to": to})
    assert answer.status_code == 302, answer.content
    return Slot.objects.latest("id")


@pytest.fixture
def paid(slot: Slot, processor: Processor) -> Slot:
    pay(slot, processor)
    return slot


def test_the_page_tells_ends_and_prices(guest: Client, paid: Slot) -> None:
    assert "Stay longer" in text(guest, paid)
    said = text(guest, paid, "extend/")
    until = timezone.localtime(paid.end + HALF_HOUR)
    assert f"{until:%H:%M}" in said
    assert "1.00" in said
    assert "at the latest" in said
    assert "longest stay" in said


def test_choosing_an_end_leads_to_the_processor(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    to = (paid.end + HALF_HOUR).isoformat()
    answer = guest.post(page(paid, "extend/"), {"to": to})
    assert answer["Location"].startswith(f"{processor.base}/c/pay/")
    longer = Slot.objects.latest("id")
    assert (longer.state, longer.amount, longer.booking) == (SlotState.HELD, 100, paid.booking)

    said = text(guest, paid)
    assert "Spot K-1 is yours" in said, "the stay itself is not in doubt"
    assert "Pay 1.00" in said
    assert "Stay longer" not in said

    again = guest.get(page(paid, "extend/"), follow=True).content.decode()
    assert "waits for its payment already" in again
    assert Slot.objects.count() == 2


def test_a_paid_extension_is_one_stay_with_two_receipts(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    payment = longer.payments.get()
    processor.pay(payment.session_id)
    said = guest.get(page(paid, "return/"), follow=True).content.decode()

    ends = timezone.localtime(longer.end)
    assert f"{ends:%H:%M}" in said
    assert "Extended until" in said
    assert "Paid in all:" in said
    assert said.count("<strong>Booked</strong>") == 1
    assert "<strong>Extended</strong>" in said
    assert "3.00" in said
    assert fresh(longer).state == SlotState.CONFIRMED
    assert fresh(payment).captured == longer.amount
    assert len(set(re.findall(r"R-20\d\d-\d{6}", text(guest, paid, "receipt/")))) == 2
    check_books()


def test_an_extension_nobody_pays_leaves_the_stay_as_it_was(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    guest.post(page(paid, "give-up/"))

    assert (fresh(longer).state, fresh(paid).state) == (SlotState.RELEASED, SlotState.CONFIRMED)
    said = text(guest, paid)
    assert "Spot K-1 is yours" in said
    assert "Not booked" not in said
    assert "Stay longer" in said
    assert cast.a_hold(paid.spot, paid.end, 30, now=timezone.now()).state == SlotState.HELD


@pytest.mark.parametrize("ends", ["expired", "declined", "refused"])
def test_an_extension_that_comes_to_nothing_changes_no_byte_of_the_booking(
    paid: Slot, processor: Processor, ends: str
) -> None:
    before = bytes_of(paid)
    now = timezone.now()
    more = extension.extend(
        booking_id=paid.booking_id, to=paid.end + timedelta(minutes=30), now=now, actor="citizen"
    )
    if ends == "refused":
        processor.fail("error", "/v1/checkout/sessions", status=400)
        with pytest.raises(checkout.ProcessorRefused):
            checkout.start(slot_id=more.pk, now=now)
    else:
        checkout.start(slot_id=more.pk, now=now)
        if ends == "declined":
            processor.pay(more.payments.get().session_id or "", "4000000000000002")
    over = now + timedelta(minutes=11)
    for payment_id in expiry.sweep(now=over):
        expiry.end_page(payment_id=payment_id, now=over)
    assert fresh(more).state == SlotState.RELEASED
    assert bytes_of(paid) == before


def bytes_of(slot: Slot) -> list[str]:
    """Return a booking, its slot, payment and entries as the database writes them out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row::text FROM parking_booking row WHERE id = %(booking)s"
            " UNION ALL SELECT row::text FROM parking_slot row WHERE id = %(slot)s"
            " UNION ALL SELECT row::text FROM payments_payment row WHERE slot_id = %(slot)s"
            " UNION ALL SELECT entry::text FROM payments_ledgerentry entry"
            " JOIN payments_payment payment ON payment.id = entry.payment_id"
            " WHERE payment.slot_id = %(slot)s",
            {"booking": slot.booking_id, "slot": slot.pk},
        )
        return sorted(row for (row,) in cursor.fetchall())


def test_money_that_comes_too_late_for_it_goes_back_and_says_so(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    payment = longer.payments.get()
    processor.pay(payment.session_id)
    held = locking.lock_slot(longer.pk)
    booking.begin_expiry(slot=held, now=timezone.now(), actor="officer")
    booking.release(slot=held, now=timezone.now(), actor="officer")
    cast.a_hold(paid.spot, paid.end, 30, now=timezone.now())
    checkout.sync_payment(payment_id=payment.id, now=timezone.now())

    assert fresh(payment).is_orphan
    said = text(guest, paid)
    assert "Spot K-1 is yours" in said
    assert "last payment came too late" in said
    assert Refund.objects.get().amount == 100


def test_cancelling_gives_back_both_payments(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    pay(longer, processor)
    said = text(guest, paid, "cancel/")
    assert "3.00" in said
    guest.post(page(paid, "cancel/"), {"told": "300"})

    assert {fresh(one).state for one in (paid, longer)} == {SlotState.CANCELLED}
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [100, 200]
    for refund in Refund.objects.all():
        refunds.submit(refund_id=refund.id, now=timezone.now())
    assert set(Refund.objects.values_list("state", flat=True)) == {RefundState.SUCCEEDED}
    check_books()


def test_cancelling_ends_an_extension_that_waits_for_money(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    cancel.cancel_booking(reference=paid.booking.reference, now=timezone.now(), actor="citizen")
    assert fresh(longer).state == SlotState.EXPIRING
    for payment_id in expiry.sweep(now=timezone.now() + timedelta(minutes=11)):
        expiry.end_page(payment_id=payment_id, now=timezone.now() + timedelta(minutes=11))
    assert fresh(longer).state == SlotState.RELEASED
    assert longer.payments.get().state == PaymentState.EXPIRED
    assert "This booking is cancelled" in text(guest, paid)


def test_money_for_an_extension_of_a_cancelled_stay_goes_back(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    longer = ask(guest, paid)
    payment = longer.payments.get()
    cancel.cancel_booking(reference=paid.booking.reference, now=timezone.now(), actor="citizen")
    processor.pay(payment.session_id)
    checkout.sync_payment(payment_id=payment.id, now=timezone.now())

    assert fresh(longer).state != SlotState.CONFIRMED
    assert fresh(payment).is_orphan
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [100, 200]
    assert MoneyException.objects.get().kind == MoneyException.Kind.ORPHAN


@pytest.mark.parametrize("to", ["", "tomorrow", "2026-13-01T00:00", "2026-03-03T10:00", "\0"])
def test_a_broken_form_extends_nothing(guest: Client, paid: Slot, to: str) -> None:
    answer = guest.post(page(paid, "extend/"), {"to": to})
    assert answer.status_code == 409
    assert "Choose until when" in answer.content.decode()
    assert Slot.objects.count() == 1


def test_somebody_who_was_faster_is_named_with_what_is_left(guest: Client, paid: Slot) -> None:
    cast.a_hold(paid.spot, paid.end + timedelta(minutes=15), 30, now=timezone.now())
    answer = guest.post(
        page(paid, "extend/"), {"to": (paid.end + timedelta(minutes=30)).isoformat()}
    )
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "somebody else has booked" in said
    until = timezone.localtime(paid.end + timedelta(minutes=15))
    assert f"{until:%H:%M}" in said, "the choices are the ones that are left"
    assert Payment.objects.count() == 1


def test_the_link_of_a_letter_opens_it_without_an_account(client: Client, paid: Slot) -> None:
    key = {"key": paid.booking.access_key}
    answer = client.get(page(paid, "extend/"), key)
    assert answer["Location"] == page(paid, "extend/"), "the key does not stay in the address"
    assert client.get(answer["Location"]).status_code == 200
    assert Client().get(page(paid, "extend/")).status_code == 404
    assert Client().post(page(paid, "extend/"), {"to": "x"}).status_code == 404


def test_a_hold_cannot_be_extended(guest: Client, slot: Slot) -> None:
    said = guest.get(page(slot, "extend/"), follow=True).content.decode()
    assert "cannot be extended" in said
    with pytest.raises(refusals.NotBooked):
        extension.room(booking_id=slot.booking_id, now=timezone.now())


def test_programs_extend_too(client: Client, paid: Slot, processor: Processor) -> None:
    path = f"/api/v1/bookings/{paid.booking.reference}/extension/"
    key = {"Booking-Key": paid.booking.access_key}
    offered = client.get(path, headers=key).json()
    assert offered["latest"]
    assert {"to": offered["choices"][1]["to"], "amount": 50} == offered["choices"][1]

    answer = client.post(
        path,
        {"to": (paid.end + HALF_HOUR).isoformat()},
        content_type="application/json",
        headers=key,
    )
    assert answer.status_code == 201, answer.content
    assert (answer.json()["state"], answer.json()["amount"]) == ("held", 100)
    again = client.post(
        path,
        {"to": (paid.end + HALF_HOUR).isoformat()},
        content_type="application/json",
        headers=key,
    )
    assert (again.status_code, again.json()["type"][-15:]) == (409, "payment-pending")
    assert client.get(path).status_code == 404
