"""Bookings as they stand: read, searched, never edited. Changes go through the booking rule."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from parking import formatting, stays
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import Booking, BookingEvent, Slot, SlotState
from parking.plates import BadPlate, spellings

_SEARCHED = "desk_person"  # session key


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows that only the rules write."""

    extra = 0
    can_delete = False
    classes = ["desk-records"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no."""
        return False


class SlotInline(ReadOnlyInline):
    """The intervals of the booking."""

    model = Slot
    fields = ["period_named", "state", "price", "tariff", "free_reason", "held_until", "ended_at"]
    readonly_fields = ["period_named", "price"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        """Return the slots with their tariff's zone, for its name."""
        return super().get_queryset(request).select_related("tariff__zone")

    @admin.display(description=_("period"))
    def period_named(self, slot: Slot) -> str:
        """Write the period out."""
        return formatting.period(slot.start, slot.end)

    @admin.display(description=_("price"))
    def price(self, slot: Slot) -> str:
        """Write the frozen price out."""
        return formatting.money(slot.amount, slot.currency)


class EventInline(ReadOnlyInline):
    """Who did what, when and why."""

    model = BookingEvent
    fields = ["at", "kind", "actor", "reason"]


class StateFilter(admin.SimpleListFilter):
    """Bookings by the state of one of their slots."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return the states."""
        return list(SlotState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the bookings with a slot in the chosen state."""
        if not (chosen := self.value()):
            return queryset
        return queryset.filter(pk__in=Slot.objects.filter(state=chosen).values("booking"))


@admin.register(Booking)
class BookingAdmin(ZoneScopedAdmin):
    """A citizen's booking with its slots and its history."""

    zone_path = "spot__zone"
    change_list_template = "admin/parking/booking/change_list.html"
    list_display = ["reference", "stay", "spot", "zone", "state", "price", "plate_shown"]
    list_filter = [StateFilter, ("spot__zone", ScopedFilter)]
    list_select_related = ["spot__zone"]
    search_fields = ["=reference", "=spot__number"]
    search_help_text = _("Reference of the booking or number of the spot.")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    inlines = [SlotInline, EventInline]
    fieldsets = [
        (None, {"fields": [("reference", "booking_page"), ("spot", "zone"), "created_at"]}),
        (_("Citizen"), {"fields": [("plate", "vehicle_class"), ("email", "account"), "language"]}),
        (_("Money"), {"fields": ["payments_link"]}),
    ]
    readonly_fields = ["zone", "account", "booking_page", "payments_link"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no: bookings are made by the booking rule."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no, likewise."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: bookings are records."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible bookings with their slots."""
        slots = Prefetch("slots", queryset=Slot.objects.order_by("id"))
        return super().get_queryset(request).prefetch_related(slots)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Narrow the list by the reference in the address and by the person in the session."""
        rows, has_duplicates = super().get_search_results(request, queryset, search_term)
        if person := request.session.get(_SEARCHED):
            rows = rows.filter(_of_person(person))
        return rows, has_duplicates

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; a search for a plate or e-mail is POSTed, so that no log keeps it."""
        if request.method == "POST" and "person" in request.POST:
            person = request.POST["person"].strip()[:254]
            request.session[_SEARCHED] = person
            return HttpResponseRedirect(reverse("admin:parking_booking_changelist"))
        context = {"searched_person": request.session.get(_SEARCHED, ""), **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description=_("account"), boolean=True)
    def account(self, booking: Booking) -> bool:
        """Say whether it was made by somebody who was signed in."""
        return booking.user_id is not None

    @admin.display(description=_("zone"), ordering="spot__zone__name")
    def zone(self, booking: Booking) -> str:
        """Name the zone."""
        return booking.spot.zone.name

    @admin.display(description=_("stay"))
    def stay(self, booking: Booking) -> str:
        """Write out the whole stay, with its extensions."""
        stay = _stay(booking)
        return formatting.period(stay.start, stay.end) if stay else ""

    @admin.display(description=_("state"))
    def state(self, booking: Booking) -> str:
        """Name the state of the stay."""
        stay = _stay(booking)
        return str(stay.parts[-1].get_state_display()) if stay else ""

    @admin.display(description=_("plate"), ordering="plate")
    def plate_shown(self, booking: Booking) -> str:
        """Write the plate out, from left to right."""
        return formatting.plate(booking.plate) if booking.plate else gettext("no longer kept")

    @admin.display(description=_("price"))
    def price(self, booking: Booking) -> str:
        """Add up the frozen prices."""
        stay = _stay(booking)
        return formatting.money(stay.price, stay.parts[0].currency) if stay else ""

    @admin.display(description=_("citizen's page"))
    def booking_page(self, booking: Booking) -> SafeString:
        """Link to what the citizen sees."""
        return _link("payments:booking", booking.reference)

    @admin.display(description=_("payments"))
    def payments_link(self, booking: Booking) -> SafeString:
        """Link to the payments of the booking."""
        return _link("admin:payments_payment_changelist", q=booking.reference)


def _stay(booking: Booking) -> stays.Stay | None:
    slots = list(booking.slots.all())
    return stays.stay_of(slots) if slots else None


def _of_person(person: str) -> Q:
    """Match a plate in any spelling, or an e-mail address."""
    try:
        return Q(plate__in=spellings(person)) | Q(email__iexact=person)
    except BadPlate:
        return Q(email__iexact=person)


def _link(name: str, *args: object, **query: str) -> SafeString:
    address = reverse(name, args=args)
    target = f"{address}?{urlencode(query)}" if query else address
    return format_html('<a href="{}">{}</a>', target, pgettext("a link to a page", "open"))
