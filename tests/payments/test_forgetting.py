"""Plates vanish when their zone's term is over, addresses of guests later; a log says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client

from parking import forgetting
from parking.models import Booking, Forgetting, Spot, SpotReport, Zone
from payments import ledger, open_cases, proof, receipts
from payments.models import Dispute, Payment
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, fresh

END = cast.at(60)


def days(number: float) -> datetime:
    """Return the moment so many days after the end of the stay."""
    return END + timedelta(days=number)


def forget(zone: Zone, now: datetime) -> int:
    return forgetting.forget_plates(zone=zone, open_cases=open_cases.among, now=now)


@pytest.fixture
def payment(spot: Spot, processor: Processor) -> Payment:
    return a_paid_booking(spot, processor)


def test_a_plate_is_kept_to_the_end_of_the_term_and_not_longer(
    zone: Zone, payment: Payment
) -> None:
    assert forget(zone, days(30) - timedelta(seconds=1)) == 0
    assert fresh(payment.slot.booking).plate == "ABC123"

    assert [forget(zone, days(30)), forget(zone, days(31))] == [1, 0]

    booking = fresh(payment.slot.booking)
    assert (booking.plate, booking.email) == ("", "guest@example.org")
    [line] = Forgetting.objects.all()
    assert (line.zone, line.plate_days, line.plates, line.kept) == (zone, 30, 1, 0)
    assert line.reason == "term"


def test_each_zone_has_its_own_term(zone: Zone, payment: Payment) -> None:
    other = cast.a_zone("other")
    Zone.objects.filter(pk=other.pk).update(plate_days=8)
    there = cast.a_hold(cast.a_spot(other))
    assert forget(fresh(other), days(8)) == 1
    assert forget(zone, days(8)) == 0
    assert fresh(there.booking).plate == ""
    assert fresh(payment.slot.booking).plate == "ABC123"


def test_what_goes_on_keeps_the_plate(zone: Zone, spot: Spot) -> None:
    """A stay whose first part ended long ago, and which was extended since."""
    last = cast.a_stay(spot, 60, 120)[-1]
    assert forget(zone, last.end + timedelta(days=30) - timedelta(minutes=1)) == 0
    assert forget(zone, last.end + timedelta(days=30)) == 1


def test_money_receipts_and_the_chain_stay_as_they_were(zone: Zone, payment: Payment) -> None:
    ledger.seal()
    forget(zone, days(30))
    assert proof.first_broken() is None
    assert proof.first_missing_document() is None
    [document] = receipts.of(payment.slot.booking)
    assert str(document.document) == "R-2026-000001"


def test_an_open_case_keeps_the_plate_until_it_is_closed(
    zone: Zone, spot: Spot, payment: Payment
) -> None:
    report = SpotReport.objects.create(
        booking=payment.slot.booking, spot=spot, reported_at=END, outcome="told"
    )
    dispute = Dispute.objects.create(
        dispute_id="dp_1", payment=payment, amount=200, currency="EUR", opened_at=END
    )
    SpotReport.objects.filter(pk=report.pk).update(closed_at=END, note="seen")
    other = cast.a_hold(cast.a_spot(zone, "K-2"))
    assert forget(zone, days(30)) == 1, "the other booking alone"
    assert (fresh(payment.slot.booking).plate, fresh(other.booking).plate) == ("ABC123", "")
    assert Forgetting.objects.get().kept == 1

    Dispute.objects.filter(pk=dispute.pk).update(state="lost", ended_at=END)
    assert forget(zone, days(30)) == 1
    assert fresh(payment.slot.booking).plate == ""


def test_many_are_forgotten_in_stretches_each_with_its_line(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        cast.a_hold(cast.a_spot(zone, f"M-{number}", metres_east=9 * number))
    monkeypatch.setattr(forgetting, "STRETCH", 2)
    assert forget(zone, days(30)) == 3
    assert list(Forgetting.objects.order_by("id").values_list("plates", flat=True)) == [2, 1]


def test_guests_addresses_are_forgotten_later_and_an_accounts_is_not(spot: Spot) -> None:
    guest = cast.a_hold(spot)
    person = cast.a_person("citizen")
    cast.a_hold(spot, cast.at(120), user=person, email=person.email)

    def run(now: datetime) -> int:
        return forgetting.forget_guests(open_cases=open_cases.among, now=now)

    over = cast.NOW + timedelta(days=forgetting.GUEST_ADDRESS_DAYS)
    assert [run(over - timedelta(seconds=1)), run(over), run(over)] == [0, 1, 0]
    assert fresh(guest.booking).email == ""
    assert Booking.objects.filter(email="citizen@example.org").count() == 1


@pytest.mark.parametrize("change", [{"plates": 0}, {"at": END}])
def test_the_log_cannot_be_rewritten(zone: Zone, payment: Payment, change: dict) -> None:
    forget(zone, days(30))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Forgetting.objects.update(**change)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Forgetting.objects.all().delete()


@pytest.mark.parametrize("term", [0, 7, 731])
def test_a_term_out_of_bounds_is_refused_in_words_and_by_the_database(
    zone: Zone, term: int
) -> None:
    zone.plate_days = term
    with pytest.raises(ValidationError, match=r"8|730"):
        zone.full_clean()
    with pytest.raises(IntegrityError, match="zone_plate_days_bounded"), transaction.atomic():
        zone.save()


def test_the_page_of_an_old_booking_says_that_the_plate_is_gone(
    client: Client, zone: Zone, payment: Payment
) -> None:
    booking = payment.slot.booking
    forget(zone, days(30))
    answer = client.get(f"/bookings/{booking.reference}/", {"key": booking.access_key}, follow=True)
    assert "The number plate is no longer kept." in answer.content.decode()
