"""Changing a booking: told before it is done, paid or given back, and in the history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from parking import locking, nearby, refusals
from parking.models import Slot, SlotState, Spot, StayRules
from parking.stays import stay_of
from payments import cancel, checkout, mail, refunds
from payments.models import Payment, PaymentState, Refund, RefundReason
from tests import cast
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor
from tests.payments.situations import check_books


@pytest.fixture
def other(spot: Spot) -> Spot:
    return cast.a_spot(spot.zone, "K-2", metres_east=6)


@pytest.fixture
def paid(slot: Slot, processor: Processor) -> Slot:
    pay(slot, processor)
    return slot


def wish(slot: Slot, **other: str) -> dict[str, str]:
    start = timezone.localtime(slot.start)
    minutes = (slot.end - slot.start) // timedelta(minutes=1)
    as_is = {
        "spot": slot.spot.number,
        "on": f"{start:%Y-%m-%d}",
        "at": f"{start:%H:%M}",
        "length": str(minutes),
    }
    return as_is | other


def test_the_page_offers_the_spots_nearby(guest: Client, paid: Slot, other: Spot) -> None:
    assert "Change spot or time" in text(guest, paid)
    said = text(guest, paid, "change/")
    assert "Choose spot K-2" in said
    assert "3 more times" in said
    assert "What this change means" not in said


def test_another_spot_is_had_at_once(guest: Client, paid: Slot, other: Spot) -> None:
    said = text(guest, paid, "change/", **wish(paid, spot="k-2"))
    assert "Change, at no extra cost" in said

    answer = guest.post(page(paid, "change/"), wish(paid, spot="K-2", due="0", back="0"))

    assert answer.status_code == 302
    said = text(guest, paid)
    assert "Spot K-2 is yours" in said
    assert "Before the change: spot K-1" in said
    assert "<strong>Changed: spot K-2," in said
    mail.owe_for_free_stays(now=timezone.now())
    for letter in mail.due(now=timezone.now()):
        mail.send(mail_id=letter, now=timezone.now())
    assert ["changed" in letter.subject for letter in outbox.outbox].count(True) == 1
    assert any("spot K-2 is yours" in str(letter.body) for letter in outbox.outbox)


def test_a_dearer_change_is_paid_and_a_later_cancellation_gives_all_back(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    said = text(guest, paid, "change/", **wish(paid, length="90"))
    assert "Change and pay 1.00" in said

    answer = guest.post(page(paid, "change/"), wish(paid, length="90", due="100", back="0"))
    assert answer["Location"].startswith(f"{processor.base}/c/pay/")
    said = text(guest, paid)
    assert "Pay for the change" in said
    assert "Leave it as it is" in said
    new = Slot.objects.latest("id")
    payment = new.payments.get()
    processor.pay(payment.session_id)
    said = guest.get(page(paid, "return/"), follow=True).content.decode()
    assert "Paid in all:" in said
    assert "3.00" in said

    due = cancel.due_now(reference=paid.booking.reference, now=timezone.now())
    assert due == 300
    done = cancel.cancel_booking(
        reference=paid.booking.reference, now=timezone.now(), actor="citizen", told=due
    )
    assert done.refunded == 300
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [100, 200]
    for refund_id in done.refund_ids:
        refunds.submit(refund_id=refund_id, now=timezone.now())
    check_books()


def test_a_cheaper_change_gives_the_difference_back(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    said = text(guest, paid, "change/", **wish(paid, length="30"))
    assert "Change (1.00" in said

    guest.post(page(paid, "change/"), wish(paid, length="30", due="0", back="100"))

    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (100, RefundReason.CHANGED)
    assert refund.payment.slot == paid
    refunds.submit(refund_id=refund.pk, now=timezone.now())
    said = text(guest, paid)
    assert "is returned to your card" in said
    assert stay_of(locking.slots_of(paid.booking_id)).price == 100
    check_books()


def test_nothing_changes_when_the_terms_are_not_those_that_were_shown(
    guest: Client, paid: Slot
) -> None:
    answer = guest.post(page(paid, "change/"), wish(paid, length="90", due="50", back="0"))
    assert answer.status_code == 409
    assert "Time has passed since you looked" in answer.content.decode()
    answer = guest.post(page(paid, "change/"), wish(paid, length="30", due="0", back="150"))
    assert answer.status_code == 409
    assert Slot.objects.count() == 1
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"spot": "K-99"}, "has no spot K-99 in use"),
        ({"spot": ""}, "Choose another spot or another time"),
        ({"at": "25:00"}, "Write the time as hours:minutes"),
        ({"length": "7"}, "Ends lie on steps of 5 minutes"),
        ({"length": "65"}, "no card can pay less than"),
        ({"length": "abc"}, "Choose a length"),
    ],
)
def test_a_bad_wish_is_said_at_its_field(
    guest: Client, paid: Slot, given: dict[str, str], said: str
) -> None:
    assert said in text(guest, paid, "change/", **wish(paid, **given))
    answer = guest.post(page(paid, "change/"), wish(paid, due="0", back="0", **given))
    assert said in answer.content.decode()
    assert Slot.objects.count() == 1


def test_a_taken_spot_is_refused_and_others_are_offered(
    guest: Client, paid: Slot, other: Spot
) -> None:
    third = cast.a_spot(other.zone, "K-3", metres_east=12)
    cast.a_hold(other, paid.start, now=timezone.now())
    said = text(guest, paid, "change/", **wish(paid, spot="K-2"))
    assert "Somebody else has this spot" in said
    assert f"Choose spot {third.number}" in said
    assert "Choose spot K-2" not in said
    assert "No extra cost" in said
    for length, price in (
        ("90", "1.00\N{NO-BREAK SPACE}€ more"),
        ("30", "1.00\N{NO-BREAK SPACE}€ back"),
    ):
        assert price in text(guest, paid, "change/", **wish(paid, spot="K-2", length=length))


def test_what_stands_in_for_a_taken_spot_is_the_nearest_to_it_that_suits(
    guest: Client, paid: Slot, other: Spot
) -> None:
    far = cast.a_spot(other.zone, "K-3", metres_east=30)
    nearest = cast.a_spot(other.zone, "K-4", metres_east=20)
    cast.a_spot(other.zone, "K-5", metres_east=9, features=["loading"])
    cast.a_spot(cast.a_zone("punavuori"), "P-1", metres_east=8)
    wished = cast.a_spot(other.zone, "K-6", metres_east=26)
    for taken in (wished, other):
        cast.a_hold(taken, paid.start, now=timezone.now())
    start, end = paid.start, paid.end
    found = nearby.instead_of(
        booking_id=paid.booking_id, spot_id=wished.pk, start=start, end=end, now=timezone.now()
    )
    assert [(each.spot.id, each.change.spot) for each in found] == [
        (far.pk, far),
        (nearest.pk, nearest),
    ]
    assert {(each.change.due, each.change.refund) for each in found} == {(0, 0)}


def test_a_change_that_waits_for_its_money_is_not_changed_again(guest: Client, paid: Slot) -> None:
    guest.post(page(paid, "change/"), wish(paid, length="90", due="100", back="0"))
    answer = guest.get(page(paid, "change/"), follow=True)
    assert "waits for its payment already" in answer.content.decode()


def test_late_money_for_a_change_of_a_cancelled_stay_goes_back(
    guest: Client, paid: Slot, processor: Processor
) -> None:
    guest.post(page(paid, "change/"), wish(paid, length="90", due="100", back="0"))
    payment = Payment.objects.get(state=PaymentState.OPEN)
    processor.pay(payment.session_id or "")
    cancel.cancel_booking(reference=paid.booking.reference, now=timezone.now(), actor="citizen")
    checkout.sync_payment(payment_id=payment.id, now=timezone.now())
    payment.refresh_from_db()
    assert payment.is_orphan
    assert sum(Refund.objects.values_list("amount", flat=True)) == 300
    assert not Slot.objects.filter(state=SlotState.CONFIRMED).exists()


def test_only_the_maker_may_change_a_booking(client: Client, paid: Slot) -> None:
    assert client.get(page(paid, "change/")).status_code == 404
    assert client.post(page(paid, "change/"), wish(paid, spot="K-2")).status_code == 404


def test_what_a_zone_keeps_is_said(guest: Client, other: Spot, processor: Processor) -> None:
    StayRules.objects.update(refund_unused=False, grace_min=0)
    now = timezone.now()
    start = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    slot = cast.a_hold(other, start, minutes=120, now=now)
    session = guest.session
    session["bookings"] = [slot.booking.reference]
    session.save()
    pay(slot, processor)
    said = text(guest, slot, "change/", **wish(slot, length="60"))
    assert "time that has begun is not returned" in said
    assert "Change, at no extra cost" in said


def test_programs_ask_for_the_terms_and_change_on_them(client: Client, paid: Slot) -> None:
    address = f"/api/v1{page(paid, 'change/')}"
    key = {"Booking-Key": paid.booking.access_key}
    to = (paid.start + timedelta(minutes=30)).isoformat()
    terms = client.get(address, {"to": to}, headers=key).json()
    assert (terms["due"], terms["back"], terms["spot"]) == (0, 100, paid.spot_id)

    def change(**body: object) -> tuple[int, dict[str, object]]:
        answer = client.post(address, body, content_type="application/json", headers=key)
        return answer.status_code, answer.json()

    status, said = change(to=to, due=0, back=200)
    assert (status, said["terms"]) == (409, terms)
    status, said = change(to=to, due=0, back=100)
    assert (status, said["refunded"], said["amount"]) == (200, 100, 100)
    longer = (paid.start + timedelta(minutes=90)).isoformat()
    status, said = change(to=longer, due=200, back=0)
    assert status == 200
    waiting = said["waiting"]
    assert isinstance(waiting, dict)
    assert (waiting["kind"], waiting["state"], waiting["amount"]) == ("change", "held", 200)
    status, said = change(to=to, due=0, back=0)
    assert (status, str(said["type"])[-15:]) == (409, "payment-pending")


def test_programs_are_told_to_come_again_when_others_are_at_the_same_rows(
    client: Client, paid: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise refusals.Busy

    monkeypatch.setattr(locking, "lock_booking", busy)
    key = {"Booking-Key": paid.booking.access_key}
    body = {"to": (paid.start + timedelta(minutes=30)).isoformat(), "due": 0, "back": 100}
    for name in ("change/", "cancel/", "checkout/"):
        answer = client.post(
            f"/api/v1{page(paid, name)}", body, content_type="application/json", headers=key
        )
        assert (answer.status_code, answer["Retry-After"]) == (409, "1"), name
