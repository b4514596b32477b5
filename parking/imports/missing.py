"""Spots that are in the city, and no longer in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.formatting import number
from parking.imports.report import Kind, Report
from parking.imports.spots import Standing
from parking.imports.wishes import Wishes
from parking.models import Slot, Spot


def missing_spots(*, wishes: Wishes, standing: Mapping[str, Standing]) -> dict[str, Standing]:
    """Return the spots in use that the file does not name, not even in a row that was refused."""
    wanted = {spot.key for spot in wishes.spots} | wishes.doubtful
    return {
        key: spot
        for key, spot in standing.items()
        # a spot of a polygon has its place in the polygon behind the key of the row
        if spot.active and key not in wanted and key.rpartition(":")[0] not in wishes.doubtful
    }


def report_missing(*, gone: Mapping[str, Standing], now: datetime, report: Report) -> None:
    """Name the spots that are gone, each with its bookings ahead."""
    ahead = _bookings_ahead([spot.id for spot in gone.values()], now)
    for key, spot in gone.items():
        text = _("is no longer in the file")
        if booked := ahead[spot.id]:
            text = ngettext(
                "is no longer in the file; %(n)s booking ahead",
                "is no longer in the file; %(n)s bookings ahead",
                booked,
            ) % {"n": number(booked)}
        report.say(Kind.MISSING, None, f"{spot.zone} {spot.number} ({key})", text)


def doubt_of(wishes: Wishes) -> str:
    """Say why the file does not prove that spots are gone; nothing where it does."""
    if wishes.keyless:
        return _(
            "rows without a readable key were refused; "
            "nothing was retired, as they may be these spots"
        )
    if not wishes.spots:
        return _("the file has no usable row; nothing was retired, as it may be cut short")
    return ""


def retire(*, gone: Mapping[str, Standing], now: datetime, report: Report) -> set[int]:
    """Take spots out of use; their bookings stay. Return the meters that light them."""
    ids = [spot.id for spot in gone.values()]
    report.retired = Spot.objects.filter(id__in=ids).update(is_active=False, updated_at=now)
    return {spot.meter_id for spot in gone.values() if spot.meter_id is not None}


def _bookings_ahead(spot_ids: Iterable[int], now: datetime) -> Counter[int]:
    live = Slot.objects.live().filter(spot_id__in=spot_ids, period__endswith__gt=now)
    return Counter(live.values_list("spot_id", flat=True))
