"""More time to pay: once, by one action, never past the page on which it is paid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from parking import booking, extension, longer_hold
from parking.models import PROLONGED, BookingEvent, SlotState, Spot
from payments import booking_history, checkout, expiry
from payments.models import Payment, PaymentState
from tests import cast
from tests.payments.processor import Processor
from tests.payments.promises import broken
from tests.payments.situations import a_paid_booking, an_open_payment, fresh
from tests.racing import queue

LONGER = cast.at(20)


def put_off(slot: Any, minute: float = 5) -> datetime:
    return expiry.put_off(slot_id=slot.pk, now=cast.at(minute), actor="citizen")


@pytest.mark.django_db
class TestTheRule:
    def test_a_hold_is_prolonged_once_and_its_history_says_so(self, spot: Spot) -> None:
        slot = cast.a_hold(spot)
        assert put_off(slot) == fresh(slot).held_until == LONGER
        with pytest.raises(longer_hold.NotLonger):
            put_off(slot, 15)
        assert fresh(slot).held_until == LONGER
        assert [s.what for s in booking_history.steps(slot.booking)] == [
            "Held",
            "More time to pay asked for",
        ]

    def test_the_database_refuses_a_second_time_whatever_the_code_does(self, spot: Spot) -> None:
        slot = cast.a_hold(spot)
        put_off(slot)
        with pytest.raises(IntegrityError, match="booking_hold_prolonged_once"):
            with transaction.atomic():
                booking.record(slot=slot, kind=PROLONGED, actor="citizen", now=cast.at(6))

    def test_what_has_run_out_or_begun_to_end_goes_on_ending(self, spot: Spot) -> None:
        slot = cast.a_hold(spot)
        with pytest.raises(longer_hold.NotLonger):
            put_off(slot, 10)
        booking.begin_expiries(now=cast.at(10))
        with pytest.raises(longer_hold.NotLonger):
            put_off(slot, 9)
        assert not BookingEvent.objects.filter(kind=PROLONGED).exists()

    def test_it_is_never_longer_than_the_processors_page(
        self, spot: Spot, processor: Processor, settings: Any
    ) -> None:
        payment = an_open_payment(spot)
        Payment.objects.filter(pk=payment.pk).update(expires_at=cast.at(19))
        with pytest.raises(longer_hold.NotLonger):
            put_off(payment.slot)
        Payment.objects.filter(pk=payment.pk).update(expires_at=cast.at(20))
        assert put_off(payment.slot) == LONGER

    def test_a_city_can_do_without(self, spot: Spot, settings: Any) -> None:
        settings.HOLD_EXTENSION_MIN = 0
        with pytest.raises(longer_hold.NotLonger):
            put_off(cast.a_hold(spot))

    def test_the_page_stays_open_until_the_new_end_and_is_ended_then(
        self, spot: Spot, processor: Processor
    ) -> None:
        payment = an_open_payment(spot)
        put_off(payment.slot)
        assert expiry.sweep(now=cast.at(19.9)) == []
        assert checkout.start(slot_id=payment.slot_id, now=cast.at(19)) == payment.session_url
        for payment_id in expiry.sweep(now=LONGER):
            expiry.end_page(payment_id=payment_id, now=LONGER)
        assert fresh(payment).state == PaymentState.EXPIRED
        assert fresh(payment.slot).state == SlotState.RELEASED
        assert broken() == []

    def test_who_pays_in_the_time_that_was_added_has_the_spot(
        self, spot: Spot, processor: Processor
    ) -> None:
        payment = an_open_payment(spot)
        put_off(payment.slot)
        processor.pay(payment.session_id)
        checkout.sync_payment(payment_id=payment.id, now=cast.at(18))
        assert fresh(payment.slot).state == SlotState.CONFIRMED
        assert broken() == []

    def test_the_time_for_an_extension_is_prolonged_too(
        self, spot: Spot, processor: Processor
    ) -> None:
        paid = a_paid_booking(spot, processor)
        longer = extension.extend(
            booking_id=paid.slot.booking_id, to=cast.at(90), now=cast.at(1), actor="citizen"
        )
        assert put_off(longer) == cast.at(21)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_first", [True, False])
def test_whoever_of_clock_and_citizen_is_first_is_right(
    spot: Spot, processor: Processor, is_first: bool
) -> None:
    """At the last moment: both wait for the spot, in a known order."""
    payment = an_open_payment(spot)

    def ask() -> datetime:
        return put_off(payment.slot, 9.99)

    def end() -> None:
        processor.use_new_connections()
        expiry.give_up(slot_id=payment.slot_id, now=cast.at(10), actor="citizen")

    done = queue(spot.pk, *((ask, end) if is_first else (end, ask)))
    assert done == (["datetime", "NoneType"] if is_first else ["NoneType", "NotLonger"])
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert BookingEvent.objects.filter(kind=PROLONGED).count() == int(is_first)
    assert broken() == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_it_once_and_the_sweep_leaves_it(
    spot: Spot, processor: Processor
) -> None:
    slot = cast.a_hold(spot)
    done = queue(spot.pk, lambda: put_off(slot, 9.9), lambda: put_off(slot, 9.9))
    assert done == ["datetime", "NotLonger"]
    assert booking.begin_expiries(now=cast.at(10)) == []
    assert fresh(slot).held_until == LONGER


@pytest.mark.django_db
class TestThePage:
    def hold(self, spot: Spot) -> tuple[Client, Any]:
        now = timezone.now()
        person = cast.a_person("citizen")
        slot = cast.a_hold(spot, start=cast.soon(), now=now, user=person)
        client = Client()
        client.force_login(person)
        return client, slot

    def test_one_press_keeps_the_spot_and_the_button_is_gone(self, spot: Spot) -> None:
        client, slot = self.hold(spot)
        page = reverse("payments:booking", args=[slot.booking.reference])
        ask = reverse("payments:longer-hold", args=[slot.booking.reference])
        assert ask in client.get(page).content.decode()
        before = client.get(f"{page}status.json").json()["state"]
        answer = client.post(ask, follow=True).content.decode()
        assert "Kept for you: you have until" in answer
        assert ask not in answer
        assert fresh(slot).held_until - slot.held_until == timedelta(minutes=10)
        assert client.get(f"{page}status.json").json()["state"] != before, "other tabs renew"
        assert "it is given once" in client.post(ask, follow=True).content.decode()

    def test_nobody_else_can_ask_for_it(self, spot: Spot) -> None:
        _client, slot = self.hold(spot)
        ask = reverse("payments:longer-hold", args=[slot.booking.reference])
        stranger, chief = Client(), Client()
        chief.force_login(cast.a_person("chief", is_staff=True, is_superuser=True))
        assert {stranger.post(ask).status_code, chief.post(ask).status_code} == {404}
        assert chief.get(ask).status_code == 405
        assert fresh(slot).held_until == slot.held_until
