"""What was asked of the meters and what they noticed: records that only the rules write."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import formatting
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.admin.spots import NONE
from parking.admin.tables import scrolled, to_the_second
from parking.lights.alarms import AlarmKind
from parking.models import Maintenance, MeterCommand, MeterDeed, MeterEvent, SeenAlarm


class RecordAdmin(ZoneScopedAdmin):
    """Rows that only the rules write."""

    zone_path: ClassVar[str] = "meter__zone"
    list_select_related = ["meter"]
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no."""
        return False


@admin.register(MeterCommand)
class MeterCommandAdmin(RecordAdmin):
    """What was asked of a meter, and how it ended."""

    list_display = ["asked", "meter", "revision", "state", "attempts", "took", "told", "last_error"]
    list_filter = ["state", ("meter__zone", ScopedFilter)]
    search_fields = ["=meter__serial", "=id"]
    date_hierarchy = "created_at"
    fieldsets = [
        (None, {"fields": [("meter", "revision"), ("state", "last_error")]}),
        (
            _("When"),
            {
                "fields": [
                    ("asked", "sent", "delivered"),
                    ("ended", "reported"),
                    ("not_after", "attempts", "took"),
                ]
            },
        ),
        (_("Message"), {"fields": ["message"]}),
    ]
    readonly_fields = ["asked", "sent", "delivered", "ended", "reported", "took", "message"]

    @admin.display(description=_("asked"), ordering="created_at")
    def asked(self, command: MeterCommand) -> str:
        """Write out when it was asked, to the second."""
        return to_the_second(command.created_at)

    @admin.display(description=_("sent"))
    def sent(self, command: MeterCommand) -> str:
        """Write out when it was sent last."""
        return to_the_second(command.sent_at)

    @admin.display(description=_("delivered"))
    def delivered(self, command: MeterCommand) -> str:
        """Write out when the meter took it."""
        return to_the_second(command.delivered_at)

    @admin.display(description=_("reported"))
    def reported(self, command: MeterCommand) -> str:
        """Write out when the meter first reported this plan, or a later one."""
        return to_the_second(command.reported_at)

    @admin.display(description=_("until reported"))
    def told(self, command: MeterCommand) -> str:
        """Say how long it took from asking to the report."""
        if command.reported_at is None:
            return NONE
        return _seconds(command.reported_at - command.created_at)

    @admin.display(description=_("ended"))
    def ended(self, command: MeterCommand) -> str:
        """Write out when it ended."""
        return to_the_second(command.ended_at)

    @admin.display(description=_("took"))
    def took(self, command: MeterCommand) -> str:
        """Say how long it took from asking to its end."""
        if command.ended_at is None:
            return NONE
        return _seconds(command.ended_at - command.created_at)

    @admin.display(description=_("message"))
    def message(self, command: MeterCommand) -> SafeString:
        """Lay the message out."""
        text = json.dumps(command.body, indent=2, ensure_ascii=False)
        return scrolled(format_html("<pre>{}</pre>", text), gettext("Message"))


@admin.register(MeterEvent)
class MeterEventAdmin(RecordAdmin):
    """What a meter noticed."""

    list_display = ["received_at", "meter", "kind", "at", "spot"]
    list_filter = [("meter__zone", ScopedFilter)]
    search_fields = ["=meter__serial", "kind"]
    date_hierarchy = "received_at"


@admin.register(MeterDeed)
class MeterDeedAdmin(RecordAdmin):
    """What people did to meters, and why."""

    list_display = ["at", "meter", "kind", "until", "by", "why"]
    list_filter = ["kind", ("meter__zone", ScopedFilter)]
    list_select_related = ["meter", "by"]
    search_fields = ["=meter__serial", "why"]
    date_hierarchy = "at"
    fields = ["meter", "kind", ("at", "until"), ("by_named", "why")]
    readonly_fields = ["by_named"]

    @admin.display(description=_("who"), ordering="by")
    def by_named(self, deed: MeterDeed) -> str:
        """Name the person; the way to the account is not everybody's."""
        return str(deed.by)


@admin.register(SeenAlarm)
class SeenAlarmAdmin(RecordAdmin):
    """Who has seen which alarm, and what was done about it."""

    list_display = ["at", "meter", "kind_named", "spot", "word", "by", "why", "over_at"]
    list_filter = [("meter__zone", ScopedFilter)]
    list_select_related = ["meter", "spot", "by"]
    search_fields = ["=meter__serial", "why"]
    date_hierarchy = "at"
    fields = [("meter", "spot"), ("kind_named", "word"), ("at", "over_at"), ("by_named", "why")]
    readonly_fields = ["kind_named", "by_named"]

    @admin.display(description=_("alarm"), ordering="kind")
    def kind_named(self, row: SeenAlarm) -> str:
        """Say what was wrong."""
        return str(AlarmKind(row.kind).label)

    @admin.display(description=_("who"), ordering="by")
    def by_named(self, row: SeenAlarm) -> str:
        """Name the person; the way to the account is not everybody's."""
        return str(row.by)


class PlannedFilter(admin.SimpleListFilter):
    """Maintenance by the clock."""

    title = _("when")
    parameter_name = "when"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return now, to come, past."""
        return [("now", _("now")), ("next", _("to come")), ("past", _("past"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the maintenance of that time; what was called off is past."""
        now = timezone.now()
        match self.value():
            case "now":
                return queryset.filter(period__contains=now, is_off=False)
            case "next":
                return queryset.filter(period__startswith__gt=now, is_off=False)
            case "past":
                return queryset.filter(Q(period__endswith__lte=now) | Q(is_off=True))
        return queryset


@admin.register(Maintenance)
class MaintenanceAdmin(RecordAdmin):
    """When somebody works, or worked, at a meter. It is planned and ended from the meter list."""

    list_display = ["meter", "period_named", "closed_spots", "is_off", "why"]
    list_filter = [PlannedFilter, ("meter__zone", ScopedFilter)]
    search_fields = ["=meter__serial", "why"]
    fields = ["meter", "period_named", "closed_spots", "is_off", "why"]
    readonly_fields = ["period_named", "closed_spots"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible rows with the number of spots that are closed for each."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(spot_count=Count("closures__spot", distinct=True))
        return counted

    @admin.display(description=_("period"), ordering="period")
    def period_named(self, row: Maintenance) -> str:
        """Write the period out."""
        return formatting.period(row.period.lower, row.period.upper)

    @admin.display(description=_("spots closed for it"))
    def closed_spots(self, row: Any) -> str:
        """Count the spots that nobody can book in that time."""
        return formatting.number(row.spot_count)


def _seconds(length: timedelta) -> str:
    seconds = length.total_seconds()
    if seconds < 60:
        return gettext("%(n)s s") % {"n": formatting.number(Decimal(f"{seconds:.1f}"))}
    return formatting.duration(round(seconds / 60))
