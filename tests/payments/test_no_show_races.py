"""Nobody came, or did they just now? Whoever is first wins, and money goes back once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from parking import changes, extension, no_show, refusals
from parking.models import ArrivalOutcome, ArrivalWatch, BookingEvent, Slot, SlotState
from payments import no_shows
from payments.cancel import Cancelled, cancel_booking
from payments.models import Mail, MailKind, Refund
from tests import cast
from tests.parking.sensors import Sensor
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, fresh
from tests.payments.test_races import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
N = 15


@pytest.fixture
def sensor() -> Sensor:
    """A sensor that has seen nobody from before NOW until the spot is to be given to others."""
    sensor = Sensor(cast.a_zone(release_after_min=N, grace_min=0))
    sensor.says_free(-5, -1)
    return sensor


@pytest.fixture
def slot(sensor: Sensor, processor: Processor) -> Slot:
    """A paid stay of an hour on its spot; nobody came, and it is time."""
    slot: Slot = a_paid_booking(sensor.spot, processor).slot
    sensor.says_free(0, N)
    return slot


def release(slot: Slot) -> Callable[[], Cancelled | None]:
    return lambda: no_shows.look(booking_id=slot.booking_id, now=cast.at(N))


def cancellations(slot: Slot) -> list[str]:
    events = BookingEvent.objects.filter(booking=slot.booking_id, kind="cancelled")
    return list(events.values_list("actor", flat=True))


def release_while_a_car_is_reported(
    slot: Slot, sensor: Sensor, has_asked: Event | None = None
) -> None:
    """A report that somebody has parked was heard, and is stored while the clock decides."""
    heard, stored = Event(), Event()

    def report() -> None:
        with transaction.atomic():
            sensor.says(True, N)
            heard.set()
            assert stored.wait(10)
        connection.close()

    def decide() -> None:
        release(slot)()
        connection.close()

    reporting, deciding = Thread(target=report), Thread(target=decide)
    reporting.start()
    assert heard.wait(10)
    deciding.start()
    if has_asked is None:
        time.sleep(0.4)
    else:
        assert has_asked.wait(10)
    assert deciding.is_alive(), "it waits for the report"
    stored.set()
    for thread in (reporting, deciding):
        thread.join(10)
        assert not thread.is_alive()


def test_a_car_that_was_heard_of_first_keeps_the_spot(slot: Slot, sensor: Sensor) -> None:
    release_while_a_car_is_reported(slot, sensor)
    assert fresh(slot).state == SlotState.CONFIRMED
    assert ArrivalWatch.objects.get().outcome == ArrivalOutcome.CAME
    assert not Refund.objects.exists()


def test_without_the_meters_lock_who_has_parked_loses_the_spot(
    slot: Slot, sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: evidence that is read without the lock is old when it is acted on."""
    ask = no_show._ask_sensor

    has_asked = Event()

    def ask_without_lock(*asked: Any) -> Any:
        answer = ask(*asked, lock=False)
        has_asked.set()
        return answer

    monkeypatch.setattr(no_show, "_ask_sensor", ask_without_lock)
    release_while_a_car_is_reported(slot, sensor, has_asked)
    assert fresh(slot).state == SlotState.CANCELLED


def test_workers_that_look_at_once_release_once(slot: Slot) -> None:
    answers = at_once(*[release(slot)] * 4)
    assert sorted(type(answer).__name__ for answer in answers) == ["Cancelled", *["NoneType"] * 3]
    assert cancellations(slot) == ["clock"]
    assert Refund.objects.get().amount == 150
    assert Mail.objects.filter(kind=MailKind.CANCELLED).count() == 1


@pytest.mark.parametrize("attempt", range(4))
def test_ending_the_stay_while_it_is_released_ends_it_once(slot: Slot, attempt: int) -> None:
    reference = slot.booking.reference
    released, ended = at_once(
        release(slot),
        lambda: cancel_booking(reference=reference, now=cast.at(N), actor="citizen"),
    )
    assert fresh(slot).state == SlotState.CANCELLED
    assert Refund.objects.get().amount == 150
    if isinstance(released, Cancelled):
        assert isinstance(ended, refusals.WrongState)
        assert cancellations(slot) == ["clock"]
    else:
        assert (released, type(ended)) == (None, Cancelled)
        assert cancellations(slot) == ["citizen"]
        assert not ArrivalWatch.objects.exists()


@pytest.mark.parametrize("attempt", range(4))
def test_a_longer_stay_that_is_asked_for_meanwhile_is_held_or_refused(
    slot: Slot, attempt: int
) -> None:
    released, longer = at_once(
        release(slot),
        lambda: extension.extend(
            booking_id=slot.booking_id, to=cast.at(90), now=cast.at(N), actor="citizen"
        ),
    )
    states = set(Slot.objects.values_list("state", flat=True))
    if isinstance(released, Cancelled):
        assert isinstance(longer, refusals.NotBooked)
        assert states == {SlotState.CANCELLED}
    else:
        assert isinstance(longer, Slot)
        assert states == {SlotState.CONFIRMED, SlotState.HELD}
        assert ArrivalWatch.objects.get().outcome == ArrivalOutcome.WAITING
        assert not Refund.objects.exists()


@pytest.mark.parametrize("attempt", range(4))
def test_more_time_is_given_or_comes_too_late_and_never_both(slot: Slot, attempt: int) -> None:
    released, asked = at_once(
        release(slot),
        lambda: no_show.more_time(booking_id=slot.booking_id, now=cast.at(N), actor="citizen"),
    )
    watch = ArrivalWatch.objects.get()
    if isinstance(released, Cancelled):
        assert isinstance(asked, no_show.NothingToWaitFor)
        assert (watch.outcome, watch.more_time_at) == (ArrivalOutcome.RELEASED, None)
    else:
        assert asked == cast.at(2 * N)
        assert watch.outcome == ArrivalOutcome.WAITING
        assert fresh(slot).state == SlotState.CONFIRMED
        assert not Refund.objects.exists()


@pytest.mark.parametrize("attempt", range(4))
def test_a_stay_that_moves_meanwhile_goes_on_there_or_is_over(
    slot: Slot, sensor: Sensor, attempt: int
) -> None:
    other = cast.a_spot(sensor.spot.zone, "K-2", metres_east=6)

    def move() -> Slot:
        with refusals.contended(), transaction.atomic():
            wish = changes.propose(
                booking_id=slot.booking_id, spot_id=other.pk, now=cast.at(N), locked=True
            )
            return changes.make(change=wish, now=cast.at(N), actor="citizen")

    released, moved = at_once(release(slot), move)
    if isinstance(released, Cancelled):
        assert isinstance(moved, refusals.NotBooked | refusals.Busy)
        assert set(Slot.objects.values_list("state", flat=True)) == {SlotState.CANCELLED}
        assert Refund.objects.get().amount == 150
    else:
        assert isinstance(moved, Slot)
        assert (fresh(slot).state, fresh(moved).state) == (SlotState.REPLACED, SlotState.CONFIRMED)
        assert ArrivalWatch.objects.get().outcome == ArrivalOutcome.WAITING
        assert not Refund.objects.exists()
