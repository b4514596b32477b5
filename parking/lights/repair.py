"""Compare what lights should show with what was reported, and send again what differs."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from parking.lights import commands
from parking.models import Light, Meter, MeterCommand
from parking.models.meter import OPEN_COMMAND_STATES

PATIENCE = timedelta(seconds=30)  # a lamp that changes by its own clock reports it by then
LONGEST_REST = timedelta(minutes=15)


def send_again(*, meter_id: int, now: datetime) -> MeterCommand | None:
    """Write a command with the plan that the meter should have; None if it is out of use."""
    with transaction.atomic():
        meter = Meter.objects.select_for_update(no_key=True).get(id=meter_id)
        if meter.plan_until is None:  # its first plan is yet to be made
            return None
        command = commands.write(meter=meter, now=now)
        meter.save(update_fields=["resend_after"])
    return command


def reconcile(*, now: datetime, limit: int = 500) -> list[int]:
    """Write a command for each meter that differs and has none open; return the meters' ids.

    A meter that stays different in spite of a plan that it has (a stuck lamp) is asked less and
    less often. One that knows a later plan than we do (our database was restored) gets a revision
    above its own.
    """
    differing = Light.objects.differing().filter(
        spot__meter=OuterRef("pk"), desired_at__lte=now - PATIENCE
    )
    waiting = MeterCommand.objects.filter(meter=OuterRef("pk"), state__in=OPEN_COMMAND_STATES)
    with transaction.atomic():
        meters = list(
            Meter.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(
                Q(resend_after__isnull=True) | Q(resend_after__lte=now),
                ~Q(reported_revision=F("plan_revision")) | Exists(differing),
                ~Exists(waiting),
                is_active=True,
                plan_until__isnull=False,
            )
            .order_by(F("resend_after").asc(nulls_first=True), "id")[:limit]
        )
        written_meanwhile = commands.open_of(meters)
        meters = [meter for meter in meters if meter.id not in written_meanwhile]
        for meter in meters:
            if meter.reported_revision > meter.plan_revision:
                meter.plan_revision = meter.reported_revision + 1
        commands.write_all(meters, now=now)
        for meter in meters:
            meter.resend_after = now + min(PATIENCE * 2**meter.resends, LONGEST_REST)
            meter.resends = min(meter.resends + 1, 10)
        Meter.objects.bulk_update(meters, ["plan_revision", "resend_after", "resends"])
    return [meter.id for meter in meters]
