"""The log of what was forgotten about people."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from parking.admin.meter_records import RecordAdmin
from parking.admin.scoping import ScopedFilter
from parking.models import Forgetting


@admin.register(Forgetting)
class ForgettingAdmin(RecordAdmin):
    """That plates vanish after the zone's term: how many, when and why."""

    zone_path: ClassVar[str] = "zone"
    list_display = ["at", "zone", "reason", "plate_days", "plates", "addresses", "vehicles", "kept"]
    list_filter = ["reason", ("zone", ScopedFilter)]
    list_select_related = ["zone"]
    date_hierarchy = "at"
