"""What needs an operator now: alarms of meters and lights, and addresses that do not answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from parking import formatting, seen_alarms
from parking.admin.scoping import own_zones, visible_zones
from parking.admin.spots import NONE
from parking.admin.tables import table, to_the_second, wrong
from parking.lights.alarms import Alarm, AlarmKind
from parking.models import Gateway, Meter
from parking.seen_alarms import Standing

if TYPE_CHECKING:
    from parking.admin.scoping import ZoneScopedAdmin as _Base
else:
    _Base = object

MOST_ROWS = 300  # on one page


class SeenForm(forms.Form):
    """Which alarms somebody has seen, and what is done about them."""

    alarm = forms.MultipleChoiceField(
        error_messages={"required": _("Choose the alarms that you have seen.")}
    )
    why = forms.CharField(
        label=_("What is done about them"),
        max_length=200,
        help_text=_("Such as “Technician called”. It stays on record."),
    )


class AlarmPages(_Base):
    """What the meter list and the start of the desk lead to."""

    def alarm_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        view = self.admin_site.admin_view
        return [
            path("alarms/", view(self.alarms), name="parking_meter_alarms"),
            path("gateways/", view(self.gateways), name="parking_meter_gateways"),
        ]

    def alarms(self, request: HttpRequest) -> HttpResponse:
        """List what is wrong, the worst first; note what somebody has seen, and what is done."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now, may_see = timezone.now(), self.has_change_permission(request)
        found = seen_alarms.standing(zones=visible_zones(request.user), now=now)
        fresh = [one.alarm for one in found if one.seen is None]
        form = SeenForm(request.POST or None)
        rows = _alarm_rows(fresh, now)
        form.fields["alarm"].choices = [(row["key"], "") for row in rows]  # type: ignore[attr-defined]
        if request.method == "POST":
            if not may_see:
                raise PermissionDenied
            if form.is_valid():
                return self._see(request, form.cleaned_data, now)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Alarms"),
            "form": form,
            "may_see": may_see,
            "count": len(fresh),
            "fresh": rows[:MOST_ROWS],
            "is_cut": len(rows) > MOST_ROWS,
            "seen": _seen_table(found, now),
        }
        return TemplateResponse(request, "admin/parking/meter/alarms.html", context)

    def gateways(self, request: HttpRequest) -> HttpResponse:
        """List the addresses at which meters are called, those in trouble first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        meters = Meter.objects.filter(zone__in=visible_zones(request.user), is_active=True)
        counts = dict(
            meters.exclude(edge_url="")
            .order_by("edge_url")
            .values_list("edge_url")
            .annotate(Count("pk"))
        )
        trouble = {row.edge_url: row for row in Gateway.objects.filter(edge_url__in=counts)}
        shown = sorted(counts, key=lambda url: (url not in trouble, url))[:MOST_ROWS]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Addresses of meters"),
            "trouble": len(trouble),
            "count": len(counts),
            "table": table(
                name=gettext("Addresses"),
                head=[
                    gettext("Address"),
                    gettext("Meters"),
                    gettext("Circuit breaker"),
                    gettext("Since"),
                    gettext("Failures in a row"),
                    gettext("Next try"),
                    gettext("Last error"),
                ],
                rows=[_gateway_row(url, counts[url], trouble.get(url), now) for url in shown],
            ),
        }
        return TemplateResponse(request, "admin/parking/meter/gateways.html", context)

    def _see(self, request: HttpRequest, said: dict[str, Any], now: datetime) -> HttpResponse:
        noted = seen_alarms.see(
            keys=said["alarm"],
            zones=own_zones(request.user),
            why=said["why"],
            by=request.user,  # type: ignore[arg-type]
            now=now,
        )
        told = ngettext("%(n)s alarm is seen.", "%(n)s alarms are seen.", len(noted))
        level = messages.SUCCESS if noted else messages.WARNING
        self.message_user(request, told % {"n": formatting.number(len(noted))}, level)
        return HttpResponseRedirect(reverse("admin:parking_meter_alarms"))


def _alarm_rows(alarms: Iterable[Alarm], now: datetime) -> list[dict[str, Any]]:
    """Lay the alarms out, one row for the same trouble of all lamps of a meter."""
    together: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        together[str(alarm.key)].append(alarm)
    return [
        {
            "key": key,
            "kind": same[0].kind.label,
            "meter": same[0].serial,
            "url": reverse("admin:parking_meter_change", args=[same[0].meter_id]),
            "spots": formatting.listed(one.spot_number for one in same if one.spot_number),
            "since": _since(min((one.since for one in same if one.since), default=None), now),
            "about": _about(same[0]),
        }
        for key, same in together.items()
    ]


def _since(moment: datetime | None, now: datetime) -> str:
    return timesince(moment, now, depth=1) if moment else NONE


def _about(alarm: Alarm) -> str:
    if alarm.amount is None:
        return alarm.word
    if alarm.kind == AlarmKind.CLOCK:
        seconds = formatting.number(round(alarm.amount / 1000))
        return gettext("%(seconds)s s off") % {"seconds": seconds}
    return gettext("%(percent)s %%") % {"percent": formatting.number(alarm.amount)}


def _seen_table(found: Iterable[Standing], now: datetime) -> str:
    rows = [
        (
            one.alarm.kind.label,
            one.alarm.serial,
            one.alarm.spot_number or NONE,
            _since(one.alarm.since, now),
            one.seen.by.get_full_name() or one.seen.by.get_username(),
            to_the_second(one.seen.at),
            one.seen.why,
        )
        for one in found
        if one.seen is not None
    ]
    if not rows:
        return ""
    return table(
        name=gettext("Seen"),
        head=[
            gettext("What"),
            gettext("Meter"),
            gettext("Spot"),
            pgettext("how long", "For"),
            gettext("Who"),
            gettext("When"),
            gettext("What is done"),
        ],
        rows=rows[:MOST_ROWS],
    )


def _gateway_row(edge_url: str, meters: int, row: Gateway | None, now: datetime) -> tuple[Any, ...]:
    if row is None:
        return (
            edge_url,
            formatting.number(meters),
            pgettext("a circuit breaker", "closed"),
            NONE,
            NONE,
            NONE,
            NONE,
        )
    since = row.opened_at or row.failed_since
    return (
        edge_url,
        formatting.number(meters),
        wrong(_breaker(row, now)) if row.opened_at else gettext("closed, failures are counted"),
        to_the_second(since),
        formatting.number(row.failures),
        to_the_second(row.open_until),
        row.last_error,
    )


def _breaker(row: Gateway, now: datetime) -> str:
    if row.trial_until and row.trial_until > now:
        return gettext("open: one call tries now")
    if row.open_until and row.open_until > now:
        return gettext("open: nobody calls")
    return gettext("half open: the next call tries")
