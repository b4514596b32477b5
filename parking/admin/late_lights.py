"""Lights that were late for who had paid: who was given a choice, and what they chose."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import formatting
from parking.admin.meter_records import RecordAdmin
from parking.admin.scoping import ScopedFilter
from parking.admin.tables import to_the_second, wrong
from parking.models import LateLight


class OfferFilter(admin.SimpleListFilter):
    """Late lights by what became of the choice."""

    title = _("choice")
    parameter_name = "choice"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return open, the choices, and a light that is dark still."""
        return [
            ("open", _("may choose now")),
            ("stayed", _("stayed")),
            ("moved", _("went to another spot")),
            ("refunded", _("got everything back")),
            ("dark", _("the light never came right")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those."""
        now = timezone.now()
        match self.value():
            case "open":
                return queryset.filter(outcome="", offered_until__gt=now)
            case "stayed":
                return queryset.filter(outcome="", offered_until__lte=now)
            case "dark":
                return queryset.filter(came_right_at=None)
            case "moved" | "refunded" as outcome:
                return queryset.filter(outcome=outcome)
        return queryset


@admin.register(LateLight)
class LateLightAdmin(RecordAdmin):
    """A light that was not green two minutes into a stay."""

    zone_path: ClassVar[str] = "spot__zone"
    list_display = ["noticed", "reference", "spot_named", "zone", "right", "choice", "moved_to"]
    list_filter = [OfferFilter, ("spot__zone", ScopedFilter)]
    list_select_related = ["spot__zone", "spot__meter", "booking", "moved_to"]
    search_fields = ["=booking__reference", "=spot__number", "=spot__meter__serial"]
    search_help_text = _("Reference of the booking, number of the spot, or serial of the meter.")
    date_hierarchy = "noticed_at"
    fields = [
        "reference",
        ("spot_named", "meter"),
        "noticed",
        "until",
        "right",
        "choice",
        "moved_to",
    ]
    readonly_fields = ["reference", "spot_named", "meter", "noticed", "until", "right", "choice"]

    @admin.display(description=_("noticed"), ordering="noticed_at")
    def noticed(self, late: LateLight) -> str:
        """Write out when it was noticed, to the second."""
        return to_the_second(late.noticed_at)

    @admin.display(description=_("may leave until"))
    def until(self, late: LateLight) -> str:
        """Write out how long its citizen may choose."""
        return to_the_second(late.offered_until)

    @admin.display(description=_("booking"), ordering="booking__reference")
    def reference(self, late: LateLight) -> SafeString:
        """Link to the booking."""
        page = reverse("admin:parking_booking_change", args=[late.booking_id])
        return format_html('<a href="{}">{}</a>', page, late.booking.reference)

    @admin.display(description=_("spot"), ordering="spot__number")
    def spot_named(self, late: LateLight) -> str:
        """Number the spot."""
        return late.spot.number

    @admin.display(description=_("zone"), ordering="spot__zone__name")
    def zone(self, late: LateLight) -> str:
        """Name the zone."""
        return late.spot.zone.name

    @admin.display(description=_("meter"))
    def meter(self, late: LateLight) -> SafeString | str:
        """Link to the meter of the light."""
        if late.spot.meter is None:
            return ""
        page = reverse("admin:parking_meter_change", args=[late.spot.meter_id])
        return format_html('<a href="{}">{}</a>', page, late.spot.meter)

    @admin.display(description=_("came right"), ordering="came_right_at")
    def right(self, late: LateLight) -> SafeString | str:
        """Write out when the light came right."""
        if late.came_right_at is None:
            return wrong(gettext("never"))
        return to_the_second(late.came_right_at)

    @admin.display(description=_("choice"), ordering="outcome")
    def choice(self, late: LateLight) -> str:
        """Say what its citizen chose."""
        if late.outcome == "" and late.offered_until > timezone.now():
            until = formatting.clock(late.offered_until)
            return gettext("may choose until %(time)s") % {"time": until}
        return str(late.get_outcome_display())
