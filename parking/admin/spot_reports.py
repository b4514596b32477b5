"""Cases that citizens open: their spot was taken."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import SpotReport


class OpenFilter(admin.SimpleListFilter):
    """Open cases first of all."""

    title = _("case")
    parameter_name = "case"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return open and closed."""
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those cases."""
        match self.value():
            case "open":
                return queryset.filter(closed_at=None)
            case "closed":
                return queryset.exclude(closed_at=None)
        return queryset


_FACTS = [
    "spot",
    "reference",
    "reported_at",
    "sensor_said",
    "outcome",
    "moved_to",
    "closed_at",
    "closed_by",
]


@admin.register(SpotReport)
class SpotReportAdmin(ZoneScopedAdmin):
    """A spot that its citizen found taken. An operator closes the case with a note."""

    zone_path = "spot__zone"
    list_display = ["spot", "zone", "reported_at", "sensor_said", "outcome", "is_closed", "note"]
    list_filter = [OpenFilter, "outcome", ("spot__zone", ScopedFilter)]
    list_select_related = ["spot__zone", "booking"]
    search_fields = ["spot__number", "booking__reference"]
    date_hierarchy = "reported_at"
    fields = [*_FACTS[:-2], "note", *_FACTS[-2:]]
    readonly_fields = _FACTS

    @admin.display(description=_("booking"))
    def reference(self, report: SpotReport) -> str:
        """Name the booking; not all who see the case may see the person."""
        return report.booking.reference

    @admin.display(description=_("zone"), ordering="spot__zone__name")
    def zone(self, report: SpotReport) -> str:
        """Name the zone."""
        return report.spot.zone.name

    @admin.display(description=_("closed"), boolean=True)
    def is_closed(self, report: SpotReport) -> bool:
        """Say whether somebody has seen to it."""
        return report.closed_at is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no: citizens open cases."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: a case is closed, not deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: SpotReport, form: Any, change: bool) -> None:
        """Close the case with its note; without one it is open again."""
        obj.closed_at = timezone.now() if obj.note else None
        obj.closed_by_id = request.user.pk if obj.note else None
        obj.save(update_fields=["note", "closed_at", "closed_by"])
