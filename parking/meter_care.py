"""What people of the desk do to meters: each with who and why, kept for ever.

A reboot is not among them: the protocol carries states, not events. Lost, repeated or late, a plan
does no harm; a reboot would, so it belongs to the vendor's own tool at the pole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from parking import meter_keys
from parking.lights import commands, plan_of
from parking.meter_protocol import Entry, Show, plan_as_json
from parking.models import DeedKind, Meter, MeterDeed, Spot

# Never green: green means that somebody has paid, also for ten seconds.
LAMP_TEST = (Show("red", "steady"), Show("amber", "steady"))
EACH_SHOWN_FOR = timedelta(seconds=5)
LONGEST_MAINTENANCE = timedelta(days=7)


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
    *, meter_ids: Collection[int], until: datetime, why: str, by: User, now: datetime
) -> list[int]:
    """Let the meters' commands rest, and their alarms, until then; return the meters' ids.

    The lease of who sends is held until the end of the window, so that every sender keeps away. A
    meter that calls for its plan is given it: whoever works at it will want that.
    """
    with transaction.atomic():
        meters = list(_locked(meter_ids).filter(is_active=True))
        Meter.objects.filter(pk__in=[meter.pk for meter in meters]).update(
            maintenance_until=until, busy_until=until
        )
        _note(meters, kind=DeedKind.MAINTENANCE, why=why, by=by, now=now, until=until)
    return [meter.pk for meter in meters]


def end_maintenance(*, meter_ids: Collection[int], why: str, by: User, now: datetime) -> list[int]:
    """End the meters' maintenance before its time; return the ids of those that had one."""
    with transaction.atomic():
        meters = list(_locked(meter_ids).filter(maintenance_until__gt=now))
        Meter.objects.filter(pk__in=[meter.pk for meter in meters]).update(
            maintenance_until=None, busy_until=None
        )
        _note(meters, kind=DeedKind.BACK, why=why, by=by, now=now, until=None)
    return [meter.pk for meter in meters]


def in_maintenance(now: datetime, meter: str = "") -> Q:
    """Ask for meters at which somebody works; `meter` leads to them, such as `"spot__meter__"`."""
    return Q(**{f"{meter}maintenance_until__gt": now})


def watched(meters: QuerySet[Meter], *, now: datetime) -> QuerySet[Meter]:
    """Keep the meters about which there may be alarms."""
    return meters.exclude(in_maintenance(now))


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
