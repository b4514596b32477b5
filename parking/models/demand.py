"""How a zone's prices may follow demand."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parking.models.city import Zone

SHORTEST_PAUSE_DAYS = 28


class DemandRule(models.Model):
    """The steps in which demand pricing may propose other prices. No row, no proposals.

    `step_amount`, `floor` and `ceiling` are minor units an hour.
    """

    zone = models.OneToOneField(
        Zone,
        models.CASCADE,
        related_name="demand_rule",
        primary_key=True,
        verbose_name=_("zone"),
    )
    step_amount = models.PositiveBigIntegerField(
        _("step an hour"), help_text=_("By so much a price rises or falls at a time.")
    )
    upper_pct = models.PositiveSmallIntegerField(
        _("rises from, percent"),
        default=80,
        help_text=_("Prices rise where at least this share of the time was taken."),
    )
    lower_pct = models.PositiveSmallIntegerField(
        _("falls below, percent"),
        default=60,
        help_text=_("Prices fall where less than this share of the time was taken."),
    )
    floor = models.PositiveBigIntegerField(
        _("lowest price an hour"), help_text=_("No price falls below it.")
    )
    ceiling = models.PositiveBigIntegerField(
        _("highest price an hour"), help_text=_("No price rises above it.")
    )
    days = models.PositiveSmallIntegerField(
        _("days between changes"),
        default=SHORTEST_PAUSE_DAYS,
        help_text=_("So many days are looked at, and prices hold for at least as long."),
    )

    class Meta:
        ordering = ["zone"]
        verbose_name = _("demand pricing rule")
        verbose_name_plural = _("demand pricing")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="demand_rule_step_moves",
                condition=Q(step_amount__gt=0),
                violation_error_message=_("A step of nothing changes nothing."),
            ),
            models.CheckConstraint(
                name="demand_rule_lower_below_upper",
                condition=Q(lower_pct__lte=F("upper_pct"), upper_pct__range=(1, 100)),
                violation_error_message=_(
                    "Prices fall below a share that is not above the one from which they rise;"
                    " both are percent."
                ),
            ),
            models.CheckConstraint(
                name="demand_rule_floor_below_ceiling",
                condition=Q(floor__lte=F("ceiling")),
                violation_error_message=_("The lowest price is above the highest."),
            ),
            models.CheckConstraint(
                name="demand_rule_pause",
                condition=Q(days__range=(SHORTEST_PAUSE_DAYS, 366)),
                violation_error_message=_("Prices follow demand at most every 28 days."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone}"
