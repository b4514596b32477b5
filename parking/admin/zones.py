"""Zones, with the rules of staying in them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from parking import formatting
from parking.admin.maps import MapAdmin
from parking.admin.names import NamedAdmin
from parking.admin.scoping import ZoneScopedAdmin, ZoneScopedInline
from parking.models import StayRules, Zone


class StayRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """The rules of a zone; a new zone gets the usual ones even if nobody touches them."""

    def has_changed(self) -> bool:
        """Say yes for a new zone: a form that was left alone would not be saved."""
        return self.instance.pk is None or super().has_changed()


class StayRulesInline(ZoneScopedInline, admin.StackedInline):  # type: ignore[type-arg]
    """The one set of rules of a zone."""

    model = StayRules
    form = StayRulesForm
    can_delete = False
    min_num = 1
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("shortest_stay_min", "longest_stay_min", "slot_step_min"),
                    ("bookable_from", "bookable_to"),
                    ("book_ahead_days", "lead_time_min"),
                    ("grace_min", "refund_unused"),
                    "corrections",
                ]
            },
        ),
        (
            _("So that everybody gets a place"),
            {
                "fields": [
                    ("no_return_min", "most_stays_ahead"),
                    ("reservable_percent", "walk_up_min"),
                    ("buffer_min", "release_after_min"),
                ]
            },
        ),
    ]


@admin.register(Zone)
class ZoneAdmin(NamedAdmin, ZoneScopedAdmin, MapAdmin):
    """The boundary on the map, the stay rules, and who operates it."""

    zone_path = ""
    list_display = ["name", "code", "spots_in_use", "operators_named", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "code"]
    prepopulated_fields = {"code": ["name"]}
    filter_horizontal = ["operators"]
    inlines = [StayRulesInline]
    fieldsets = [
        (None, {"fields": [("name", "code"), "names", "is_active", "plate_days", "operators"]}),
        (_("Boundary"), {"fields": ["boundary"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible zones with the figures of the list."""
        in_use = Count("spots", filter=Q(spots__is_active=True))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(spots_count=in_use)
        return rows.prefetch_related("operators")

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer as operators only people who may enter the desk."""
        if db_field.name == "operators":
            kwargs["queryset"] = User.objects.filter(is_staff=True).order_by("email")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Suggest a code for a new zone only: a code that is in use stands in links and files."""
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let only superusers say who operates a zone, or rename its code."""
        fixed = [] if request.user.is_superuser else ["operators", "code"]
        return [*super().get_readonly_fields(request, obj), *fixed]

    @admin.display(description=_("spots in use"), ordering="spots_count")
    def spots_in_use(self, zone: Any) -> int:
        """Count the zone's spots that can be booked."""
        return int(zone.spots_count)

    @admin.display(description=_("operators"))
    def operators_named(self, zone: Zone) -> str:
        """Name the zone's operators."""
        return formatting.listed(person.email or person.username for person in zone.operators.all())
