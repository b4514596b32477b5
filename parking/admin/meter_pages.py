"""Pages beside the meter list: lights that are wrong, on a map; and what was asked of a lamp."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import desk, formatting, lamp_words
from parking.admin.light_map import drawn
from parking.admin.scoping import visible_zones
from parking.admin.spots import NONE
from parking.admin.tables import table, to_the_second, wrong
from parking.meter_protocol import parse_plan, parse_stamp, shown_at
from parking.models import Light, Meter, MeterCommand, MeterDeed, Spot

if TYPE_CHECKING:
    from parking.admin.scoping import ZoneScopedAdmin as _Base
else:
    _Base = object

MOST_LIGHTS = 300  # on one page
MOST_COMMANDS = 100


class MeterPages(_Base):
    """What the meter list leads to."""

    def page_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        view = self.admin_site.admin_view
        return [
            path("lights/", view(self.wrong_lights), name="parking_meter_lights"),
            path(
                "<int:meter_id>/lamp/<int:position>/",
                view(self.lamp_log),
                name="parking_meter_lamp",
            ),
        ]

    def wrong_lights(self, request: HttpRequest) -> HttpResponse:
        """Show the lights that have been wrong for a minute, the oldest first, and where."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        behind = desk.lights_behind(zones=visible_zones(request.user), now=now)
        count = behind.count()
        lights = list(
            behind.select_related("spot__meter", "spot__zone").order_by("desired_at", "spot_id")[
                :MOST_LIGHTS
            ]
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Lights that are not as they should be"),
            "count": count,
            "drawing": drawn([light.spot.location for light in lights]),
            "rows": [_light_row(light, now) for light in lights],
        }
        return TemplateResponse(request, "admin/parking/meter/lights.html", context)

    def lamp_log(self, request: HttpRequest, meter_id: int, position: int) -> HttpResponse:
        """Show what was asked of one lamp, when it was delivered, applied and reported."""
        meter = self.get_object(request, str(meter_id))
        if not self.has_view_permission(request, meter):
            raise PermissionDenied
        spot = Spot.objects.filter(meter=meter, position=position).first()
        if spot is None:
            raise Http404
        commands = MeterCommand.objects.filter(meter=meter)[:MOST_COMMANDS]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("What was asked of lamp %(lamp)s of %(meter)s")
            % {"lamp": formatting.number(position), "meter": meter},
            "meter": meter,
            "spot": spot,
            "log": table(
                name=gettext("Commands"),
                head=[
                    gettext("Asked"),
                    gettext("Plan"),
                    gettext("Shows at once"),
                    gettext("Then"),
                    gettext("Sent"),
                    gettext("Delivered"),
                    gettext("Applied"),
                    gettext("Reported"),
                    gettext("State"),
                ],
                rows=_log_rows(commands, position),
            ),
        }
        return TemplateResponse(request, "admin/parking/meter/lamp.html", context)

    @admin.display(description=_("lights"))
    def lamp_table(self, meter: Meter) -> SafeString:
        """Lay out each lamp: asked, reported, how old the report is, and whether they agree."""
        now = timezone.now()
        spots = Spot.objects.filter(meter=meter).select_related("light").order_by("position")
        return table(
            name=gettext("Lights"),
            head=[
                gettext("Lamp"),
                gettext("Spot"),
                gettext("Asked"),
                gettext("Reported"),
                gettext("Heard"),
                gettext("Verdict"),
            ],
            rows=[_lamp_row(meter, spot, now) for spot in spots],
        )

    @admin.display(description=_("planned"))
    def planned(self, meter: Meter) -> str:
        """Name the maintenance that is to come."""
        ahead = meter.maintenances.filter(is_off=False, period__startswith__gt=timezone.now())
        return "; ".join(
            f"{formatting.period(one.period.lower, one.period.upper)}: {one.why}"
            for one in ahead.order_by("period")
        )

    @admin.display(description=_("work"))
    def work(self, meter: Meter) -> str | SafeString:
        """Lay out what people did to the meter, the latest first."""
        deeds = list(MeterDeed.objects.filter(meter=meter).select_related("by")[:20])
        if not deeds:
            return NONE
        return table(
            name=gettext("Work"),
            head=[
                gettext("When"),
                gettext("What"),
                gettext("Until"),
                gettext("Who"),
                gettext("Why"),
            ],
            rows=[
                (
                    to_the_second(deed.at),
                    deed.get_kind_display(),
                    formatting.moment(deed.until) if deed.until else NONE,
                    deed.by.get_full_name() or deed.by.get_username(),
                    deed.why,
                )
                for deed in deeds
            ],
        )


def _light_row(light: Light, now: datetime) -> dict[str, Any]:
    since, heard = light.differs_since or light.desired_at, light.reported_at
    return {
        "spot": light.spot,
        "meter": light.spot.meter,
        "url": reverse("admin:parking_meter_change", args=[light.spot.meter_id]),
        "wanted": lamp_words.lamp(light.desired_light, light.desired_pattern),
        "told": lamp_words.lamp(light.reported_light, light.reported_pattern),
        "since": timesince(since, now, depth=1) if since else NONE,
        "heard": timesince(heard, now, depth=1) if heard else NONE,
        "fault": light.fault,
    }


def _lamp_row(meter: Meter, spot: Spot, now: datetime) -> tuple[Any, ...]:
    log = reverse("admin:parking_meter_lamp", args=[meter.pk, spot.position or 0])
    lamp = format_html('<a href="{}">{}</a>', log, gettext("lamp %(n)s") % {"n": spot.position})
    light = getattr(spot, "light", None)
    if light is None:
        return (lamp, spot.number, NONE, NONE, NONE, "")
    asked = lamp_words.lamp(light.desired_light, light.desired_pattern)
    told = lamp_words.lamp(light.reported_light, light.reported_pattern)
    age = timesince(light.reported_at, now, depth=1) if light.reported_at else NONE
    verdict = gettext("right") if light.converged else wrong(light.fault or gettext("differs"))
    return (lamp, spot.number, asked, told or NONE, age, verdict)


def _log_rows(commands: Iterable[MeterCommand], position: int) -> list[tuple[Any, ...]]:
    rows = []
    for command in commands:
        entries = parse_plan(command.body.get("spots", [])).get(position, [])
        issued = parse_stamp(command.body["issued_at"])
        now, then = shown_at(entries, issued), next((e for e in entries if e.start > issued), None)
        applied = command.ended_at if command.state == "applied" else None
        state = command.get_state_display()
        rows.append(
            (
                to_the_second(command.created_at),
                command.revision,
                lamp_words.lamp(*now),
                f"{lamp_words.lamp(*then.show)}, {formatting.moment(then.start)}" if then else NONE,
                to_the_second(command.sent_at),
                to_the_second(command.delivered_at),
                to_the_second(applied),
                to_the_second(command.reported_at),
                f"{state}: {command.last_error}" if command.last_error and not applied else state,
            )
        )
    return rows
