"""That plates and addresses were forgotten: how many, when and why. Never whose."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parking.models.city import Zone


class ForgettingReason(models.TextChoices):
    """Why something about people was forgotten."""

    TERM = "term", _("the term was over")
    ASKED = "asked", _("the person asked for it")


class Forgetting(models.Model):
    """One stretch of forgetting. Append-only by trigger; it names nobody."""

    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("why"), max_length=5, choices=ForgettingReason.choices)
    zone = models.ForeignKey(
        Zone, models.PROTECT, related_name="forgettings", null=True, verbose_name=_("zone")
    )
    plate_days = models.PositiveSmallIntegerField(_("term, days"), null=True)
    plates = models.PositiveIntegerField(_("plates of bookings"), default=0)
    addresses = models.PositiveIntegerField(_("e-mail addresses of bookings"), default=0)
    vehicles = models.PositiveIntegerField(_("vehicles of accounts"), default=0)
    kept = models.PositiveIntegerField(
        _("kept for open cases"), default=0, help_text=_("Their term was over too.")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("forgotten plates and addresses")
        verbose_name_plural = _("forgotten plates and addresses")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="forgetting_term_is_of_a_zone",
                condition=Q(zone__isnull=True, plate_days__isnull=True)
                | Q(zone__isnull=False, plate_days__isnull=False, reason="term"),
            ),
            models.CheckConstraint(
                name="forgetting_forgot_something",
                condition=Q(plates__gt=0)
                | Q(addresses__gt=0)
                | Q(vehicles__gt=0)
                | Q(reason="asked"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.at:%Y-%m-%d %H:%M}"
