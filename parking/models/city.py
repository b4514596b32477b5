"""What stands in the street: zones, streets, spots, and the rules of staying there."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Zone(models.Model):
    """An area with one tariff, one set of stay rules and a boundary."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=120)
    boundary = models.MultiPolygonField(_("boundary"), srid=4326)
    is_active = models.BooleanField(_("in use"), default=True)
    operators = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("operators"),
        related_name="operated_zones",
        blank=True,
        help_text=_("They see and change this zone, its meters, spots, tariffs and bookings."),
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        permissions: ClassVar = [("view_every_zone", "Can look at every zone of the city")]

    def __str__(self) -> str:
        return self.name


class StayRules(models.Model):
    """How a spot of a zone may be booked. Kept apart from prices."""

    zone = models.OneToOneField(Zone, models.CASCADE, related_name="stay_rules", primary_key=True)
    longest_stay_min = models.PositiveIntegerField(_("longest stay, minutes"), default=240)
    shortest_stay_min = models.PositiveIntegerField(_("shortest stay, minutes"), default=15)
    slot_step_min = models.PositiveSmallIntegerField(
        _("step, minutes"), default=5, help_text=_("Starts and ends lie on this grid.")
    )
    book_ahead_days = models.PositiveSmallIntegerField(_("bookable ahead, days"), default=7)
    bookable_from = models.TimeField(_("bookable from"), null=True, blank=True)
    bookable_to = models.TimeField(_("bookable until"), null=True, blank=True)
    grace_min = models.PositiveSmallIntegerField(
        _("grace, minutes"), default=10, help_text=_("A cancellation this soon refunds everything.")
    )
    refund_unused = models.BooleanField(_("refund unused time"), default=True)

    class Meta:
        verbose_name = _("stay rules")
        verbose_name_plural = _("stay rules")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="stay_rules_shortest_within_longest",
                condition=Q(shortest_stay_min__lte=F("longest_stay_min")),
                violation_error_message=_("The shortest stay is longer than the longest stay."),
            ),
            models.CheckConstraint(
                name="stay_rules_step_divides_day",
                condition=Q(slot_step_min__in=[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]),
                violation_error_message=_("The step must divide an hour."),
            ),
            models.CheckConstraint(
                name="stay_rules_bookable_hours_both",
                condition=Q(bookable_from__isnull=True, bookable_to__isnull=True)
                | Q(bookable_from__isnull=False, bookable_to__isnull=False),
                violation_error_message=_("Give both ends of the bookable hours, or neither."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone}"


class Street(models.Model):
    """The line of a street, drawn beneath the map's tiles so that a map is never grey."""

    name = models.CharField(_("name"), max_length=160)
    geometry = models.MultiLineStringField(_("line"), srid=4326)
    width_m = models.PositiveSmallIntegerField(_("width, metres"), default=10)

    class Meta:
        ordering = ["name"]
        verbose_name = _("street")
        verbose_name_plural = _("streets")

    def __str__(self) -> str:
        return self.name


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


class Closure(models.Model):
    """A time in which a zone, or one spot of it, cannot be booked."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="closures", verbose_name=_("zone"))
    spot = models.ForeignKey(
        Spot,
        models.CASCADE,
        related_name="closures",
        null=True,
        blank=True,
        verbose_name=_("spot"),
        help_text=_("Empty: the whole zone."),
    )
    period = DateTimeRangeField(_("period"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        ordering = [Lower("period")]
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        indexes: ClassVar = [GistIndex(fields=["period"], name="closure_period")]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="closure_once_per_spot",
                expressions=[("spot", "="), ("period", "&&")],
                condition=Q(spot__isnull=False),
                violation_error_message=_("This spot is already closed in that time."),
            ),
            models.CheckConstraint(
                name="closure_has_both_ends",
                condition=Q(
                    period__isempty=False,
                    period__lower_inf=False,
                    period__upper_inf=False,
                ),
                violation_error_message=_("A closure needs a beginning and an end."),
            ),
        ]

    def __str__(self) -> str:
        return self.reason
