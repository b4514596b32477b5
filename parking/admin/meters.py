"""Meters: where they stand and how they are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from parking import formatting, lights, meter_care, meter_keys, tasks
from parking.admin.alarm_pages import AlarmPages
from parking.admin.maps import MapAdmin
from parking.admin.meter_care import MeterCare
from parking.admin.meter_pages import MeterPages
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.admin.spots import NONE
from parking.admin.tables import wrong
from parking.desk import SILENT_AFTER
from parking.models import Maintenance, Meter

LOW_BATTERY_PCT = 20
CLOCK_OFF_MS = 30_000
CLOCK_UNSURE_MS = 2_000  # timestamps are whole seconds, and messages travel
DIFFERS = ~Q(spots__light__reported_light=F("spots__light__desired_light")) | ~Q(
    spots__light__reported_pattern=F("spots__light__desired_pattern")
)


class HealthFilter(admin.SimpleListFilter):
    """Meters by what is wrong with them."""

    title = _("health")
    parameter_name = "health"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return what can be wrong."""
        return [
            ("rests", _("in maintenance")),
            ("planned", _("maintenance is planned")),
            ("silent", _("not heard for 3 minutes")),
            ("wrong", _("a light is wrong")),
            ("battery", _("low battery")),
            ("clock", _("clock is off")),
            ("faults", _("reports a fault")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the meters in use with which this is wrong, and nobody works at it."""
        now = timezone.now()
        since, rests = now - SILENT_AFTER, meter_care.in_maintenance(now)
        if self.value() == "rests":
            return queryset.filter(rests, is_active=True)
        if self.value() == "planned":
            ahead = Maintenance.objects.filter(is_off=False, period__startswith__gt=now)
            return queryset.filter(pk__in=ahead.values("meter"))
        sick = {
            "silent": Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=since),
            "wrong": Q(wrong_count__gt=0),
            "battery": Q(battery_pct__lt=LOW_BATTERY_PCT),
            "clock": Q(clock_offset_ms__gt=CLOCK_OFF_MS) | Q(clock_offset_ms__lt=-CLOCK_OFF_MS),
            "faults": ~Q(faults=[]),
        }.get(self.value() or "")
        if sick is None:
            return queryset
        return queryset.filter(sick, is_active=True).exclude(rests)


@admin.register(Meter)
class MeterAdmin(MeterCare, MeterPages, AlarmPages, ZoneScopedAdmin, MapAdmin):
    """A device and its lamps."""

    change_list_template = "admin/parking/meter/change_list.html"
    change_form_template = "admin/parking/meter/change_form.html"
    list_display = ["serial", "zone", "heard", "lamps", "battery", "clock", "trouble", "in_use"]
    list_filter = ["is_active", HealthFilter, ("zone", ScopedFilter)]
    list_select_related = ["zone"]
    search_fields = ["serial", "=external_id"]
    list_per_page = 50
    actions = ["send_again", "test_lamps", "begin_maintenance", "end_maintenance", "rotate_keys"]
    fieldsets = [
        (None, {"fields": [("serial", "zone"), "edge_url", "is_active"]}),
        (_("Place"), {"fields": ["location"]}),
        (_("Lights"), {"fields": ["lamp_table"]}),
        (
            _("What it said"),
            {"fields": [("heard", "firmware"), ("battery", "clock"), ("plans", "trouble")]},
        ),
        (_("Keys"), {"fields": ["key_names"]}),
        (_("Work"), {"fields": [("in_use", "planned"), "work"]}),
    ]
    readonly_fields = [
        "in_use",
        "planned",
        "work",
        "lamp_table",
        "heard",
        "firmware",
        "battery",
        "clock",
        "plans",
        "trouble",
        "key_names",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the meters with the number of their lamps, and of those that are wrong."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(
            lamp_count=Count("spots", distinct=True),
            wrong_count=Count("spots", filter=DIFFERS, distinct=True),
        )
        return counted.order_by("serial")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask of a new meter only what people know of it."""
        sets = super().get_fieldsets(request, obj)
        return sets if obj else sets[:2]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that makes a key."""
        page = path(
            "<int:meter_id>/key/",
            self.admin_site.admin_view(self.new_key),
            name="parking_meter_key",
        )
        return [page, *self.page_urls(), *self.alarm_urls(), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Meter, form: Any, change: bool) -> None:
        """Save the meter; one that is called elsewhere now, or is back, gets its plan again."""
        if not change:
            super().save_model(request, obj, form, change)
            lights.replan(meter_ids=[obj.pk], now=timezone.now())
            return
        # Only what the form changed: the meter's own words may arrive at the same moment.
        obj.save(update_fields=form.changed_data)
        if {"edge_url", "is_active"} & set(form.changed_data):
            lights.send_again(meter_id=obj.pk, now=timezone.now())
            transaction.on_commit(lambda: tasks.nudge_meter(obj.pk))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: what was asked of a meter stays on record; it is taken out of use."""
        return False

    @admin.display(description=_("heard"), ordering="last_seen_at")
    def heard(self, meter: Meter) -> str | SafeString:
        """Say how long ago the meter was heard."""
        if meter.last_seen_at is None:
            return wrong(gettext("never")) if meter.is_active else NONE
        age = gettext("%(age)s ago") % {"age": timesince(meter.last_seen_at, depth=1)}
        late = meter.is_active and meter.last_seen_at < timezone.now() - SILENT_AFTER
        return wrong(age) if late else age

    @admin.display(description=_("lights"))
    def lamps(self, meter: Any) -> str | SafeString:
        """Say how many of its lamps show what they should."""
        told = gettext("%(right)s of %(all)s right") % {
            "right": formatting.number(meter.lamp_count - meter.wrong_count),
            "all": formatting.number(meter.lamp_count),
        }
        return wrong(told) if meter.wrong_count and meter.is_active else told

    @admin.display(description=_("battery"), ordering="battery_pct")
    def battery(self, meter: Meter) -> str | SafeString:
        """Write the charge out."""
        if meter.battery_pct is None:
            return NONE
        told = formatting.percent(meter.battery_pct)
        return wrong(told) if meter.battery_pct < LOW_BATTERY_PCT else told

    @admin.display(description=_("clock"), ordering="clock_offset_ms")
    def clock(self, meter: Meter) -> str | SafeString:
        """Say how far its clock is off."""
        if meter.clock_offset_ms is None:
            return NONE
        if abs(meter.clock_offset_ms) < CLOCK_UNSURE_MS:
            return gettext("right")
        seconds = formatting.number(round(meter.clock_offset_ms / 1000))
        told = gettext("%(seconds)s s off") % {"seconds": seconds}
        return wrong(told) if abs(meter.clock_offset_ms) > CLOCK_OFF_MS else told

    @admin.display(description=_("faults"))
    def trouble(self, meter: Meter) -> str | SafeString:
        """Name the faults that it reports."""
        return wrong(formatting.listed(meter.faults)) if meter.faults else NONE

    @admin.display(description=_("in use"), ordering="is_active")
    def in_use(self, meter: Meter) -> str | SafeString:
        """Say whether it is in use, and until when somebody works at it."""
        if not meter.is_active:
            return gettext("out of use")
        if meter.maintenance_until is None or meter.maintenance_until <= timezone.now():
            return gettext("in use")
        until = formatting.moment(meter.maintenance_until)
        return wrong(gettext("in maintenance until %(until)s") % {"until": until})

    @admin.display(description=_("plan"))
    def plans(self, meter: Meter) -> str:
        """Name the plan that it should have and the one that it has."""
        return gettext("%(wanted)s asked, %(reported)s reported") % {
            "wanted": meter.plan_revision,
            "reported": meter.reported_revision,
        }

    @admin.display(description=_("keys"))
    def key_names(self, meter: Meter) -> str:
        """Name the valid keys; their secrets are shown once, when they are made."""
        names = meter.keys.filter(retired_at__isnull=True).values_list("key_id", flat=True)
        return formatting.listed(names) or gettext("none: it can neither be called nor call us")

    @admin.action(description=_("Send the plan again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Meter]) -> None:
        """Give the meters their plans once more."""
        ids = sorted(
            self.own(request, queryset).filter(is_active=True).values_list("pk", flat=True)
        )
        for meter_id in ids:
            lights.send_again(meter_id=meter_id, now=timezone.now())
            tasks.nudge_meter(meter_id)
        told = ngettext("%(n)s plan is on its way.", "%(n)s plans are on their way.", len(ids))
        level = messages.SUCCESS if ids else messages.WARNING
        self.message_user(request, told % {"n": formatting.number(len(ids))}, level)

    def new_key(self, request: HttpRequest, meter_id: int) -> HttpResponse:
        """Make a key for the device and show its secret, this once."""
        meter = self.get_object(request, str(meter_id))
        if not self.has_change_permission(request, meter):
            raise PermissionDenied
        key = None
        if request.method == "POST":
            row = meter_keys.rotate(meter_id=meter_id, now=timezone.now())
            key = meter_keys.key_from_row(row)
            self.log_change(request, meter, f"New key {key.key_id}")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("New key for %(meter)s") % {"meter": meter},
            "meter": meter,
            "key": key,
            "secret": key.secret.hex() if key else "",
        }
        return TemplateResponse(request, "admin/parking/meter/new_key.html", context)
