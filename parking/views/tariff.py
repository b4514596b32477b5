"""A zone's prices in words, as a page that can be printed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from parking import tariff_words, terms
from parking.models import Zone


@require_safe
def tariff(request: HttpRequest, code: str) -> HttpResponse:
    """Show the prices in force and the rules of staying in a zone."""
    zone = get_object_or_404(
        Zone.objects.select_related("stay_rules"),
        code=code,
        is_active=True,
        stay_rules__isnull=False,
    )
    now = timezone.now()
    current = terms.tariff_in_force(zone_id=zone.pk, at=now)
    context: dict[str, Any] = {
        "zone": zone,
        "tariff": current,
        "stay": tariff_words.stay(zone.stay_rules),
    }
    if current is not None:
        context |= {
            "bands": tariff_words.bands(current),
            "ladder": tariff_words.ladder(current),
            "notes": tariff_words.notes(current),
            "holidays": tariff_words.holidays(current, since=timezone.localdate(now)),
        }
    return render(request, "parking/tariff.html", context)
