"""Closures and events: works, markets, matches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from parking import formatting, lights
from parking.admin.periods import OVERRIDES
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import Closure


class ClosureForm(forms.ModelForm):  # type: ignore[type-arg]
    """A closure of a zone, of a street in it, or of one of its spots; or an event there."""

    class Meta:
        model = Closure
        fields = ["zone", "street", "spot", "period", "kind", "reason", "longest_stay_min"]

    def clean(self) -> dict[str, Any]:
        """Refuse a spot of another zone, and a street without spots in it."""
        data: dict[str, Any] = super().clean() or {}
        zone, spot = data.get("zone"), data.get("spot")
        if zone and spot and spot.zone_id != zone.pk:
            self.add_error("spot", _("This spot lies in another zone."))
        street = data.get("street")
        if zone and street and not zone.spots.filter(street=street).exists():
            self.add_error("street", _("No spot of this zone has this street."))
        return data


class WhenFilter(admin.SimpleListFilter):
    """Closures by the clock."""

    title = _("when")
    parameter_name = "when"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return now, to come, past."""
        return [("now", _("now")), ("next", _("to come")), ("past", _("past"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the closures of that time."""
        now = timezone.now()
        match self.value():
            case "now":
                return queryset.filter(period__contains=now)
            case "next":
                return queryset.filter(period__startswith__gt=now)
            case "past":
                return queryset.filter(period__endswith__lte=now)
        return queryset


@admin.register(Closure)
class ClosureAdmin(ZoneScopedAdmin):
    """A time in which nobody can book, or only for short."""

    form = ClosureForm
    formfield_overrides = OVERRIDES
    list_display = [
        "reason",
        "kind",
        "zone",
        "street",
        "spot",
        "period_named",
        "longest_stay_named",
    ]
    list_filter = [WhenFilter, "kind", ("zone", ScopedFilter)]
    list_select_related = ["zone", "spot"]
    search_fields = ["reason", "street", "spot__number"]
    autocomplete_fields = ["spot"]

    def save_model(self, request: HttpRequest, obj: Closure, form: Any, change: bool) -> None:
        """Save the closure and plan the lights of the places it covers, or covered before."""
        before = Closure.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if before is not None:
            _replan(before)
        _replan(obj)

    def delete_model(self, request: HttpRequest, obj: Closure) -> None:
        """Lift the closure and plan the lights of its places."""
        super().delete_model(request, obj)
        _replan(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Closure]) -> None:
        """Lift several closures, likewise."""
        with transaction.atomic():
            lifted = list(queryset)
            super().delete_queryset(request, queryset)
            for closure in lifted:
                _replan(closure)

    @admin.display(description=_("period"), ordering="period")
    def period_named(self, closure: Closure) -> str:
        """Write the period out."""
        return formatting.period(closure.period.lower, closure.period.upper)

    @admin.display(description=_("longest stay"), ordering="longest_stay_min")
    def longest_stay_named(self, closure: Closure) -> str:
        """Write out how long one may stay meanwhile."""
        minutes = closure.longest_stay_min
        return (
            pgettext("a street or spot", "closed")
            if minutes is None
            else formatting.duration(minutes)
        )


def _replan(closure: Closure) -> None:
    lights.replan_spots(
        zone_id=closure.zone_id,
        spot_id=closure.spot_id,
        street=closure.street,
        now=timezone.now(),
    )
