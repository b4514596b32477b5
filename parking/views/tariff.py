"""A zone's prices in words and as a picture, on a page that prints to one sheet."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parking import stay_times, tariff_words, terms
from parking.models import TariffState, TariffVersion, Zone
from parking.week_picture import picture


@require_safe
def tariff(request: HttpRequest, code: str) -> HttpResponse:
    """Show the prices and the rules of staying in a zone, now or as they are `?at=` a day."""
    zone = get_object_or_404(
        Zone.objects.select_related("stay_rules"),
        code=code,
        is_active=True,
        stay_rules__isnull=False,
    )
    moment, error = timezone.now(), ""
    asked = request.GET.get("at", "").strip()
    if asked:
        try:
            moment = _moment(asked)
        except ValueError as reason:
            error = str(reason)
    context: dict[str, Any] = {
        "zone": zone,
        "error": error,
        "asked_for": moment if asked and not error else None,
        "stay": tariff_words.stay(zone.stay_rules),
        **_prices(zone, moment),
    }
    return render(request, "parking/tariff.html", context, status=400 if error else 200)


def _prices(zone: Zone, moment: datetime) -> dict[str, Any]:
    """Return the version that holds at the moment, all that it says, and the one after it."""
    versions = list(
        TariffVersion.objects.filter(
            zone=zone,
            state=TariffState.APPROVED,
            in_force__overlap=DateTimeTZRange(moment, None),
        )
        .order_by("in_force")
        .defer("document")[:2]
    )
    current = versions.pop(0) if versions and moment in versions[0].in_force else None
    after = versions[0] if versions else None
    found: dict[str, Any] = {"version": current, "next": after}
    if after is not None:
        found["next_query"] = urlencode({"at": _written(after.in_force.lower)})
    if current is not None:
        priced_by = terms.tariff_of(current.pk, current.sha256)
        found |= {
            "tariff": priced_by,
            "bands": tariff_words.bands(priced_by),
            "ladder": tariff_words.ladder(priced_by),
            "notes": tariff_words.notes(priced_by),
            "holidays": tariff_words.holidays(priced_by, since=timezone.localdate(moment)),
            "picture": picture(priced_by) if priced_by.bands else None,
        }
    return found


def _moment(text: str) -> datetime:
    """Read a local day, which means its first moment, or a local moment.

    Raises:
        ValueError: for people; it is neither, or the clocks jump over it.
    """
    try:
        local = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            local = None
    if local is None or local.tzinfo is not None or not 2000 <= local.year < 2200:
        raise ValueError(
            _("“%(text)s” is no date. Write it as year-month-day, such as 2027-01-01.")
            % {"text": text[:40]}
        )
    return stay_times.start_of(on=local.date(), at=local.time())


def _written(moment: datetime) -> str:
    """Write a moment as `_moment` reads it, in short where it is the begin of a day."""
    local = timezone.localtime(moment)
    return f"{local:%Y-%m-%d}" if local.time() == time() else f"{local:%Y-%m-%dT%H:%M}"
