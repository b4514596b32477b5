"""What the meters say of themselves. It never changes what their lights should show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from parking import prepared
from parking.arrivals import TIMELY, UNBROKEN
from parking.lights import commands
from parking.meter_messages import Event, State
from parking.models import Light, Meter, MeterEvent

PAST_BOOTS = 8  # remembered, so that a late message of one is not taken for a new boot


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What became of a state message."""

    is_news: bool  # False: not newer than what this boot has said already
    plan_revision: int  # the one that the meter should have
    should_send: bool  # a command waits for this meter


# By hand, and all lamps of a meter in one statement: heartbeats are the busiest writer of the site.
_REPORT = """
UPDATE parking_light light
SET reported_light = said.light, reported_pattern = said.pattern, reported_at = %(now)s,
    occupied = said.occupied,
    free_since = CASE
        WHEN said.occupied IS DISTINCT FROM false OR NOT %(timely)s THEN NULL
        WHEN light.reported_at >= %(unbroken_since)s AND NOT %(rebooted)s
          THEN coalesce(light.free_since, %(now)s)
        ELSE %(now)s END,
    occupied_at = CASE WHEN said.occupied THEN %(now)s ELSE light.occupied_at END,
    occupied_since = CASE WHEN said.occupied THEN coalesce(light.occupied_since, %(now)s) END,
    converged_at = CASE WHEN said.light = light.desired_light
                             AND said.pattern = light.desired_pattern
                        THEN coalesce(light.converged_at, %(now)s) END,
    differs_since = CASE WHEN said.light <> light.desired_light
                              OR said.pattern <> light.desired_pattern
                         THEN coalesce(light.differs_since, %(now)s) END,
    fault = CASE WHEN said.light = light.desired_light AND said.pattern = light.desired_pattern
                 THEN '' ELSE light.fault END
FROM parking_light before, parking_spot spot
JOIN unnest(%(lamps)s::int[], %(lights)s::text[], %(patterns)s::text[], %(occupied)s::bool[])
  AS said(lamp, light, pattern, occupied) ON said.lamp = spot.position
WHERE spot.meter_id = %(meter)s AND light.spot_id = spot.id AND before.spot_id = spot.id
RETURNING light.occupied IS DISTINCT FROM before.occupied
"""


# In the order of the model, as `from_db` wants them.
_KNOWN = (
    *("id", "serial", "edge_url", "is_active", "plan_revision", "look_at", "resend_after"),
    *("resends", "boot_id", "past_boots", "state_seq"),
)
_LOCK = f"""
SELECT {", ".join(_KNOWN)} FROM parking_meter WHERE id = %(meter)s FOR NO KEY UPDATE
"""  # noqa: S608 (names of columns)
_HEARD = """
UPDATE parking_meter
SET boot_id = %(boot_id)s, past_boots = %(past_boots)s::text[], state_seq = %(seq)s,
    reported_revision = %(revision)s, last_seen_at = %(now)s, firmware = %(firmware)s,
    battery_pct = %(battery_pct)s::int, clock_offset_ms = %(clock_offset_ms)s,
    faults = %(faults)s::text[], resend_after = %(resend_after)s::timestamptz,
    resends = %(resends)s, look_at = %(look_at)s::timestamptz
WHERE id = %(meter)s
RETURNING id
"""


def take_state(*, meter_id: int, state: State, skew_ms: int, now: datetime) -> Heard:
    """Store a meter's report of itself, unless a later one is stored already.

    A sequence number never goes back within a boot, and a boot never comes back.
    `skew_ms` is how far its clock is off by our own.
    """
    with transaction.atomic():
        row = prepared.fetch_one(_LOCK, {"meter": meter_id})
        if row is None:
            raise Meter.DoesNotExist
        meter = Meter.from_db(None, _KNOWN, row)
        if state.boot_id in meter.past_boots or (
            state.boot_id == meter.boot_id and state.seq <= meter.state_seq
        ):
            return Heard(is_news=False, plan_revision=meter.plan_revision, should_send=False)
        rebooted = state.boot_id != meter.boot_id
        if rebooted and meter.boot_id:
            meter.past_boots = [*meter.past_boots, meter.boot_id][-PAST_BOOTS:]
        if _report(meter_id, state, rebooted=rebooted, now=now):
            meter.look_at = now  # a car that came or left may change what its lamp should show
        should_send = False
        if state.revision < meter.plan_revision:
            # It can be heard, so it can be reached: neither back-off nor rest holds this up.
            if commands.open_of([meter]):
                should_send = commands.hurry(meter=meter, rebooted=rebooted, now=now)
            else:
                should_send = commands.write(meter=meter, now=now) is not None
        elif meter.resends and not _differs(meter):
            meter.resends = 0
        prepared.fetch_one(
            _HEARD,
            {
                "meter": meter_id,
                "now": now,
                "boot_id": state.boot_id,
                "past_boots": meter.past_boots,
                "seq": state.seq,
                "revision": state.revision,
                "firmware": state.firmware,
                "battery_pct": state.battery_pct,
                # A meter may know better than its timestamps, or not know at all: the worse one
                # counts.
                "clock_offset_ms": max(skew_ms, state.clock_offset_ms, key=abs),
                "faults": state.faults,
                "resend_after": meter.resend_after,
                "resends": meter.resends,
                "look_at": meter.look_at,
            },
        )
        return Heard(
            is_news=True,
            plan_revision=meter.plan_revision,
            should_send=should_send and bool(meter.edge_url),
        )


def take_events(*, meter_id: int, events: list[Event], now: datetime) -> int:
    """Keep a batch of events, each once; return how many were new."""
    known = set(
        MeterEvent.objects.filter(
            meter_id=meter_id, event_id__in=[event.event_id for event in events]
        ).values_list("event_id", flat=True)
    )
    fresh = {event.event_id: event for event in events if event.event_id not in known}
    MeterEvent.objects.bulk_create(
        (
            MeterEvent(
                meter_id=meter_id,
                event_id=event.event_id,
                kind=event.kind,
                at=event.at,
                received_at=now,
                spot=event.spot,
                data=event.data,
            )
            for event in fresh.values()
        ),
        ignore_conflicts=True,  # the same batch may be on its way twice
    )
    return len(fresh)


def _report(meter_id: int, state: State, *, rebooted: bool, now: datetime) -> bool:
    """Store what the lamps and sensors say; return whether a sensor says something new."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REPORT,
            {
                "now": now,
                "unbroken_since": now - UNBROKEN,
                "timely": abs(now - state.at) <= TIMELY,
                "rebooted": rebooted,
                "meter": meter_id,
                "lamps": [lamp.lamp for lamp in state.lamps],
                "lights": [lamp.show.light for lamp in state.lamps],
                "patterns": [lamp.show.pattern for lamp in state.lamps],
                "occupied": [lamp.occupied for lamp in state.lamps],
            },
        )
        return any(changed for (changed,) in cursor.fetchall())


def _differs(meter: Meter) -> bool:
    return Light.objects.filter(spot__meter=meter).differing().exists()
