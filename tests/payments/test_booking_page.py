"""The booking page says what is true, at every step."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from parking.models import Booking, Light, Slot, SlotState
from payments import checkout, expiry, gateway, tasks
from payments.cancel import cancel_booking
from payments.models import Payment
from tests import cast
from tests.payments.pages import page, pay, text, without_bdi
from tests.payments.processor import Processor
from tests.payments.situations import fresh, take_away


class TestAccess:
    """Who may see and do what."""

    def test_a_stranger_sees_nothing(self, client: Client, slot: Slot) -> None:
        for name in ("", "status.json", "return/", "cancel/", "receipt/"):
            assert client.get(page(slot, name)).status_code == 404
        for name in ("pay/", "give-up/", "cancel/"):
            assert client.post(page(slot, name)).status_code == 404
        assert fresh(slot).state == SlotState.HELD

    @pytest.mark.parametrize("key", ["", "x", "ключ", "\0"])
    def test_a_wrong_key_opens_nothing(self, client: Client, slot: Slot, key: str) -> None:
        assert client.get(page(slot), {"key": key}).status_code == 404
        assert client.get(page(slot)).status_code == 404
        assert client.get("/bookings/NOTTHERE/", {"key": key}).status_code == 404

    def test_the_account_that_booked_sees_it(self, client: Client, slot: Slot) -> None:
        citizen, other = cast.a_person("citizen"), cast.a_person("other")
        Booking.objects.update(user=citizen)
        client.force_login(other)
        assert client.get(page(slot)).status_code == 404
        client.force_login(citizen)
        assert client.get(page(slot).lower()).status_code == 200

    def test_staff_look_but_do_not_act(self, client: Client, slot: Slot) -> None:
        client.force_login(cast.a_person("auditor", is_superuser=True))
        assert "Give the spot up" not in text(client, slot)
        assert client.post(page(slot, "pay/")).status_code == 404
        assert client.post(page(slot, "give-up/")).status_code == 404
        assert client.post(page(slot, "cancel/")).status_code == 404

    @pytest.mark.parametrize("name", ["pay/", "give-up/"])
    def test_what_changes_something_is_posted(self, guest: Client, slot: Slot, name: str) -> None:
        assert guest.get(page(slot, name)).status_code == 405


def test_a_held_slot_shows_the_price_and_the_deadline(guest: Client, slot: Slot) -> None:
    said = text(guest, slot)
    ends = timezone.localtime(slot.held_until - timedelta(seconds=30))
    assert f"Pay by {ends:%H:%M}" in said
    assert 'data-until="' in said
    assert "Pay 2.00" in said
    assert "is yours" not in said
    assert "Receipt" not in said


def test_pay_leads_to_the_processors_page(guest: Client, slot: Slot, processor: Processor) -> None:
    answer = guest.post(page(slot, "pay/"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{processor.base}/c/pay/")


def test_coming_back_paid_shows_it_at_once(guest: Client, slot: Slot, processor: Processor) -> None:
    pay(slot, processor, sync=False)
    answer = guest.get(page(slot, "return/"), follow=True)
    said = without_bdi(answer.content.decode())
    assert "Spot K-1 is yours" in said
    assert "Receipt" in said
    assert "calendar.ics" in said
    assert "Cancel (2.00" in said


def test_coming_back_without_paying_says_so(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    guest.post(page(slot, "pay/"))
    said = guest.get(page(slot, "return/"), follow=True).content.decode()
    assert "The payment is not complete" in said
    assert "is yours" not in said
    assert "Pay 2.00" in said


def test_coming_back_while_the_processor_is_away_waits_truthfully(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    payment = pay(slot, processor, sync=False)
    processor.fail("error", method="GET", status=503)
    answer = guest.get(page(slot, "return/"), follow=True)
    said = answer.content.decode()
    assert "We are waiting for word of your payment" in said
    assert 'http-equiv="refresh"' in said
    assert "status.json?returned" in said
    assert "is yours" not in said
    assert "No money was taken" not in said
    state = guest.get(page(slot, "status.json"), {"returned": ""}).json()
    assert (state["state"], state["is_moving"]) == ("processing", True)

    processor.control("faults/clear")
    checkout.sync_payment(payment_id=payment.id, now=timezone.now())
    state = guest.get(page(slot, "status.json"), {"returned": ""}).json()
    assert state["state"] == "confirmed"


def test_a_processor_that_is_away_leaves_the_hold_and_a_plain_message(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    processor.fail("error", status=503)
    said = guest.post(page(slot, "pay/"), follow=True).content.decode()
    assert "does not answer" in said
    assert "Pay 2.00" in said
    assert fresh(slot).state == SlotState.HELD


def test_a_hold_that_is_over_says_that_it_still_asks(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    checkout.start(slot_id=slot.pk, now=timezone.now())
    past = timezone.now() - timedelta(seconds=1)
    Slot.objects.update(held_until=past)
    Payment.objects.update(next_check_at=past)
    assert "whether your payment arrived" in text(guest, slot)
    said = guest.post(page(slot, "pay/"), follow=True).content.decode()
    assert "The time to pay is over" in said

    processor.fail("error", status=503, times=3)
    tasks.sweep_holds()
    [payment] = Payment.objects.all()
    tasks.end_page(str(payment.id))
    assert fresh(slot).state == SlotState.EXPIRING
    assert "whether your payment arrived" in text(guest, slot)
    processor.control("faults/clear")
    tasks.end_page(str(payment.id))
    said = text(guest, slot)
    assert "The spot was not booked" in said
    assert "Nothing was taken" in said


def test_giving_up_frees_the_spot(guest: Client, slot: Slot, processor: Processor) -> None:
    said = guest.post(page(slot, "give-up/"), follow=True).content.decode()
    assert "The spot was not booked" in said
    assert "Look at this spot again" in said
    assert fresh(slot).state == SlotState.RELEASED
    said = guest.post(page(slot, "give-up/"), follow=True).content.decode()
    assert "not held any more" in said


def test_a_confirmed_booking_shows_the_light_as_wished_and_as_reported(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    spot = slot.spot
    spot.meter, spot.position = cast.a_meter(spot.zone), 1
    spot.save()
    pay(slot, processor)
    said = text(guest, slot)
    assert "The light will follow" in said or "The light shows what it should" in said
    Light.objects.update(
        desired_light="green",
        desired_pattern="steady",
        reported_light="green",
        reported_pattern="steady",
        reported_at=timezone.now() - timedelta(seconds=42),
    )
    state = guest.get(page(slot, "status.json")).json()
    assert state["lamps"]["reported"] == {"light": "green", "pattern": "steady"}
    assert state["fields"]["light_reported"] == "green, steady"
    assert state["fields"]["light_age"].endswith("seconds ago")
    assert state["fields"]["light_note"] == "The light shows what it should."
    Light.objects.update(reported_light="red", reported_pattern="blink")
    state = guest.get(page(slot, "status.json")).json()
    assert "will follow" in state["fields"]["light_note"]


def test_no_light_is_promised_where_there_is_no_meter(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    assert "The light at the spot" not in text(guest, slot)


def test_money_that_came_too_late_is_told(guest: Client, slot: Slot, processor: Processor) -> None:
    checkout.start(slot_id=slot.pk, now=timezone.now())
    payment = slot.payments.get()
    take_away(slot, timezone.now())
    cast.a_hold(slot.spot, start=slot.start, now=timezone.now())
    processor.pay(payment.session_id)
    checkout.sync_payment(payment_id=payment.id, now=timezone.now())
    said = text(guest, slot)
    assert "Your payment came too late" in said
    assert "2.00" in said
    assert "on its way back" in said
    assert "is yours" not in said


def test_money_of_another_amount_is_told_and_not_asked_for_again(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    payment = pay(slot, processor, sync=False)
    session = gateway.retrieve_session(payment.session_id)
    short = replace(session, capture=replace(session.capture, amount=199))
    checkout.apply(payment=payment, session=short, now=timezone.now())
    said = text(guest, slot)
    assert "Your payment is being looked into" in said
    assert "is yours" not in said
    assert 'action="' + page(slot, "pay/") not in said
    said = guest.post(page(slot, "pay/"), follow=True).content.decode()
    assert "already paid" in said
    assert slot.payments.count() == 1


def test_a_booking_that_costs_nothing_is_confirmed_without_paying(
    client: Client, now: datetime, db: None
) -> None:
    spot = cast.a_spot(cast.a_zone("free", tariff=cast.FREE_OF_CHARGE))
    start = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    slot = cast.a_hold(spot, start=start, now=now)
    client.get(page(slot), {"key": slot.booking.access_key})
    said = text(client, slot)
    assert "is yours" in said
    assert "Pay 0" not in said
    assert "receipt/" not in said


def test_a_page_costs_a_fixed_number_of_queries(
    guest: Client, slot: Slot, processor: Processor, django_assert_max_num_queries
) -> None:
    pay(slot, processor)
    with django_assert_max_num_queries(16):
        text(guest, slot)


def test_a_page_that_will_not_change_is_not_asked_again(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    expiry.give_up(slot_id=slot.pk, now=timezone.now(), actor="citizen")
    assert "data-status-url" not in text(guest, slot)
    assert guest.get(page(slot, "status.json")).json()["is_moving"] is False


def test_the_history_tells_each_step_and_names_nobody(
    client: Client, guest: Client, slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    Booking.objects.update(user=cast.a_person("citizen"))
    cancel_booking(
        reference=slot.booking.reference, now=timezone.now(), actor="user:7", reason="ill"
    )
    said = " ".join(text(guest, slot).split())
    held, booked, cancelled = (
        said.index(f"<strong>{word}</strong>") for word in ("Held", "Booked", "Cancelled")
    )
    assert held < booked < cancelled
    assert "<strong>Booked</strong> – the payment service" in said
    assert "the person who booked: ill" in said
    assert "user:7" not in said
