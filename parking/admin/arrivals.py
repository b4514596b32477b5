"""Who was waited for, which spots were given to others, and by what evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import arrivals, formatting
from parking.admin.meter_records import RecordAdmin
from parking.admin.scoping import ScopedFilter
from parking.admin.spots import NONE
from parking.models import ArrivalWatch, Slot
from parking.stays import stay_of

COUNTED_DAYS = 30


@admin.register(ArrivalWatch)
class ArrivalWatchAdmin(RecordAdmin):
    """Bookings whose spots waited for their citizens: what the clock decided, when and why."""

    zone_path: ClassVar[str] = "booking__spot__zone"
    change_list_template = "admin/parking/arrivalwatch/change_list.html"
    list_display = ["reference", "zone", "spot", "stay", "outcome", "decided_at", "evidence"]
    list_filter = ["outcome", ("booking__spot__zone", ScopedFilter)]
    list_select_related = ["booking__spot__zone"]
    search_fields = ["=booking__reference", "=booking__spot__number"]
    search_help_text = _("Reference of the booking or number of the spot.")
    date_hierarchy = "decided_at"
    fieldsets = [
        (None, {"fields": [("booking_link", "zone", "spot"), "stay"]}),
        (_("The wait"), {"fields": [("release_after_min", "more_time_at", "look_at")]}),
        (_("How it ended"), {"fields": [("outcome", "decided_at"), "evidence"]}),
    ]
    readonly_fields = ["booking_link", "zone", "spot", "stay", "evidence"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible rows with the slots of their bookings."""
        slots = Prefetch("booking__slots", queryset=Slot.objects.order_by("id"))
        return super().get_queryset(request).prefetch_related(slots)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and above it how many spots each zone gave to others lately."""
        since = timezone.now() - timedelta(days=COUNTED_DAYS)
        context = {
            "tallies": arrivals.tallies(watched=super().get_queryset(request), since=since),
            "counted_days": COUNTED_DAYS,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    @admin.display(description=_("booking"), ordering="booking__reference")
    def reference(self, watched: ArrivalWatch) -> str:
        """Name the booking."""
        return watched.booking.reference

    @admin.display(description=_("booking"))
    def booking_link(self, watched: ArrivalWatch) -> SafeString:
        """Link to the booking, with its history."""
        page = reverse("admin:parking_booking_change", args=[watched.booking_id])
        return format_html('<a href="{}">{}</a>', page, watched.booking.reference)

    @admin.display(description=_("zone"), ordering="booking__spot__zone__name")
    def zone(self, watched: ArrivalWatch) -> str:
        """Name the zone."""
        return watched.booking.spot.zone.name

    @admin.display(description=_("spot"), ordering="booking__spot__number")
    def spot(self, watched: ArrivalWatch) -> str:
        """Number the spot."""
        return watched.booking.spot.number

    @admin.display(description=_("stay"))
    def stay(self, watched: ArrivalWatch) -> str:
        """Write out the whole stay."""
        slots = list(watched.booking.slots.all())
        if not slots:
            return NONE
        stay = stay_of(slots)
        return formatting.period(stay.start, stay.end)

    @admin.display(description=_("why"))
    def evidence(self, watched: ArrivalWatch) -> str:
        """Say what the sensor had said when the spot was given to others."""
        if watched.free_since is None or watched.last_word_at is None:
            return NONE
        return gettext("The sensor said free from %(since)s to %(until)s, without a break.") % {
            "since": formatting.clock(watched.free_since),
            "until": formatting.clock(watched.last_word_at),
        }
