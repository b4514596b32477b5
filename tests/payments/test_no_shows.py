"""Whoever does not come loses the spot, by the unbroken word of a sensor, and gets what is due."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from parking import booking, changes, extension, locking, no_show, refusals
from parking.models import (
    ArrivalOutcome,
    ArrivalWatch,
    Light,
    MeterCommand,
    Slot,
    SlotState,
    StayRules,
    Zone,
)
from payments import cancel, mail, no_shows, reminders, taken, tasks
from payments.models import Mail, MailKind, Refund
from tests import cast
from tests.parking.sensors import Sensor
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, fresh

pytestmark = pytest.mark.django_db
N = 15


@pytest.fixture
def zone(db: None) -> Zone:
    """A zone that gives a spot to others after 15 minutes."""
    return cast.a_zone(release_after_min=N, grace_min=0)


@pytest.fixture
def sensor(zone: Zone) -> Sensor:
    """A sensor that saw its last car leave half an hour before NOW."""
    sensor = Sensor(zone)
    sensor.says_free(-30, -1)
    return sensor


@pytest.fixture
def slot(sensor: Sensor) -> Slot:
    """A confirmed stay on its spot, 10:00 to 11:00."""
    return cast.a_stay(sensor.spot, 60)[0]


def look(minutes: float) -> list[int | None]:
    """Do what the beat does at that minute; return what each release gave back."""
    done = [
        no_shows.look(booking_id=booking_id, now=cast.at(minutes))
        for booking_id in no_show.due(now=cast.at(minutes))
    ]
    return [one.refunded for one in done if one is not None]


def outcome(slot: Slot) -> str:
    return ArrivalWatch.objects.get(booking=slot.booking_id).outcome


def letters(minutes: float) -> list[str]:
    """Send what is owed; return the subjects."""
    before = len(outbox.outbox)
    for mail_id in mail.due(now=cast.at(minutes)):
        mail.send(mail_id=mail_id, now=cast.at(minutes))
    return [letter.subject.partition(":")[0] for letter in outbox.outbox[before:]]


def test_a_spot_that_stayed_empty_is_given_to_others(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, N)
    assert look(N - 0.5) == []
    assert fresh(slot).state == SlotState.CONFIRMED
    assert look(N) == [0], "this stay was not paid through the processor"
    assert fresh(slot).state == SlotState.CANCELLED
    assert fresh(slot).ended_at == cast.at(N)
    watch = ArrivalWatch.objects.get()
    assert (watch.outcome, watch.decided_at) == (ArrivalOutcome.RELEASED, cast.at(N))
    assert (watch.free_since, watch.last_word_at) == (cast.at(-30), cast.at(N))
    cast.a_hold(sensor.spot, cast.at(15), now=cast.at(N))  # somebody else has it at once


def test_the_history_says_that_the_clock_did_it_and_why(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, N)
    look(N)
    event = slot.booking.events.latest("id")
    assert (event.kind, event.actor, event.at) == ("cancelled", "clock", cast.at(N))
    assert event.reason == "By 10:15, the sensor had seen nobody at the spot since 10:00."


def test_the_lamp_of_a_spot_that_was_given_away_is_planned_anew(slot: Slot, sensor: Sensor) -> None:
    def revision() -> int:
        return MeterCommand.objects.order_by("-revision").values_list("revision", flat=True)[0]

    before = revision()
    sensor.says_free(0, N)
    look(N)
    assert revision() > before
    assert "green" not in str(fresh(sensor.meter).plan)


def test_unused_time_goes_back_as_when_ending_early(sensor: Sensor, processor: Processor) -> None:
    payment = a_paid_booking(sensor.spot, processor)
    sensor.says_free(0, N)
    assert look(N) == [150]
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount, refund.actor) == (payment, 150, "clock")


def test_nothing_goes_back_where_the_zone_does_not_refund_unused_time(
    sensor: Sensor, processor: Processor
) -> None:
    StayRules.objects.update(refund_unused=False)
    a_paid_booking(sensor.spot, processor)
    sensor.says_free(0, N)
    assert look(N) == [0]
    assert not Refund.objects.exists()


# --- Evidence: what keeps the spot ---------------------------------------------------------------


def a_car_comes(sensor: Sensor) -> None:
    sensor.says_each_minute([False] * 5 + [True] + [False] * 14, since=0)


def silence(sensor: Sensor) -> None:
    sensor.says_free(0, 5)
    sensor.says_free(8, 20)


def silence_at_the_end(sensor: Sensor) -> None:
    sensor.says_free(0, 12)


def no_word_at_all(_sensor: Sensor) -> None:
    pass


def an_unknown_word(sensor: Sensor) -> None:
    sensor.says_each_minute([False] * 5 + [None] + [False] * 14, since=0)


def a_reboot(sensor: Sensor) -> None:
    sensor.says_free(0, 5)
    sensor.reboots()
    sensor.says_free(6, 20)


def a_late_word(sensor: Sensor) -> None:
    sensor.says_free(0, 5)
    sensor.says(False, 6, late=3)
    sensor.says_free(7, 20)


def a_fault(sensor: Sensor) -> None:
    sensor.says_free(0, 20)
    sensor.says(False, 20.1, faults=["sensor_dirty"])


@pytest.mark.parametrize(
    ("happens", "ends"),
    [
        (a_car_comes, ArrivalOutcome.CAME),
        (silence, ArrivalOutcome.UNCLEAR),
        (silence_at_the_end, ArrivalOutcome.UNCLEAR),
        (no_word_at_all, ArrivalOutcome.UNCLEAR),
        (an_unknown_word, ArrivalOutcome.UNCLEAR),
        (a_reboot, ArrivalOutcome.UNCLEAR),
        (a_late_word, ArrivalOutcome.UNCLEAR),
        (a_fault, ArrivalOutcome.UNCLEAR),
    ],
)
def test_less_than_an_unbroken_word_keeps_the_spot(
    slot: Slot, sensor: Sensor, happens: Callable[[Sensor], None], ends: ArrivalOutcome
) -> None:
    happens(sensor)
    assert look(20.2) == []
    assert (fresh(slot).state, outcome(slot)) == (SlotState.CONFIRMED, ends)
    sensor.says_free(21, 58)
    assert look(58) == [], "it is decided once"
    assert not Mail.objects.filter(kind=MailKind.CANCELLED).exists()


def test_one_lost_heartbeat_is_no_silence(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 5)
    sensor.says_free(7, N)
    assert look(N) == [0]


def test_a_spot_that_was_left_after_the_start_is_kept(zone: Zone) -> None:
    sensor = Sensor(zone)
    sensor.says(True, 0.5)  # the car before, or the citizen's for a moment
    slot = cast.a_stay(sensor.spot, 60)[0]
    sensor.says_free(1, 20)
    assert look(20) == []
    assert outcome(slot) == ArrivalOutcome.CAME


def test_a_sensor_that_has_seen_no_car_for_a_week_is_not_believed(zone: Zone) -> None:
    sensor = Sensor(zone, saw_a_car=-60 * 24 * 8)
    sensor.says_free(-30, -1)
    slot = cast.a_stay(sensor.spot, 60)[0]
    sensor.says_free(0, N)
    assert look(N) == []
    assert outcome(slot) == ArrivalOutcome.UNCLEAR


def test_the_last_word_must_be_about_the_last_minute(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 14)
    assert look(N) == []
    assert outcome(slot) == ArrivalOutcome.WAITING
    sensor.says(False, N + 0.4)
    assert look(N + 0.5) == [0]


def test_a_car_in_the_last_seconds_keeps_the_spot(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 14)
    look(N)
    sensor.says(True, N + 0.1)
    assert look(N + 0.5) == []
    assert outcome(slot) == ArrivalOutcome.CAME


def test_who_reported_the_spot_taken_was_there_whatever_the_sensor_says(
    slot: Slot, sensor: Sensor
) -> None:
    sensor.says_free(0, 3)
    taken.tell(reference=slot.booking.reference, now=cast.at(3))
    assert no_show.outlook(booking_id=slot.booking_id, slots=[slot], now=cast.at(3)) is None
    sensor.says_free(4, N)
    assert look(N) == []
    assert (fresh(slot).state, outcome(slot)) == (SlotState.CONFIRMED, ArrivalOutcome.UNCLEAR)


# --- Who is watched ------------------------------------------------------------------------------


def test_a_zone_without_the_rule_watches_nobody(zone: Zone, sensor: Sensor) -> None:
    StayRules.objects.update(release_after_min=None)
    cast.a_stay(sensor.spot, 60)
    StayRules.objects.update(release_after_min=N)
    assert not ArrivalWatch.objects.exists(), "the rule did not stand when this was booked"


def test_the_rule_that_was_said_before_paying_holds(slot: Slot, sensor: Sensor, zone: Zone) -> None:
    StayRules.objects.update(release_after_min=5)
    sensor.says_free(0, 14)
    assert look(14) == []
    assert fresh(slot).state == SlotState.CONFIRMED


def test_a_spot_without_a_sensor_is_never_watched(zone: Zone) -> None:
    cast.a_stay(cast.a_spot(zone, "K-8"), 60)
    blind = cast.a_meter(zone, "MTR-9")
    cast.a_stay(cast.a_spot(zone, "K-9", meter=blind, position=1), 60)
    assert not ArrivalWatch.objects.exists()


def test_a_stay_that_is_over_before_the_wait_is_not_watched(sensor: Sensor) -> None:
    cast.a_stay(sensor.spot, N)
    assert not ArrivalWatch.objects.exists()


def test_who_books_after_the_start_has_as_long_from_then(zone: Zone, sensor: Sensor) -> None:
    sensor.says_free(0, 4)
    held = cast.a_hold(sensor.spot, now=cast.at(4))
    booking.confirm(slot=locking.lock_slot(held.pk), now=cast.at(4), actor="processor")
    sensor.says_free(5, 18)
    assert look(18) == []
    sensor.says(False, 19)
    assert look(19) == [0]


def test_a_hold_that_nobody_paid_is_forgotten(sensor: Sensor) -> None:
    held = cast.a_hold(sensor.spot)
    look(8)
    assert ArrivalWatch.objects.exists(), "money may still come"
    booking.begin_expiry(slot=locking.lock_slot(held.pk), now=cast.at(10), actor="clock")
    booking.release(slot=locking.lock_slot(held.pk), now=cast.at(10), actor="clock")
    assert look(20) == []
    assert not ArrivalWatch.objects.exists()


def test_a_stay_that_its_citizen_ended_is_forgotten(slot: Slot, sensor: Sensor) -> None:
    cancel.cancel_booking(reference=slot.booking.reference, now=cast.at(5), actor="citizen")
    sensor.says_free(0, N)
    assert look(N) == []
    assert not ArrivalWatch.objects.exists()
    assert fresh(slot).ended_at == cast.at(5)


def test_nobody_loses_a_spot_while_paying_to_stay_longer(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 14)
    longer = extension.extend(
        booking_id=slot.booking_id, to=cast.at(90), now=cast.at(14), actor="citizen"
    )
    sensor.says_free(15, 20)
    assert look(20) == []
    booking.confirm(slot=locking.lock_slot(longer.pk), now=cast.at(20), actor="processor")
    sensor.says_free(21, 34)
    assert look(34) == [], "who has just paid has as long from then on"
    sensor.says(False, 35)
    assert look(35) == [0]
    assert {fresh(slot).state, fresh(longer).state} == {SlotState.CANCELLED}


def test_nothing_happens_to_a_stay_that_is_over(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 61)
    assert look(61) == []
    assert fresh(slot).state == SlotState.CONFIRMED


# --- Letters -------------------------------------------------------------------------------------


def test_a_letter_warns_once_when_half_of_the_time_is_over(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 7)
    look(7)
    assert letters(7) == []
    sensor.says(False, 8)
    look(8)
    assert letters(8) == ["Nobody has parked on your spot yet"]
    body = outbox.outbox[-1].body
    assert "10:15" in body
    assert slot.booking.access_key in body
    assert slot.booking.plate not in body
    look(9)
    assert letters(9) == []


def test_who_has_parked_gets_no_letter(slot: Slot, sensor: Sensor) -> None:
    sensor.says_each_minute([False, True, True, True, True, True, True, True, True], since=0)
    look(8)
    assert letters(8) == []
    assert outcome(slot) == ArrivalOutcome.CAME


def test_a_warning_that_is_owed_is_not_sent_to_who_has_come_meanwhile(
    slot: Slot, sensor: Sensor
) -> None:
    sensor.says_free(0, 8)
    look(8)
    sensor.says(True, 8.2)
    assert letters(8.3) == []
    assert Mail.objects.get(kind=MailKind.NOBODY_YET).given_up_at == cast.at(8.3)


def test_the_letter_of_the_release_says_why_and_what_comes_back(
    sensor: Sensor, processor: Processor
) -> None:
    a_paid_booking(sensor.spot, processor)
    letters(1)
    assert "If nobody has parked by 10:15" in outbox.outbox[-1].body
    sensor.says_free(0, N)
    look(N)
    assert letters(N) == ["Your parking is cancelled"]
    body = str(outbox.outbox[-1].body).replace("\n", " ")
    assert "Nobody had parked by 10:15" in body
    assert "1.50\xa0€ goes back" in body


def test_reminders_do_not_follow_a_spot_that_was_given_away(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, N)
    look(N)
    letters(N)
    reminders.owe(now=cast.at(46))
    assert letters(46) == []


# --- More time -----------------------------------------------------------------------------------


def test_who_is_on_the_way_gets_as_long_once_more(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, 10)
    until = no_show.more_time(booking_id=slot.booking_id, now=cast.at(10), actor="citizen")
    assert until == cast.at(2 * N)
    sensor.says_free(11, 29)
    assert look(N) == look(29) == []
    sensor.says(False, 30)
    assert look(30) == [0]
    events = list(slot.booking.events.values_list("kind", "actor"))
    assert events[-2:] == [("on the way", "citizen"), ("cancelled", "clock")]


def test_more_time_is_given_once(slot: Slot) -> None:
    no_show.more_time(booking_id=slot.booking_id, now=cast.at(3), actor="citizen")
    with pytest.raises(no_show.AskedBefore):
        no_show.more_time(booking_id=slot.booking_id, now=cast.at(4), actor="citizen")
    assert slot.booking.events.filter(kind="on the way").count() == 1


@pytest.mark.parametrize("minutes", [-20, 61])
def test_more_time_is_given_only_around_the_start(slot: Slot, minutes: float) -> None:
    with pytest.raises(no_show.NothingToWaitFor):
        no_show.more_time(booking_id=slot.booking_id, now=cast.at(minutes), actor="citizen")


def test_more_time_comes_too_late_for_a_spot_that_is_gone(slot: Slot, sensor: Sensor) -> None:
    sensor.says_free(0, N)
    look(N)
    with pytest.raises(no_show.NothingToWaitFor):
        no_show.more_time(booking_id=slot.booking_id, now=cast.at(N), actor="citizen")


def test_more_time_past_the_end_keeps_the_spot(sensor: Sensor) -> None:
    [slot] = cast.a_stay(sensor.spot, 25)
    until = no_show.more_time(booking_id=slot.booking_id, now=cast.at(3), actor="citizen")
    assert until == cast.at(25)
    sensor.says_free(0, 24)
    assert look(24) == []
    look(26)
    assert outcome(slot) == ArrivalOutcome.UNCLEAR


# --- The beat ------------------------------------------------------------------------------------


def test_with_nothing_to_do_it_asks_once_and_by_the_index(slot: Slot) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert look(1) == []
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        assert "arrival_to_look_at" in str(cursor.fetchall())


def test_a_worker_that_dies_in_the_middle_leaves_all_as_it_was(
    slot: Slot, sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor.says_free(0, N)

    def dies(**_asked: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("payments.mail.owe", dies)
        with pytest.raises(KeyboardInterrupt):
            look(N)
    assert (fresh(slot).state, outcome(slot)) == (SlotState.CONFIRMED, ArrivalOutcome.WAITING)
    assert look(N) == [0]
    assert look(N + 1) == []
    assert Light.objects.get().desired_light == "off"


def test_one_bookings_trouble_does_not_keep_the_others_waiting(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spot = cast.a_spot(zone, "K-0")
    bad, busy, good = (
        ArrivalWatch.objects.create(
            booking=cast.a_hold(spot, cast.at(60 * hour)).booking,
            release_after_min=N,
            look_at=cast.at(hour),
        ).booking_id
        for hour in range(3)
    )
    seen = []

    def look_at(*, booking_id: int, now: datetime) -> None:
        seen.append(booking_id)
        if booking_id == bad:
            raise ValueError("broken row")
        if booking_id == busy:
            raise refusals.Busy

    monkeypatch.setattr(no_shows, "look", look_at)
    assert tasks.release_no_shows() == 0
    assert seen == [bad, busy, good], "each once"
    assert f"booking {bad}: not decided" in caplog.text
    assert f"booking {busy}" not in caplog.text


# --- Stays that were changed ---------------------------------------------------------------------


def change(slot: Slot, minutes: float, **wanted: Any) -> None:
    with transaction.atomic():
        wish = changes.propose(
            booking_id=slot.booking_id, now=cast.at(minutes), locked=True, **wanted
        )
        changes.make(change=wish, now=cast.at(minutes), actor="citizen")


def test_a_stay_that_was_moved_to_earlier_waits_from_its_new_start(sensor: Sensor) -> None:
    [late] = cast.a_stay(sensor.spot, 180, start=120)
    change(late, 1, start=cast.at(10), end=cast.at(70))
    sensor.says_free(0, 17)
    look(1)
    look(17.5)
    assert Mail.objects.filter(kind=MailKind.NOBODY_YET).count() == 1
    sensor.says_free(18, 25)
    assert look(25) == [0]


def test_a_stay_that_was_moved_to_later_waits_until_then(slot: Slot, sensor: Sensor) -> None:
    change(slot, -1, start=cast.at(30), end=cast.at(90))
    sensor.says_free(0, 44)
    assert [look(minutes) for minutes in (N, 38, 44)] == [[], [], []]
    sensor.says(False, 45)
    assert look(45) == [0]


def test_a_stay_that_was_moved_to_another_spot_is_kept_by_its_sensor(
    slot: Slot, sensor: Sensor, zone: Zone
) -> None:
    blind = cast.a_spot(zone, "K-2", metres_east=6)
    change(slot, -1, spot_id=blind.pk)
    stay = [Slot.objects.latest("id")]
    assert no_show.outlook(booking_id=slot.booking_id, slots=stay, now=cast.at(1)) is None
    sensor.says_free(0, 20)
    assert look(20) == []
    assert outcome(slot) == ArrivalOutcome.UNCLEAR
    assert fresh(stay[0]).state == SlotState.CONFIRMED
