"""One row of every noun of the desk in a zone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from parking.models import (
    ArrivalWatch,
    Closure,
    DemandRule,
    Forgetting,
    LateLight,
    Maintenance,
    SeenAlarm,
    SpotReport,
    Street,
    Zone,
)
from parking.what_if import runs
from payments.models import LedgerEntry, LedgerLine, MoneyException, Payment, Refund
from tests import cast


def rows_of(zone: Zone, *, serial: str) -> dict[str, Any]:
    """Make a row of every noun in the zone; return their keys by URL name."""
    now = timezone.now()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    meter = cast.a_meter(zone, serial)
    spot = cast.a_spot(zone, f"{serial}-1", meter=meter, position=1)
    slot = cast.a_hold(spot, start, now=now)
    payment = Payment.objects.create(
        slot=slot,
        amount=slot.amount,
        currency=slot.currency,
        idempotency_key=f"pay-{slot.pk}",
        expires_at=now,
        created_at=now,
        next_check_at=now,
    )
    refund = Refund.objects.create(
        payment=payment,
        amount=1,
        reason="operator",
        actor="clock",
        idempotency_key=f"back-{slot.pk}",
        created_at=now,
        next_check_at=now,
    )
    with transaction.atomic():
        entry = LedgerEntry.objects.create(
            key=f"test:{slot.pk}",
            kind="adjustment",
            zone=zone,
            actor="clock",
            occurred_at=now,
            posted_at=now,
            business_on=now.date(),
        )
        for position, amount in enumerate((100, -100), start=1):
            LedgerLine.objects.create(
                entry=entry, position=position, account="suspense", amount=amount, currency="EUR"
            )
    watched = ArrivalWatch.objects.create(booking=slot.booking, release_after_min=15, look_at=start)
    exception = MoneyException.objects.create(
        kind="orphan",
        key=f"test:{slot.pk}",
        payment=payment,
        detail="late",
        opened_at=now,
        concerns_on=now.date(),
    )
    closure = Closure.objects.create(
        zone=zone,
        period=DateTimeTZRange(now + timedelta(days=1), now + timedelta(days=2)),
        reason=f"market in {zone.code}",
    )
    tariff = zone.tariffs.get()
    simulation = runs.ask(
        version=tariff,
        start_on=now.date(),
        end_on=now.date() + timedelta(days=1),
        by=None,
        now=now,
    )
    rule = DemandRule.objects.create(zone=zone, step_amount=25, floor=50, ceiling=900)
    forgetting = Forgetting.objects.create(
        at=now, reason="term", zone=zone, plate_days=zone.plate_days, plates=3
    )
    report = SpotReport.objects.create(
        booking=slot.booking, spot=spot, reported_at=now, outcome="told"
    )
    maintenance = Maintenance.objects.create(
        meter=meter,
        period=DateTimeTZRange(now + timedelta(days=3), now + timedelta(days=4)),
        why="pole",
    )
    late = LateLight.objects.create(
        booking=slot.booking, spot=spot, noticed_at=now, offered_until=now + timedelta(hours=1)
    )
    seen = SeenAlarm.objects.create(
        meter=meter, kind="silent", at=now, stood_at=now, why="called", by=cast.a_person(serial)
    )
    return {
        "parking_zone": zone.pk,
        "parking_spot": spot.pk,
        "parking_meter": meter.pk,
        "parking_closure": closure.pk,
        "parking_tariffversion": tariff.pk,
        "parking_tariffsimulation": simulation.pk,
        "parking_demandrule": rule.pk,
        "parking_booking": slot.booking_id,
        "parking_spotreport": report.pk,
        "parking_arrivalwatch": watched.pk,
        "parking_forgetting": forgetting.pk,
        "parking_maintenance": maintenance.pk,
        "parking_latelight": late.pk,
        "parking_seenalarm": seen.pk,
        "payments_payment": payment.pk,
        "payments_refund": refund.pk,
        "payments_ledgerentry": entry.pk,
        "payments_moneyexception": exception.pk,
    }


def a_street() -> Street:
    """Make a street."""
    from django.contrib.gis.geos import LineString, MultiLineString

    line = LineString((24.93, 60.16), (24.94, 60.17))
    return Street.objects.create(name="Fredrikinkatu", geometry=MultiLineString(line))
