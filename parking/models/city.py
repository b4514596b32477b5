"""What stands in the street: zones, streets, spots."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parking.local_names import name_in

# A vehicle may be kept away for a week (`StayRules.no_return_min`), so its plate is known longer.
LEAST_PLATE_DAYS, MOST_PLATE_DAYS = 8, 730


class Zone(models.Model):
    """An area with one tariff, one set of stay rules and a boundary."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(pgettext_lazy("of a zone", "name"), max_length=120)
    names = models.JSONField(_("names in other languages"), default=dict, db_default={}, blank=True)
    boundary = models.MultiPolygonField(_("boundary"), srid=4326)
    is_active = models.BooleanField(_("in use"), default=True)
    operators = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("operators"),
        related_name="operated_zones",
        blank=True,
        help_text=_("They see and change this zone, its meters, spots, tariffs and bookings."),
    )
    plate_days = models.PositiveSmallIntegerField(
        _("plates are kept, days"),
        default=30,
        db_default=30,
        validators=[MinValueValidator(LEAST_PLATE_DAYS), MaxValueValidator(MOST_PLATE_DAYS)],
        help_text=_(
            "After the end of the stay, 8 to 730. Then they vanish, unless a case about the "
            "booking is open: then when it is closed."
        ),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        permissions: ClassVar = [("view_every_zone", "Can look at every zone of the city")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="zone_plate_days_bounded",
                condition=Q(plate_days__range=(LEAST_PLATE_DAYS, MOST_PLATE_DAYS)),
                violation_error_message=_("Plates are kept for 8 to 730 days."),
            )
        ]

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        """The name in the reader's language."""
        return name_in(self.names, self.name)


class Street(models.Model):
    """The line of a street, drawn beneath the map's tiles so that a map is never grey."""

    name = models.CharField(pgettext_lazy("of a street", "name"), max_length=160)
    names = models.JSONField(_("names in other languages"), default=dict, db_default={}, blank=True)
    geometry = models.MultiLineStringField(_("line"), srid=4326)
    width_m = models.PositiveSmallIntegerField(_("width, metres"), default=10)

    class Meta:
        ordering = ["name"]
        verbose_name = _("street")
        verbose_name_plural = _("streets")

    def __str__(self) -> str:
        return name_in(self.names, self.name)


class Feature(models.TextChoices):
    """What a spot offers, or is set aside for."""

    ACCESSIBLE = "accessible", _("accessible")
    EV = "ev", _("electric charging")
    MOTORCYCLE = "motorcycle", _("motorcycle")
    LOADING = "loading", _("loading")


class Spot(models.Model):
    """One bookable place at the kerb."""

    zone = models.ForeignKey(Zone, models.PROTECT, related_name="spots", verbose_name=_("zone"))
    meter = models.ForeignKey(
        "parking.Meter",
        models.SET_NULL,
        related_name="spots",
        null=True,
        blank=True,
        verbose_name=_("meter"),
    )
    position = models.PositiveSmallIntegerField(
        _("lamp"), null=True, blank=True, help_text=_("Which lamp of the meter, 1 to 8.")
    )
    number = models.CharField(_("number"), max_length=16, help_text=_("As painted on the ground."))
    street = models.CharField(_("street"), max_length=160, blank=True)
    street_names = models.JSONField(
        _("street in other languages"), default=dict, db_default={}, blank=True
    )
    location = models.PointField(_("place"), srid=4326, spatial_index=True)
    bearing = models.PositiveSmallIntegerField(
        _("bearing, degrees"), default=0, help_text=_("Of the kerb, clockwise from north.")
    )
    features = ArrayField(
        models.CharField(max_length=16, choices=Feature.choices),
        verbose_name=_("features"),
        default=list,
        blank=True,
    )
    is_active = models.BooleanField(_("in use"), default=True)
    external_id = models.CharField(
        _("key in the city's file"), max_length=120, unique=True, null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["zone", "number"]
        verbose_name = _("spot")
        verbose_name_plural = _("spots")
        constraints: ClassVar = [
            models.UniqueConstraint("zone", "number", name="spot_number_unique_in_zone"),
            models.UniqueConstraint(
                fields=["meter", "position"],
                name="spot_one_lamp_each",
                violation_error_message=_("Another spot uses this lamp of the meter."),
            ),
            models.CheckConstraint(
                name="spot_lamp_with_meter",
                # NULL is no answer for PostgreSQL: without the second part it would let it pass.
                condition=Q(meter__isnull=True) | Q(position__isnull=False, position__range=(1, 8)),
                violation_error_message=_("A spot with a meter needs a lamp from 1 to 8."),
            ),
            models.CheckConstraint(
                name="spot_bearing_degrees",
                condition=Q(bearing__lt=360),
                violation_error_message=_("A bearing is 0 to 359 degrees."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @cached_property
    def lon_lat(self) -> tuple[float, float]:
        """Longitude and latitude of `location`, in degrees (WGS 84)."""
        return self.location.x, self.location.y

    @property
    def local_street(self) -> str:
        """The name of the street in the reader's language."""
        return name_in(self.street_names, self.street)
