"""What people of the desk did to meters, and why. Written once, never changed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

from parking.models.meter import Meter


class DeedKind(models.TextChoices):
    """What can be done to a meter."""

    LAMP_TEST = "lamp_test", _("lamps tested")
    KEY = "key", _("key rotated")
    MAINTENANCE = "maintenance", _("maintenance begun")
    BACK = "back", _("maintenance ended")


class MeterDeed(models.Model):
    """One thing that a person did to a meter, with the reason that they gave."""

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
