"""A light that stays dark: the booking stands, and its citizen may choose, once told."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from parking import booking, enforcement, late_lights, lights
from parking.lights import reported
from parking.lights.alarms import AlarmKind, alarms
from parking.meter_messages import LampState, State
from parking.meter_protocol import Show
from parking.models import (
    BookingEvent,
    Closure,
    LateLight,
    Light,
    Meter,
    ReportOutcome,
    Slot,
    SlotState,
    Spot,
    StayRules,
)
from payments import dark, mail, taken
from payments.models import Mail, MailKind, Refund, RefundReason
from tests import cast
from tests.parking.street import a_street_meter
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor
from tests.payments.situations import check_books

GREEN, OFF = Show("green", "steady"), Show("off", "none")


class Street:
    """A meter whose first spot is booked, a healthy one beside it, and their reports."""

    def __init__(self, spot: Spot) -> None:
        self.dead = a_street_meter(spot.zone, "MTR-000001", lamps=2)
        self.good = a_street_meter(spot.zone, "MTR-000002", lamps=1)
        self.spot = Spot.objects.get(meter=self.dead, position=1)
        self.seq = 0

    def says(self, meter: Meter, show: Show, now: datetime) -> None:
        """Let a meter report that its first lamp shows this."""
        self.seq += 1
        meter.refresh_from_db()
        reported.take_state(
            meter_id=meter.pk,
            state=State(
                seq=self.seq,
                at=now,
                boot_id="b1",
                revision=meter.plan_revision,
                firmware="",
                battery_pct=90,
                clock_offset_ms=0,
                faults=[],
                lamps=[LampState(lamp=1, show=show, occupied=None)],
            ),
            skew_ms=0,
            now=now,
        )


@pytest.fixture
def street(spot: Spot) -> Street:
    """A street whose meters were heard, before anybody has booked."""
    street = Street(spot)
    now = timezone.now()
    lights.look(now=now)
    for meter in (street.dead, street.good):
        street.says(meter, OFF, now - timedelta(minutes=10))
    return street


@pytest.fixture
def stay(guest: Client, street: Street, processor: Processor) -> Slot:
    """A paid stay of two hours that began some minutes ago; its payment was a moment later."""
    now = timezone.now()
    start = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    slot = cast.a_hold(street.spot, start, minutes=120, now=now)
    session = guest.session
    session["bookings"] = [slot.booking.reference]
    session.save()
    pay(slot, processor)
    slot.refresh_from_db()
    return slot


def paid_for(stay: Slot, minutes: float) -> datetime:
    """Return the moment so many minutes after the stay had begun and was paid for."""
    assert stay.confirmed_at is not None
    return max(stay.start, stay.confirmed_at) + timedelta(minutes=minutes)


def write_letters(now: datetime) -> list[Any]:
    """Send what is owed; return the letters about the light."""
    outbox.outbox.clear()
    for mail_id in mail.due(now=now):
        mail.send(mail_id=mail_id, now=now)
    return [letter for letter in outbox.outbox if "light" in letter.subject]


def test_after_two_minutes_the_citizen_is_told_once_and_the_operator_too(
    guest: Client, stay: Slot, street: Street
) -> None:
    now = paid_for(stay, 1.9)
    assert dark.notice(now=now) == 0
    assert "has not turned green" not in text(guest, stay)

    now = paid_for(stay, 2.1)
    assert [dark.notice(now=now), dark.notice(now=now), dark.notice(now=now)] == [1, 0, 0]

    (letter,) = write_letters(now)
    assert "wardens see it by your plate" in " ".join(letter.body.split())
    assert stay.booking.plate not in letter.body
    assert f"/bookings/{stay.booking.reference}/light/?key=" in letter.body
    assert write_letters(now) == []
    assert "has not turned green" in text(guest, stay)
    assert "unlit" in guest.get(page(stay, "status.json")).json()["state"]
    found = [alarm.kind for alarm in alarms(meters=Meter.objects.all(), now=now)]
    assert found[0] == AlarmKind.UNLIT


def test_the_letters_link_opens_the_choice_without_an_account(stay: Slot) -> None:
    now = paid_for(stay, 2.1)
    dark.notice(now=now)
    (letter,) = write_letters(now)
    link = re.search(r"/bookings/\S+light/\S+", letter.body)
    assert link
    answer = Client().get(link[0], follow=True)
    assert "The light is not green" in answer.content.decode()


def test_another_spot_with_a_good_light_costs_nothing(
    guest: Client, stay: Slot, street: Street
) -> None:
    now = paid_for(stay, 3)
    dark.notice(now=now)
    better = Spot.objects.get(meter=street.good)
    said = text(guest, stay, "light/")
    assert f": Spot {better.number}</span>" in said
    assert "K-1" not in said  # no meter, no light
    assert Spot.objects.get(meter=street.dead, position=2).number not in said  # as dead

    answer = guest.post(page(stay, "light/"), {"do": "move", "spot": better.pk}, follow=True)

    assert f"Spot {better.number} is yours now, at no extra cost" in answer.content.decode()
    new = Slot.objects.latest("id")
    assert (new.spot, new.state, new.amount) == (better, SlotState.CONFIRMED, 0)
    late = LateLight.objects.get()
    assert (late.outcome, late.moved_to) == (ReportOutcome.MOVED, better)
    assert "the light did not turn green" in text(guest, stay)
    assert "Another spot, or everything back" not in text(guest, stay)
    assert not Refund.objects.exists()
    check_books()


def test_everything_goes_back_with_its_own_reason_and_as_often_as_it_happens(
    guest: Client, stay: Slot, street: Street
) -> None:
    StayRules.objects.update(refund_unused=False, grace_min=0)
    now = paid_for(stay, 3)
    dark.notice(now=now)
    assert "all 4.00" in text(guest, stay, "light/")
    assert "Only tell the city" not in text(guest, stay, "light/")

    guest.post(page(stay, "light/"), {"do": "refund"}, follow=True)

    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (400, RefundReason.UNLIT)
    event = BookingEvent.objects.get(kind="cancelled")
    assert event.reason == booking.LIGHT_STAYED_DARK
    assert LateLight.objects.get().outcome == ReportOutcome.REFUNDED
    check_books()
    guest.post(page(stay, "light/"), {"do": "refund"}, follow=True)
    assert Refund.objects.count() == 1


def test_a_light_that_is_right_in_time_offers_nothing(
    guest: Client, stay: Slot, street: Street
) -> None:
    now = paid_for(stay, 3)
    street.says(street.dead, GREEN, now - timedelta(minutes=2))
    assert dark.notice(now=now) == 0
    answer = guest.post(page(stay, "light/"), {"do": "refund"}, follow=True)
    assert "your booking stands" in answer.content.decode()
    assert not Refund.objects.exists()


def test_a_light_that_comes_right_keeps_the_promise_and_sends_no_letter(
    guest: Client, stay: Slot, street: Street
) -> None:
    now = paid_for(stay, 3)
    dark.notice(now=now)
    street.says(street.dead, GREEN, now)
    dark.notice(now=now)
    assert LateLight.objects.get().came_right_at == now
    assert write_letters(now) == []
    assert "Another spot, or everything back" in text(guest, stay)


def test_a_light_that_fails_later_is_the_operators_matter_alone(stay: Slot, street: Street) -> None:
    now = paid_for(stay, 20)
    Light.objects.filter(spot=stay.spot).update(differs_since=now - timedelta(minutes=5))
    assert dark.notice(now=now) == 0
    found = [alarm.kind for alarm in alarms(meters=Meter.objects.all(), now=now)]
    assert AlarmKind.UNLIT in found


def test_the_choice_ends_half_an_hour_after_the_start(
    guest: Client, stay: Slot, street: Street
) -> None:
    now = paid_for(stay, 3)
    dark.notice(now=now)
    late = LateLight.objects.get()
    assert late.offered_until == paid_for(stay, 30)
    with pytest.raises(late_lights.NotOffered):
        taken.give_back(
            reference=stay.booking.reference,
            now=late.offered_until,
            actor="citizen",
            cause=taken.UNLIT,
        )
    LateLight.objects.update(offered_until=timezone.now())
    assert "Another spot, or everything back" not in text(guest, stay)


@pytest.mark.parametrize("change", [{"last_seen_at": None}, {"is_active": False}])
def test_a_light_that_nobody_promised_is_missed_by_nobody(
    stay: Slot, street: Street, change: dict[str, Any]
) -> None:
    now = paid_for(stay, 3)
    Meter.objects.filter(pk=street.dead.pk).update(**change)
    assert dark.notice(now=now) == 0


def test_the_warden_sees_the_booking_and_never_asks_the_light(stay: Slot, street: Street) -> None:
    now = paid_for(stay, 60)
    wrong = {"desired_light": "red", "reported_light": "red", "reported_pattern": "blink"}
    for changes in ({}, wrong, {**wrong, "fault": "light_fault", "occupied": True}):
        Light.objects.update(**changes)
        (here,) = (
            one
            for one in enforcement.spots_now(zone=stay.spot.zone, now=now)
            if one.spot.pk == stay.spot_id
        )
        assert here.is_paid
    Light.objects.all().delete()
    Meter.objects.update(is_active=False, plan={}, last_seen_at=None)
    (here,) = (
        one
        for one in enforcement.spots_now(zone=stay.spot.zone, now=now)
        if one.spot.pk == stay.spot_id
    )
    assert here.is_paid
    found = enforcement.stays_of_plate(
        plate=stay.booking.plate,
        zones=enforcement.zones_of(cast.a_person("w", is_superuser=True)),
        now=now,
    )
    assert stay.pk in [slot.pk for slot in found]


def test_the_wardens_answer_reads_no_row_of_a_light_or_meter(stay: Slot) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    now = timezone.now()
    with CaptureQueriesContext(connection) as asked:
        enforcement.spots_now(zone=stay.spot.zone, now=now)
        enforcement.is_charging(zone=stay.spot.zone, now=now)
    for query in asked.captured_queries:
        assert "parking_light" not in query["sql"]
        assert "parking_meter" not in query["sql"]


def test_nobody_else_may_choose(stay: Slot) -> None:
    now = paid_for(stay, 3)
    dark.notice(now=now)
    stranger = Client()
    assert stranger.get(page(stay, "light/")).status_code == 404
    assert stranger.post(page(stay, "light/"), {"do": "refund"}).status_code == 404
    assert Mail.objects.filter(kind=MailKind.UNLIT).count() == 1


def test_who_has_booked_a_spot_that_the_city_closes_may_go_elsewhere_or_have_everything_back(
    guest: Client, stay: Slot, street: Street
) -> None:
    StayRules.objects.update(refund_unused=False, grace_min=0)
    paid_for(stay, 3)
    assert "is closed for some of your stay" not in text(guest, stay)
    nothing = guest.post(page(stay, "closed/"), {"do": "refund"}, follow=True)
    assert "your booking stands" in nothing.content.decode()
    closure = Closure.objects.create(
        zone=stay.spot.zone, spot=stay.spot, period=stay.period, reason="New pole"
    )
    said = text(guest, stay)
    assert "is closed for some of your stay" in said
    assert "New pole" in said
    assert "My spot is closed" in text(guest, stay, "closed/")

    guest.post(page(stay, "closed/"), {"do": "refund"}, follow=True)

    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (400, RefundReason.CLOSED)
    assert BookingEvent.objects.get(kind="cancelled").reason == booking.SPOT_WAS_CLOSED
    assert "the city closed the spot" in text(guest, stay)
    closure.delete()
    check_books()
