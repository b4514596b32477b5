"""A slip in the plate can be mended, and a plate cannot wander from car to car."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parking import booking, corrections, locking, vehicles
from parking.models import Booking, BookingEvent, Slot, Spot, StayRules
from parking.terms import StayRefused
from tests import cast

pytestmark = pytest.mark.django_db


def correct(slot: Slot, plate: str, minutes: float = 30) -> str:
    corrections.correct_plate(
        booking_id=slot.booking_id, plate=plate, now=cast.at(minutes), actor="citizen"
    )
    return Booking.objects.get(pk=slot.booking_id).plate


def test_the_plate_changes_and_the_history_says_so_without_a_plate(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    assert correct(slot, "XYZ789") == "XYZ789"
    [event] = BookingEvent.objects.filter(kind=corrections.PLATE_CORRECTED)
    assert (event.actor, event.reason, event.at) == ("citizen", "", cast.at(30))


def test_the_same_plate_is_no_correction(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    for _ in range(5):
        assert correct(slot, "ABC123") == "ABC123"
    assert corrections.corrections_left(booking_id=slot.booking_id, now=cast.at(30)) == 3


def test_the_fourth_within_thirty_days_is_refused_until_the_first_is_old(spot: Spot) -> None:
    slots = [cast.a_stay(spot, 60 * n + 60, start=60 * n)[0] for n in range(1, 5)]
    for number, slot in enumerate(slots[:3]):
        correct(slot, f"XYZ78{number}", minutes=number)

    with pytest.raises(corrections.TooOften) as refused:
        correct(slots[3], "XYZ789")
    assert refused.value.again_at == cast.at(0) + timedelta(days=30)
    assert Booking.objects.get(pk=slots[3].booking_id).plate == "ABC123"

    other = cast.a_stay(spot, 660, start=600, email="somebody-else@example.org")[0]
    assert correct(other, "XYZ789") == "XYZ789", "another person's corrections do not count"


def test_each_zone_says_how_often(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    StayRules.objects.update(corrections=2)
    for number in range(2):
        assert correct(slot, f"XYZ78{number}") == f"XYZ78{number}"
    assert corrections.corrections_left(booking_id=slot.booking_id, now=cast.at(30)) == 0
    with pytest.raises(corrections.TooOften) as refused:
        correct(slot, "XYZ788")
    assert "2 times in 30 days" in corrections.why_not(refused.value)

    StayRules.objects.update(corrections=4)
    for number in range(2, 4):
        assert correct(slot, f"XYZ78{number}") == f"XYZ78{number}"
    with pytest.raises(corrections.TooOften):
        correct(slot, "XYZ789")


def test_a_zone_can_let_bookings_stay_as_they_are(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    StayRules.objects.update(corrections=0)
    with pytest.raises(corrections.TooOften) as refused:
        correct(slot, "XYZ789")
    assert refused.value.again_at is None
    assert "cannot be changed" in corrections.why_not(refused.value)
    assert Booking.objects.get(pk=slot.booking_id).plate == "ABC123"


def test_it_ends_with_the_stay(spot: Spot) -> None:
    [slot] = cast.a_stay(spot, 60)
    with pytest.raises(corrections.TooLate):
        correct(slot, "XYZ789", minutes=60)
    booking.cancel(slot=locking.lock_slot(slot.pk), now=cast.at(30), actor="citizen")
    with pytest.raises(corrections.TooLate):
        correct(slot, "XYZ789")


def test_a_correction_does_not_get_around_the_rules_about_a_vehicle(spot: Spot) -> None:
    StayRules.objects.update(most_stays_ahead=1)
    cast.a_stay(spot, 60, plate="XYZ789")
    [slot] = cast.a_stay(spot, 120, start=60)
    with pytest.raises(StayRefused, match="1 stay running or to come"):
        correct(slot, "XYZ789")
    assert Booking.objects.get(pk=slot.booking_id).plate == "ABC123"
    assert correct(slot, "XYZ780") == "XYZ780"


def test_a_plate_that_looks_like_an_earlier_one_is_a_near_miss(spot: Spot) -> None:
    cast.a_stay(spot, 60, plate="ABC100")
    slip = cast.a_hold(spot, cast.at(60), plate="ABC1O0").booking
    other = cast.a_hold(spot, cast.at(120), plate="XYZ789").booking
    assert corrections.near_miss(slip) == "ABC100"
    assert corrections.near_miss(other) is None
    stranger = cast.a_hold(
        spot, cast.at(180), plate="ABC1O0", email="somebody-else@example.org"
    ).booking
    assert corrections.near_miss(stranger) is None


def test_a_vehicle_of_the_list_is_what_a_slip_is_measured_by(spot: Spot) -> None:
    citizen = cast.a_person("citizen")
    vehicles.add(owner=citizen, plate="BBB808", now=cast.NOW)
    slip = cast.a_hold(spot, plate="B8B808", user=citizen).booking
    assert corrections.near_miss(slip) == "BBB808"
    assert corrections.near_miss(cast.a_hold(spot, cast.at(60), plate="B8B808").booking) is None

    vehicles.add(owner=citizen, plate="B8B808", now=cast.NOW)
    assert corrections.near_miss(slip) is None, "both are the citizen's"


def test_a_plate_like_no_other_is_odd_until_it_is_in_the_list(spot: Spot) -> None:
    citizen = cast.a_person("citizen")
    odd = cast.a_hold(spot, plate="ZZZZZZ0000", user=citizen).booking
    usual = cast.a_hold(spot, cast.at(60), plate="ABC123", user=citizen).booking
    assert (corrections.is_odd(odd), corrections.is_odd(usual)) == (True, False)
    vehicles.add(owner=citizen, plate="ZZZZZZ0000", now=cast.NOW)
    assert not corrections.is_odd(odd)


def test_a_guests_other_bookings_are_found_by_an_index(spot: Spot) -> None:
    slip = cast.a_hold(spot, cast.at(60)).booking
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        corrections.near_miss(slip)
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "booking_by_guest" in plan
    assert "Seq Scan" not in plan


class TestPages:
    """The warning, the form, and what it says."""

    @pytest.fixture
    def slot(self, spot: Spot, client: Client) -> Slot:
        now = timezone.now()
        start = cast.soon()
        cast.a_hold(spot, start, now=now, plate="ABC100")
        slot = cast.a_hold(spot, start + timedelta(hours=1), now=now, plate="ABC1O0")
        client.get(f"/bookings/{slot.booking.reference}/", {"key": slot.booking.access_key})
        return slot

    def test_a_slip_is_pointed_out_and_mended(self, client: Client, slot: Slot) -> None:
        page = f"/bookings/{slot.booking.reference}/"
        said = client.get(page).content.decode()
        assert "before, you booked for" in said
        assert "Pay 2.00" in said, "a warning, never a block"

        answer = client.post(f"{page}plate/", {"plate": "abc-100"}, follow=True)
        said = answer.content.decode()
        assert "The number plate is changed" in said
        assert "before, you booked for" not in said
        assert Booking.objects.get(pk=slot.booking_id).plate == "ABC100"

    @pytest.mark.parametrize("plate", ["", "7", "AB<1>"])
    def test_a_bad_plate_is_refused_at_its_field(
        self, client: Client, slot: Slot, plate: str
    ) -> None:
        answer = client.post(f"/bookings/{slot.booking.reference}/plate/", {"plate": plate})
        assert answer.status_code == 400
        assert 'class="field__error"' in answer.content.decode()
        assert Booking.objects.get(pk=slot.booking_id).plate == "ABC1O0"

    def test_strangers_find_nothing(self, slot: Slot) -> None:
        page = f"/bookings/{slot.booking.reference}/plate/"
        assert Client().get(page).status_code == 404
        assert Client().post(page, {"plate": "XYZ789"}).status_code == 404
        assert Booking.objects.get(pk=slot.booking_id).plate == "ABC1O0"
