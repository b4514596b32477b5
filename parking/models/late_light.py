"""Lights that did not turn green for who had paid: noted, offered a way out, counted."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parking.models.booking import Booking
from parking.models.city import Spot
from parking.models.report import ReportOutcome


class LateLight(models.Model):
    """A light that was not green two minutes into a stay. One for each booking and spot."""

    booking = models.ForeignKey(
        Booking, models.PROTECT, related_name="late_lights", verbose_name=_("booking")
    )
    spot = models.ForeignKey(
        Spot, models.PROTECT, related_name="late_lights", verbose_name=_("spot")
    )
    noticed_at = models.DateTimeField(_("noticed"))
    offered_until = models.DateTimeField(_("may leave until"))
    came_right_at = models.DateTimeField(_("came right"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=10,
        blank=True,
        choices=[
            ("", _("stayed")),
            *(choice for choice in ReportOutcome.choices if choice[0] != ReportOutcome.TOLD),
        ],
    )
    moved_to = models.ForeignKey(
        Spot, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("went to")
    )

    class Meta:
        ordering = ["-noticed_at"]
        verbose_name = _("late light")
        verbose_name_plural = _("late lights")
        indexes: ClassVar = [
            models.Index(
                name="late_light_open",
                fields=["spot"],
                condition=Q(came_right_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["booking", "spot"], name="late_light_once"),
            models.CheckConstraint(
                name="late_light_moved_somewhere",
                condition=Q(outcome=ReportOutcome.MOVED, moved_to__isnull=False)
                | (~Q(outcome=ReportOutcome.MOVED) & Q(moved_to__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spot_id} {self.noticed_at:%Y-%m-%d %H:%M}"
