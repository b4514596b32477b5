"""Spots on the map, and taking them in and out of use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from parking import formatting, lamp_words, lights
from parking.admin.maps import MapAdmin
from parking.admin.names import NamedAdmin
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import Feature, Light, Slot, Spot

NONE = "\N{EN DASH}"
SHOWS_WHAT_IT_SHOULD = Q(
    light__reported_light=F("light__desired_light"),
    light__reported_pattern=F("light__desired_pattern"),
)


class SpotForm(forms.ModelForm):  # type: ignore[type-arg]
    """A spot, with its features as boxes to tick."""

    features = forms.TypedMultipleChoiceField(
        label=_("Features"),
        choices=Feature.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Spot
        fields = [
            "zone",
            "number",
            "street",
            "location",
            "bearing",
            "meter",
            "position",
            "features",
            "is_active",
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse a spot and a meter of two zones, and a meter without a lamp or the reverse."""
        data: dict[str, Any] = super().clean() or {}
        zone, meter = data.get("zone"), data.get("meter")
        if zone and meter and meter.zone_id != zone.pk:
            self.add_error("meter", _("This meter stands in another zone."))
        has_lamp = data.get("position") is not None
        if has_lamp and meter is None and "meter" not in self.errors:
            self.add_error("position", _("A lamp belongs to a meter: choose the meter too."))
        if meter and not has_lamp and "position" not in self.errors:
            self.add_error("position", _("Say which lamp of the meter is this spot's."))
        return data


class FeatureFilter(admin.SimpleListFilter):
    """Spots that have a feature."""

    title = _("feature")
    parameter_name = "feature"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return all features."""
        return list(Feature.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the spots that have the chosen one."""
        chosen = self.value()
        return queryset.filter(features__contains=[chosen]) if chosen else queryset


class LightFilter(admin.SimpleListFilter):
    """Spots whose lamp shows what it should, or does not."""

    title = _("light")
    parameter_name = "light"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return the two answers."""
        return [("right", _("shows what it should")), ("wrong", _("shows something else"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the spots whose light is right, or wrong."""
        match self.value():
            case "right":
                return queryset.filter(SHOWS_WHAT_IT_SHOULD)
            case "wrong":
                return queryset.filter(meter__is_active=True).exclude(SHOWS_WHAT_IT_SHOULD)
        return queryset


class ReasonForm(forms.Form):
    """Why spots are taken out of use; it stands in their history."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


@admin.register(Spot)
class SpotAdmin(NamedAdmin, ZoneScopedAdmin, MapAdmin):
    """One place at the kerb."""

    form = SpotForm
    list_display = [
        "number",
        "zone",
        "street",
        "lamp",
        "lamp_shows",
        "heard",
        "features_named",
        "is_active",
    ]
    list_filter = ["is_active", ("zone", ScopedFilter), FeatureFilter, LightFilter]
    list_select_related = ["zone", "meter", "light"]
    search_fields = ["number", "street", "meter__serial", "=external_id"]
    autocomplete_fields = ["meter"]
    list_per_page = 50
    actions = ["take_out_of_use", "put_into_use"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("zone", "number"),
                    ("street", "bearing"),
                    "street_names",
                    "features",
                    "is_active",
                ]
            },
        ),
        (_("Light"), {"fields": [("meter", "position")]}),
        (_("Place"), {"fields": ["location"]}),
    ]

    @admin.display(description=_("features"))
    def features_named(self, spot: Spot) -> str:
        """Name the spot's features."""
        return formatting.listed(Feature(name).label for name in spot.features)

    @admin.display(description=_("lamp"), ordering="meter__serial")
    def lamp(self, spot: Spot) -> str | SafeString:
        """Name the meter and which of its lamps is the spot's; lead to what was asked of it."""
        if spot.meter is None:
            return NONE
        log = reverse("admin:parking_meter_lamp", args=[spot.meter_id, spot.position or 0])
        return format_html('<a href="{}">{} / {}</a>', log, spot.meter, spot.position)

    @admin.display(description=_("light"), ordering="light__desired_light")
    def lamp_shows(self, spot: Spot) -> str:
        """Name the light that the meter reported; beside it the one asked for, if they differ."""
        if spot.meter_id is None:
            return NONE
        light = spot.light
        wanted = lamp_words.lamp(light.desired_light, light.desired_pattern)
        if light.converged:
            return wanted
        told = lamp_words.lamp(light.reported_light, light.reported_pattern)
        told = told or gettext("not heard yet")
        return format_html(
            '<span class="desk-wrong">{}</span>',
            gettext("%(told)s; should be %(wanted)s") % {"told": told, "wanted": wanted},
        )

    @admin.display(description=_("heard"), ordering="light__reported_at")
    def heard(self, spot: Spot) -> str:
        """Say how long ago the meter reported this light."""
        if spot.meter_id is None or spot.light.reported_at is None:
            return NONE
        return gettext("%(age)s ago") % {"age": timesince(spot.light.reported_at, depth=1)}

    def save_model(self, request: HttpRequest, obj: Spot, form: Any, change: bool) -> None:
        """Save the spot with its light, and plan its old and new meter again."""
        before = Spot.objects.filter(pk=obj.pk).values_list("meter_id", flat=True).first()
        super().save_model(request, obj, form, change)
        Light.objects.get_or_create(spot=obj)
        touched = {pk for pk in (before, obj.meter_id) if pk is not None}
        lights.replan(meter_ids=touched, now=timezone.now())

    @admin.action(description=_("Take out of use …"), permissions=["change"])
    def take_out_of_use(
        self, request: HttpRequest, queryset: QuerySet[Spot]
    ) -> HttpResponse | None:
        """Ask for the reason, say what is booked there, then take the spots out of use."""
        spots = self.own(request, queryset).filter(is_active=True)
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, spots, form)
        self._set_in_use(request, spots, False, form.cleaned_data["reason"])
        return None

    @admin.action(description=_("Put into use"), permissions=["change"])
    def put_into_use(self, request: HttpRequest, queryset: QuerySet[Spot]) -> None:
        """Make the spots bookable again."""
        spots = self.own(request, queryset).filter(is_active=False)
        self._set_in_use(request, spots, True, gettext("put into use"))

    def _ask_reason(
        self, request: HttpRequest, spots: QuerySet[Spot], form: ReasonForm
    ) -> TemplateResponse:
        booked = Slot.objects.live().filter(spot__in=spots, period__endswith__gt=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Take spots out of use"),
            "spots": spots.select_related("zone"),
            "booked_count": booked.count(),
            "form": form,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/parking/spot/take_out_of_use.html", context)

    def _set_in_use(
        self, request: HttpRequest, spots: QuerySet[Spot], in_use: bool, why: str
    ) -> None:
        changed = list(spots)
        # The map's layer is versioned by the youngest change of a spot.
        Spot.objects.filter(pk__in=[spot.pk for spot in changed]).update(
            is_active=in_use, updated_at=timezone.now()
        )
        for spot in changed:
            self.log_change(request, spot, why)
        message = ngettext("%(n)s spot changed.", "%(n)s spots changed.", len(changed))
        self.message_user(
            request,
            message % {"n": len(changed)},
            messages.SUCCESS if changed else messages.WARNING,
        )
