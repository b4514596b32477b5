"""“My spot is taken”: elsewhere at no extra cost, everything back, and a case for the city."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from parking import booking, locking, spot_reports
from parking.models import BookingEvent, Light, Slot, SlotState, Spot, SpotReport, StayRules
from parking.stays import stay_of
from payments import taken
from payments.models import Refund, RefundReason
from tests import cast
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor
from tests.payments.situations import check_books


@pytest.fixture
def row(spot: Spot) -> list[Spot]:
    """The spots beside it: K-2 is the nearest."""
    return [cast.a_spot(spot.zone, f"K-{n}", metres_east=6 * n) for n in (2, 3, 4)]


def this_step() -> datetime:
    now = timezone.now()
    return now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)


@pytest.fixture
def running(guest: Client, spot: Spot, processor: Processor) -> Slot:
    """A paid stay of two hours that has just begun."""
    mine = cast.a_spot(spot.zone, "K-0")
    slot = cast.a_hold(mine, this_step(), minutes=120, now=timezone.now())
    session = guest.session
    session["bookings"] = [slot.booking.reference]
    session.save()
    pay(slot, processor)
    return slot


def post(guest: Client, slot: Slot, **what: object) -> str:
    answer = guest.post(page(slot, "taken/"), what, follow=True)
    assert answer.status_code in {200, 409}, answer.status_code
    return answer.content.decode()


def test_one_tap_leads_to_the_nearest_free_spot(
    guest: Client, running: Slot, row: list[Spot]
) -> None:
    assert "My spot is taken" in text(guest, running)
    said = text(guest, running, "taken/")
    assert said.index(": Spot K-2</span>") < said.index(": Spot K-3</span>")

    said = post(guest, running, do="move", spot=row[0].pk)

    assert "Spot K-2 is yours now, at no extra cost" in said
    assert "somebody else stood on the spot" in said
    new = Slot.objects.latest("id")
    assert (new.spot, new.state, new.amount) == (row[0], SlotState.CONFIRMED, 0)
    assert not Refund.objects.exists()
    case = SpotReport.objects.get()
    assert (case.spot, case.moved_to, case.outcome) == (running.spot, row[0], "moved")
    assert case.closed_at is None


def test_spots_that_are_taken_as_well_are_not_offered(
    guest: Client, running: Slot, row: list[Spot]
) -> None:
    Light.objects.filter(spot=row[0]).update(occupied=True)
    other = cast.a_hold(row[1], this_step() + timedelta(hours=5), now=timezone.now())
    SpotReport.objects.create(
        booking=other.booking, spot=row[1], reported_at=timezone.now(), outcome="told"
    )
    said = text(guest, running, "taken/")
    assert ": Spot K-2</span>" not in said
    assert ": Spot K-3</span>" not in said
    assert ": Spot K-4</span>" in said
    SpotReport.objects.update(closed_at=timezone.now(), note="looked: nobody there")
    assert ": Spot K-3</span>" in text(guest, running, "taken/")


def test_everything_goes_back_to_whoever_leaves(guest: Client, running: Slot) -> None:
    StayRules.objects.update(refund_unused=False, grace_min=0)
    assert "all 4.00" in text(guest, running, "taken/")

    said = post(guest, running, do="refund")

    assert "Your booking is cancelled" in said
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason) == (400, RefundReason.OCCUPIED)
    assert SpotReport.objects.get().outcome == "refunded"
    event = BookingEvent.objects.get(kind="cancelled")
    assert event.reason == booking.SPOT_WAS_TAKEN
    check_books()


def test_whoever_leaves_often_is_looked_at_by_a_person(
    guest: Client, running: Slot, row: list[Spot]
) -> None:
    for spot in row[: spot_reports.FULL_REFUNDS]:
        before = cast.a_hold(spot, this_step() + timedelta(hours=5), now=timezone.now())
        SpotReport.objects.create(
            booking=before.booking, spot=spot, reported_at=timezone.now(), outcome="refunded"
        )
    said = text(guest, running, "taken/")
    assert "the city looks at this case first" in said
    assert "all 4.00" not in said
    post(guest, running, do="refund")
    assert not Refund.objects.exists()
    running.refresh_from_db()
    assert running.state == SlotState.CONFIRMED
    said = post(guest, running, do="tell")
    assert "The city knows of it now" in said
    assert SpotReport.objects.filter(booking=running.booking, outcome="told").exists()
    SpotReport.objects.exclude(booking=running.booking).update(
        reported_at=timezone.now() - timedelta(days=31)
    )
    assert "all 4.00" in text(guest, running, "taken/")


def test_a_spot_is_reported_once_and_the_last_word_counts(
    guest: Client, running: Slot, row: list[Spot]
) -> None:
    Light.objects.filter(spot=running.spot).update(occupied=True)
    post(guest, running, do="tell")
    post(guest, running, do="move", spot=row[0].pk)
    case = SpotReport.objects.get()
    assert (case.outcome, case.sensor_said) == ("moved", True)
    # The other spot is taken, too.
    post(guest, running, do="move", spot=row[1].pk)
    assert SpotReport.objects.count() == 2
    assert stay_of(locking.slots_of(running.booking_id)).spot == row[1]


@pytest.mark.parametrize(
    ("minutes", "is_time"), [(-16, False), (-15, True), (29, True), (30, False)]
)
def test_it_can_be_said_when_one_comes_to_the_spot(spot: Spot, minutes: int, is_time: bool) -> None:
    (slot,) = cast.a_stay(spot, 120)
    assert spot_reports.is_time(slot=slot, now=cast.at(minutes)) is is_time
    if not is_time:
        for act in (
            lambda now: taken.tell(reference=slot.booking.reference, now=now),
            lambda now: taken.give_back(reference=slot.booking.reference, now=now, actor="citizen"),
        ):
            with pytest.raises(spot_reports.NotTheTime):
                act(cast.at(minutes))
        assert not SpotReport.objects.exists()


def test_a_spot_that_somebody_takes_meanwhile_is_said(
    guest: Client, running: Slot, row: list[Spot]
) -> None:
    cast.a_hold(row[0], this_step(), now=timezone.now())
    said = post(guest, running, do="move", spot=row[0].pk)
    assert "cannot be had any more" in said
    assert ": Spot K-3</span>" in said
    assert not SpotReport.objects.exists()
    for spot in ("", "x", "99999999", "9" * 30):
        answer = guest.post(page(running, "taken/"), {"do": "move", "spot": spot})
        assert answer.status_code in {400, 409}
    assert guest.post(page(running, "taken/"), {"do": "dance"}).status_code == 400
    assert Slot.objects.filter(booking=running.booking).count() == 1


def test_only_the_maker_may_say_so(client: Client, running: Slot) -> None:
    client.session.flush()
    stranger = Client()
    assert stranger.get(page(running, "taken/")).status_code == 404
    assert stranger.post(page(running, "taken/"), {"do": "refund"}).status_code == 404
