"""What people of the desk do to meters: each with who and why, kept for ever.

A reboot is not among them: the protocol carries states, not events. Lost, repeated or late, a plan
does no harm; a reboot would, so it belongs to the vendor's own tool at the pole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Func, Q, QuerySet

from parking import lights, meter_keys
from parking.lights import commands, plan_of
from parking.meter_protocol import Entry, Show, plan_as_json
from parking.models import Closure, DeedKind, Maintenance, Meter, MeterDeed, Slot, Spot

# Never green: green means that somebody has paid, also for ten seconds.
LAMP_TEST = (Show("red", "steady"), Show("amber", "steady"))
EACH_SHOWN_FOR = timedelta(seconds=5)
LONGEST_MAINTENANCE = timedelta(days=7)
PLANNED_AHEAD = timedelta(days=365)


class NewKey(NamedTuple):
    """A key that was made just now. Its secret is shown once."""

    serial: str
    key_id: str
    secret: str  # hexadecimal


class Tested(NamedTuple):
    """What became of a lamp test."""

    meter_ids: list[int]  # were given a plan with the test in it
    lamps: int
    left: int  # lamps that have something to say meanwhile


def test_lamps(*, meter_ids: Collection[int], why: str, by: User, now: datetime) -> Tested:
    """Let each lamp show what it can for ten seconds, as entries of the meter's plan.

    They end by the meter's own clock. A lamp that shows anything for a stay or a closure
    meanwhile is left alone; a booking that is made meanwhile brings a plan without the test.
    """
    tested, lamps, left = [], 0, 0
    with transaction.atomic():
        for meter in _locked(meter_ids).filter(is_active=True, plan_until__isnull=False):
            plan = plan_of(meter)
            end = now + EACH_SHOWN_FOR * len(LAMP_TEST)
            numbers = Spot.objects.filter(meter=meter, position__isnull=False).values_list(
                "position", flat=True
            )
            free = [
                lamp
                for lamp in sorted(number for number in numbers if number is not None)
                if not any(one.start < end and one.end > now for one in plan.get(lamp, ()))
            ]
            lamps, left = lamps + len(free), left + len(numbers) - len(free)
            if not free:
                continue
            for lamp in free:
                plan[lamp] = sorted([*plan.get(lamp, ()), *_test(now)])
            meter.plan = {"spots": plan_as_json(plan)}
            meter.plan_revision += 1
            commands.write(meter=meter, now=now)
            meter.save(update_fields=["plan", "plan_revision", "resend_after"])
            tested.append(meter)
        _note(tested, kind=DeedKind.LAMP_TEST, why=why, by=by, now=now, until=None)
    return Tested([meter.pk for meter in tested], lamps, left)


def rotate_keys(*, meter_ids: Collection[int], why: str, by: User, now: datetime) -> list[NewKey]:
    """Give each meter a new key; the one before stays valid until the next rotation."""
    made = []
    with transaction.atomic():
        meters = list(_locked(meter_ids))
        for meter in meters:
            key = meter_keys.key_from_row(meter_keys.rotate(meter_id=meter.pk, now=now))
            made.append(NewKey(meter.serial, key.key_id, key.secret.hex()))
        _note(meters, kind=DeedKind.KEY, why=why, by=by, now=now, until=None)
    return made


def begin_maintenance(
    *,
    meter_ids: Collection[int],
    until: datetime,
    why: str,
    by: User,
    now: datetime,
    start: datetime | None = None,
    closes: bool = False,
) -> list[int]:
    """Let the meters' commands rest, and their alarms, until then; return the meters' ids.

    From `start`, or at once. With `closes` nobody can book their spots in that time; what is
    booked stays booked. It takes the place of what was planned in that time.

    Raises:
        django.db.IntegrityError: somebody else plans for the same meters at this moment.
    """
    begins = max(start or now, now)
    period = DateTimeTZRange(begins, until)
    with transaction.atomic():
        meters = list(_locked(meter_ids).filter(is_active=True))
        ids = [meter.pk for meter in meters]
        _end(_planned(ids).filter(period__overlap=period), now=now)
        made = Maintenance.objects.bulk_create(
            Maintenance(meter=meter, period=period, why=why) for meter in meters
        )
        if closes:
            _close_spots([one.pk for one in made])
        kind = DeedKind.PLANNED if begins > now else DeedKind.MAINTENANCE
        _note(meters, kind=kind, why=why, by=by, now=now, until=until)
        _begin(meters, now=now)
        lights.replan(meter_ids=ids, now=now)
    return ids


def begin_due(*, now: datetime) -> int:
    """Let the meters rest whose planned maintenance begins; return how many they are.

    The lease of who sends is held until the end of the window, so that every sender keeps away. A
    meter that calls for its plan is given it: whoever works at it will want that.
    """
    waiting = set(_due(now).values_list("meter_id", flat=True))
    if not waiting:
        return 0
    with transaction.atomic():
        return _begin(list(_locked(waiting)), now=now)


def end_maintenance(*, meter_ids: Collection[int], why: str, by: User, now: datetime) -> list[int]:
    """End the meters' maintenance before its time, and call off what is planned; return their ids.

    Spots that were closed for it can be booked again.
    """
    with transaction.atomic():
        meters = list(_locked(meter_ids))
        planned = _planned(meter.pk for meter in meters).filter(period__endswith__gt=now)
        waiting = set(planned.values_list("meter_id", flat=True))
        _end(planned, now=now)
        resting = [one for one in meters if one.maintenance_until and one.maintenance_until > now]
        Meter.objects.filter(pk__in=[meter.pk for meter in resting]).update(
            maintenance_until=None, busy_until=None
        )
        _note(resting, kind=DeedKind.BACK, why=why, by=by, now=now, until=None)
        off = [one for one in meters if one.pk in waiting and one not in resting]
        _note(off, kind=DeedKind.CALLED_OFF, why=why, by=by, now=now, until=None)
        touched = [meter.pk for meter in [*resting, *off]]
        lights.replan(meter_ids=touched, now=now)
    return sorted(touched)


def booked_meanwhile(
    *, meter_ids: Collection[int], start: datetime, until: datetime
) -> QuerySet[Slot]:
    """Return what is booked at the meters in that time, by its beginning."""
    return (
        Slot.objects.live()
        .filter(spot__meter__in=meter_ids, period__overlap=DateTimeTZRange(start, until))
        .order_by("period")
    )


def in_maintenance(now: datetime, meter: str = "") -> Q:
    """Ask for meters at which somebody works; `meter` leads to them, such as `"spot__meter__"`."""
    return Q(**{f"{meter}maintenance_until__gt": now})


def watched(meters: QuerySet[Meter], *, now: datetime) -> QuerySet[Meter]:
    """Keep the meters about which there may be alarms."""
    return meters.exclude(in_maintenance(now))


# What is closed already stays as it is: a spot is closed once at a time.
_CLOSE = """
INSERT INTO parking_closure (zone_id, spot_id, street, period, kind, reason, maintenance_id)
SELECT spot.zone_id, spot.id, '', open.period, 'works', planned.why, planned.id
FROM parking_maintenance planned
JOIN parking_spot spot ON spot.meter_id = planned.meter_id
CROSS JOIN LATERAL unnest(
  tstzmultirange(planned.period) - coalesce((
    SELECT range_agg(closure.period) FROM parking_closure closure
    WHERE closure.spot_id = spot.id AND closure.longest_stay_min IS NULL
  ), '{}')
) AS open(period)
WHERE planned.id = ANY(%s)
"""


def _close_spots(maintenance_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [maintenance_ids])


def _planned(meter_ids: Iterable[int]) -> QuerySet[Maintenance]:
    return Maintenance.objects.filter(meter__in=list(meter_ids), is_off=False)


def _due(now: datetime) -> QuerySet[Maintenance]:
    return Maintenance.objects.filter(has_begun=False, is_off=False, period__startswith__lte=now)


def _begin(locked: Sequence[Meter], *, now: datetime) -> int:
    due = _due(now).filter(meter__in=locked)
    ends = dict(due.filter(period__endswith__gt=now).values_list("meter_id", "period__endswith"))
    begun = [meter for meter in locked if meter.pk in ends]
    for meter in begun:
        meter.maintenance_until = meter.busy_until = ends[meter.pk]
    Meter.objects.bulk_update(begun, ["maintenance_until", "busy_until"])
    due.update(has_begun=True)
    return len(begun)


def _end(planned: QuerySet[Maintenance], *, now: datetime) -> None:
    """End what runs, call off what is to come, and lift what was closed for either."""
    ids = list(planned.values_list("pk", flat=True))
    closed = Closure.objects.filter(maintenance__in=ids)
    closed.filter(period__startswith__gte=now).delete()
    until_now = Func(F("period__startswith"), now, function="tstzrange")
    closed.filter(period__endswith__gt=now).update(period=until_now)
    rows = Maintenance.objects.filter(pk__in=ids)
    rows.filter(period__startswith__gte=now).update(is_off=True)
    rows.filter(period__contains=now, is_off=False).update(period=until_now)


def _test(now: datetime) -> list[Entry]:
    return [
        Entry(now + number * EACH_SHOWN_FOR, now + (number + 1) * EACH_SHOWN_FOR, show)
        for number, show in enumerate(LAMP_TEST)
    ]


def _locked(meter_ids: Collection[int]) -> QuerySet[Meter]:
    """Lock the meters in the order of their ids, as everywhere that several are locked at once."""
    return Meter.objects.select_for_update(no_key=True).filter(pk__in=meter_ids).order_by("pk")


def _note(
    meters: Iterable[Meter],
    *,
    kind: DeedKind,
    why: str,
    by: User,
    now: datetime,
    until: datetime | None,
) -> None:
    MeterDeed.objects.bulk_create(
        MeterDeed(meter=meter, kind=kind, at=now, until=until, why=why, by=by) for meter in meters
    )
