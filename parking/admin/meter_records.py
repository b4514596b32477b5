"""What was asked of the meters and what they noticed: records that only the rules write."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import formatting
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.admin.spots import NONE
from parking.admin.tables import scrolled, to_the_second
from parking.models import MeterCommand, MeterDeed, MeterEvent


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


def _seconds(length: timedelta) -> str:
    seconds = length.total_seconds()
    if seconds < 60:
        return gettext("%(n)s s") % {"n": formatting.number(Decimal(f"{seconds:.1f}"))}
    return formatting.duration(round(seconds / 60))
