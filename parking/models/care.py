"""Work on meters: what people of the desk did, and why; and when somebody works at the pole."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parking.models.city import Spot
from parking.models.meter import Meter


class DeedKind(models.TextChoices):
    """What can be done to a meter."""

    LAMP_TEST = "lamp_test", _("lamps tested")
    KEY = "key", _("key rotated")
    MAINTENANCE = "maintenance", _("maintenance begun")
    PLANNED = "planned", _("maintenance planned")
    BACK = "back", _("maintenance ended")
    CALLED_OFF = "called_off", _("maintenance called off")


class MeterDeed(models.Model):
    """One thing that a person did to a meter, with the reason that they gave. Never changed."""

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="deeds", verbose_name=_("meter"))
    kind = models.CharField(_("what"), max_length=12, choices=DeedKind.choices)
    at = models.DateTimeField(_("when"))
    until = models.DateTimeField(_("until"), null=True)
    why = models.CharField(_("why"), max_length=200)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("who"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("work on a meter")
        verbose_name_plural = _("work on meters")
        constraints: ClassVar = [
            models.CheckConstraint(name="deed_says_why", condition=~models.Q(why="")),
            models.CheckConstraint(
                name="deed_ends_after_it_began",
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.get_kind_display()}"


class Maintenance(models.Model):
    """A time in which somebody works at a meter: planned, running, or over.

    Who ends it early shortens the period; who calls it off before it began leaves it as it was.
    Who did it and why stands in the deeds.
    """

    meter = models.ForeignKey(
        Meter, models.PROTECT, related_name="maintenances", verbose_name=_("meter")
    )
    period = DateTimeRangeField(_("period"))
    has_begun = models.BooleanField(default=False)
    is_off = models.BooleanField(_("called off"), default=False)
    why = models.CharField(_("why"), max_length=200)

    class Meta:
        ordering = ["-period"]
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenances")
        indexes: ClassVar = [
            # As long as what is planned, not as all that ever was.
            models.Index(
                name="maintenance_to_begin",
                fields=["period"],
                condition=Q(has_begun=False, is_off=False),
            ),
        ]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="maintenance_one_at_a_time",
                expressions=[("meter", "="), ("period", "&&")],
                condition=Q(is_off=False),
            ),
            models.CheckConstraint(
                name="maintenance_has_both_ends",
                condition=Q(period__lower_inf=False, period__upper_inf=False),
            ),
            models.CheckConstraint(name="maintenance_says_why", condition=~Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.why}"


class SeenAlarm(models.Model):
    """Somebody has seen an alarm and says what is done about it: while it lasts it is quiet.

    An alarm is computed, never stored; this names it. It is `over_at` when it has not stood for a
    while, so that the same trouble is loud when it comes again.
    """

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="+", verbose_name=_("meter"))
    spot = models.ForeignKey(
        Spot, models.PROTECT, related_name="+", null=True, verbose_name=_("spot")
    )
    kind = models.CharField(_("alarm"), max_length=12)
    word = models.CharField(_("fault"), max_length=64, blank=True)
    at = models.DateTimeField(_("seen"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("who"))
    why = models.CharField(_("what is done"), max_length=200)
    stood_at = models.DateTimeField(editable=False)
    over_at = models.DateTimeField(_("over"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("seen alarm")
        verbose_name_plural = _("seen alarms")
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="seen_alarm_once",
                fields=["meter", "kind", "spot", "word"],
                condition=Q(over_at__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="seen_alarm_says_why", condition=~Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.kind}"
