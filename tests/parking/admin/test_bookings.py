"""Bookings at the desk: found by reference, plate or e-mail; read, never edited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from parking.models import Booking, Slot, Zone
from tests import cast
from tests.parking.admin.conftest import Enter

LIST = "admin:parking_booking_changelist"


def _two(zone: Zone) -> tuple[Slot, Slot]:
    now = timezone.now()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    first = cast.a_hold(cast.a_spot(zone, "K-1"), start, plate="ABC123", now=now)
    second = cast.a_hold(
        cast.a_spot(zone, "K-2"), start, plate="XYZ789", email="eve@example.org", now=now
    )
    return first, second


def _found(answer: Any) -> set[str]:
    return {booking.reference for booking in answer.context["cl"].queryset}


def test_a_plate_is_found_in_any_spelling_and_never_stands_in_an_address(
    zone: Zone, operator: User, enter: Enter
) -> None:
    first, _second = _two(zone)
    browser = enter(operator)

    answer = browser.post(reverse(LIST), {"person": " abc-123 "}, follow=True)

    assert _found(answer) == {first.booking.reference}
    assert answer.redirect_chain == [(reverse(LIST), 302)]


def test_an_email_is_found_and_the_search_can_be_undone(
    zone: Zone, operator: User, enter: Enter
) -> None:
    first, second = _two(zone)
    browser = enter(operator)

    answer = browser.post(reverse(LIST), {"person": "Eve@Example.org"}, follow=True)
    assert _found(answer) == {second.booking.reference}
    assert _found(browser.get(reverse(LIST), {"q": first.booking.reference})) == set()
    # Only the list is narrowed: a link to another booking still opens.
    page = reverse("admin:parking_booking_change", args=[first.booking_id])
    assert browser.get(page).status_code == 200

    everything = browser.post(reverse(LIST), {"person": ""}, follow=True)
    assert _found(everything) == {first.booking.reference, second.booking.reference}


def test_a_plate_of_another_zone_is_not_found(
    zone: Zone, other_zone: Zone, operator: User, enter: Enter
) -> None:
    _two(other_zone)

    answer = enter(operator).post(reverse(LIST), {"person": "ABC123"}, follow=True)

    assert _found(answer) == set()


def test_the_address_never_filters_by_plate(zone: Zone, operator: User, enter: Enter) -> None:
    _two(zone)

    assert _found(enter(operator).get(reverse(LIST), {"q": "ABC123"})) == set()


def test_a_booking_is_read_with_its_slots_and_history(
    zone: Zone, operator: User, enter: Enter
) -> None:
    first, _second = _two(zone)

    page = enter(operator).get(reverse("admin:parking_booking_change", args=[first.booking_id]))

    text = page.content.decode()
    assert "2.00" in text
    assert f"?q={first.booking.reference}" in text
    assert first.booking.access_key not in text


def test_not_even_a_superuser_edits_adds_or_deletes_a_booking(
    zone: Zone, superuser: User, enter: Enter
) -> None:
    first, _second = _two(zone)
    browser = enter(superuser)

    change = reverse("admin:parking_booking_change", args=[first.booking_id])
    delete = reverse("admin:parking_booking_delete", args=[first.booking_id])
    assert browser.post(change, {"plate": "HACKED1"}).status_code == 403
    assert browser.post(delete, {"post": "yes"}).status_code == 403
    assert browser.get(reverse("admin:parking_booking_add")).status_code == 403
    assert set(Booking.objects.values_list("plate", flat=True)) == {"ABC123", "XYZ789"}


def test_the_list_costs_the_same_queries_for_one_booking_and_for_many(
    zone: Zone, operator: User, enter: Enter, django_assert_max_num_queries: Any
) -> None:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    for number in range(12):
        cast.a_hold(cast.a_spot(zone, f"K-{number}"), start, now=timezone.now())
    browser = enter(operator)

    with django_assert_max_num_queries(16):
        browser.get(reverse(LIST))
