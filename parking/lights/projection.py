"""Keep the plans of the meters, and what each light should show, true to slots and closures."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction
from django.db.models import F, Q

from parking.lights import commands
from parking.lights.lamps import PLAN_AHEAD, lamps_of
from parking.lights.planning import plan
from parking.lights.table import city_table
from parking.meter_protocol import (
    Entry,
    from_now_on,
    next_change,
    parse_plan,
    plan_as_json,
    shown_at,
)
from parking.models import Meter, MeterCommand, Spot

# Whatever changes a plan without telling us (a spot moved to another meter, a closure written by
# hand in the database) is found within this time.
LOOK_EVERY = timedelta(minutes=5)
BATCH = 50  # meters in one transaction: their reports wait for it


def replan(*, meter_ids: Collection[int], now: datetime) -> list[MeterCommand]:
    """Compute the meters' plans; return the commands that carry those that changed.

    Call it in the transaction that changed a slot or closure; the meters are its last locks.
    """
    if not meter_ids:
        return []
    # Locked in the order of their ids, as everywhere that several are locked at once.
    meters = Meter.objects.select_for_update(no_key=True).filter(id__in=meter_ids)
    return _project(meters.order_by("id"), now)


def replan_spots(
    *, zone_id: int, spot_id: int | None, now: datetime, street: str = ""
) -> list[int]:
    """Replan the meters that a new, changed or lifted closure touches; return their ids.

    Without `spot_id` that is the street, without both the whole zone. Call it in the transaction
    that writes the closure.
    """
    spots = Spot.objects.filter(zone_id=zone_id, meter__isnull=False)
    if spot_id is not None:
        spots = spots.filter(id=spot_id)
    elif street:
        spots = spots.filter(street=street)
    ids = set(spots.values_list("meter_id", flat=True))
    known = sorted(meter_id for meter_id in ids if meter_id is not None)
    replan(meter_ids=known, now=now)
    return known


def look(*, now: datetime, limit: int = BATCH) -> int:
    """Bring the meters whose lamps change by the clock up to `now`; return how many they were.

    Also extends plans and finds what changed unnoticed. Meters that somebody else has locked are
    left for the next look.
    """
    due = Q(look_at__isnull=True) | Q(look_at__lte=now)
    with transaction.atomic():
        meters = list(
            Meter.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(due)
            .order_by(F("look_at").asc(nulls_first=True))[:limit]
        )
        _project(meters, now)
    return len(meters)


def plan_of(meter: Meter) -> dict[int, list[Entry]]:
    """Return the plan that is kept with the meter."""
    return parse_plan(meter.plan.get("spots", []))


# By hand: at the full hour these touch most lamps of the city, and the ORM's bulk update takes ten
# times as long, with the meters locked.
_RENEWED = """
UPDATE parking_meter meter
SET plan = renewed.plan, plan_revision = renewed.revision, resend_after = renewed.resend
FROM jsonb_to_recordset(%(meters)s::jsonb)
  AS renewed(id bigint, plan jsonb, revision bigint, resend timestamptz)
WHERE meter.id = renewed.id
"""
_LOOKED = """
UPDATE parking_meter meter SET plan_until = %(until)s, look_at = looked.look_at
FROM unnest(%(ids)s::bigint[], %(looks)s::timestamptz[]) AS looked(id, look_at)
WHERE meter.id = looked.id
"""
_DESIRED = """
INSERT INTO parking_light (spot_id, desired_light, desired_pattern, desired_at,
                           reported_light, reported_pattern, fault, differs_since)
SELECT shown.id, shown.light, shown.pattern, %(now)s, '', '', '', %(now)s
FROM unnest(%(ids)s::bigint[], %(lights)s::text[], %(patterns)s::text[])
  AS shown(id, light, pattern)
ON CONFLICT (spot_id) DO UPDATE
SET desired_light = excluded.desired_light, desired_pattern = excluded.desired_pattern,
    desired_at = excluded.desired_at,
    converged_at = CASE
        WHEN (parking_light.reported_light, parking_light.reported_pattern)
             = (excluded.desired_light, excluded.desired_pattern) THEN %(now)s END,
    differs_since = CASE
        WHEN (parking_light.reported_light, parking_light.reported_pattern)
             <> (excluded.desired_light, excluded.desired_pattern)
          THEN coalesce(parking_light.differs_since, %(now)s) END
WHERE (parking_light.desired_light, parking_light.desired_pattern)
      <> (excluded.desired_light, excluded.desired_pattern)
   OR parking_light.desired_at IS NULL
"""


def _project(locked: Iterable[Meter], now: datetime) -> list[MeterCommand]:
    """Replan meters that are locked; return the commands written."""
    meters = list(locked)
    table = city_table()
    lamps = lamps_of([meter.id for meter in meters], table=table, now=now)
    renewed: list[Meter] = []
    shows: dict[int, tuple[str, str]] = {}
    for meter in meters:
        mine = lamps[meter.id]
        new = plan(lamps=(item.lamp for item in mine), table=table, now=now)
        changed = meter.plan_until is None or from_now_on(plan_of(meter), now) != from_now_on(
            new, now
        )
        soon = now + LOOK_EVERY * random.uniform(0.8, 1.2)  # noqa: S311 (spreads the work)
        meter.look_at = min(next_change(new, now) or soon, soon)
        if changed:
            meter.plan = {"spots": plan_as_json(new)}
            meter.plan_revision += 1
            renewed.append(meter)
        shows |= {item.spot_id: shown_at(new[item.lamp.position], now) for item in mine}
    written = commands.write_all(renewed, now=now) if renewed else []
    with connection.cursor() as cursor:
        if renewed:
            cursor.execute(
                _RENEWED,
                {
                    "meters": orjson.dumps(
                        [
                            {
                                "id": meter.id,
                                "plan": meter.plan,
                                "revision": meter.plan_revision,
                                "resend": meter.resend_after,
                            }
                            for meter in renewed
                        ]
                    ).decode()
                },
            )
        cursor.execute(
            _LOOKED,
            {
                "until": now + PLAN_AHEAD,
                "ids": [meter.id for meter in meters],
                "looks": [meter.look_at for meter in meters],
            },
        )
        cursor.execute(
            _DESIRED,
            {
                "now": now,
                "ids": list(shows),
                "lights": [light for light, _pattern in shows.values()],
                "patterns": [pattern for _light, pattern in shows.values()],
            },
        )
    return written
