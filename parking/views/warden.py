"""The warden's page: a zone's spots now, and the stays of a plate."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import enforcement
from parking.formatting import number
from parking.plate_forms import PlateForm, read_plate
from parking.throttling import PlateSearchThrottle, wait_for


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("parking.view_slot", raise_exception=True)
@never_cache
def warden(request: HttpRequest) -> HttpResponse:
    """Show who stands in a zone by right; a plate is searched by POST, so it is in no address."""
    zones = enforcement.zones_of(request.user)
    now = timezone.now()
    context: dict[str, Any] = {"zones": list(zones), "now": now}
    code = request.GET.get("zone", "")
    zone = next((zone for zone in context["zones"] if zone.code == code), None)
    if code and zone is None:
        context["notice"] = _("There is no zone “%(code)s” that you look after.") % {"code": code}
        return render(request, "parking/warden.html", context, status=404)
    status = 200
    form = PlateForm()
    if request.method == "POST":
        form = PlateForm(request.POST)
        if seconds := wait_for(PlateSearchThrottle(), request):
            text = ngettext(
                "Please wait %(n)s second before the next search.",
                "Please wait %(n)s seconds before the next search.",
                seconds,
            )
            context["notice"] = text % {"n": number(seconds)}
            status = 429
        elif form.is_valid():
            typed = form.cleaned_data["plate"]
            context["plate"] = read_plate(typed)
            context["stays"] = enforcement.stays_of_plate(plate=typed, zones=zones, now=now)
        else:
            status = 400
    if zone is not None:
        spots = enforcement.spots_now(zone=zone, now=now)
        context |= {
            "zone": zone,
            "spots": spots,
            "is_charging": enforcement.is_charging(zone=zone, now=now),
            "paid": sum(one.is_paid for one in spots),
        }
    return render(request, "parking/warden.html", context | {"form": form}, status=status)
