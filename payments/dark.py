"""Lights that did not turn green in time: each citizen is written to once, and may choose."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from parking import late_lights
from parking.models import Slot
from payments import mail
from payments.models import Mail


def notice(*, now: datetime) -> int:
    """Note late lights and owe each citizen the letter that offers a choice; return how many."""
    with transaction.atomic():
        offers = {mail.choice_key(late.pk): late for late in late_lights.notice(now=now)}
        told = set(Mail.objects.filter(key__in=offers).values_list("key", flat=True))
        fresh = {key: late for key, late in offers.items() if key not in told}
        slots = {
            (slot.booking_id, slot.spot_id): slot
            for slot in Slot.objects.confirmed().filter(
                booking__in=[late.booking_id for late in fresh.values()], period__contains=now
            )
        }
        owed = 0
        for late in fresh.values():
            if slot := slots.get((late.booking_id, late.spot_id)):
                mail.owe_choice(late=late, slot=slot, now=now)
                owed += 1
    return owed
