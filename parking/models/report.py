"""What people in the street tell the city: a case for its operators."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parking.models.booking import Booking
from parking.models.city import Spot


class ReportOutcome(models.TextChoices):
    """What became of the person who found the spot taken."""

    TOLD = "told", _("only told us")
    MOVED = "moved", _("went to another spot")
    REFUNDED = "refunded", _("got everything back")


class SpotReport(models.Model):
    """Somebody who had booked a spot found another vehicle there. One for each booking and spot."""

    booking = models.ForeignKey(
        Booking, models.PROTECT, related_name="spot_reports", verbose_name=_("booking")
    )
    spot = models.ForeignKey(Spot, models.PROTECT, related_name="reports", verbose_name=_("spot"))
    reported_at = models.DateTimeField(_("reported"))
    sensor_said = models.BooleanField(
        _("sensor said occupied"),
        null=True,
        blank=True,
        help_text=_("When it was reported; empty where the spot has no sensor."),
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=ReportOutcome.choices)
    moved_to = models.ForeignKey(
        Spot, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("went to")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("closed by"),
    )
    note = models.CharField(
        _("note"), max_length=200, blank=True, help_text=_("What was found, what was done.")
    )

    class Meta:
        ordering = ["-reported_at"]
        verbose_name = _("spot reported taken")
        verbose_name_plural = _("spots reported taken")
        indexes: ClassVar = [
            models.Index(
                name="spot_report_open",
                fields=["spot", "reported_at"],
                condition=Q(closed_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["booking", "spot"], name="spot_report_once"),
            models.CheckConstraint(
                name="spot_report_closed_with_note",
                condition=Q(closed_at__isnull=True) | ~Q(note=""),
                violation_error_message=_("Write what was found before you close the case."),
            ),
            models.CheckConstraint(
                name="spot_report_moved_somewhere",
                condition=Q(outcome=ReportOutcome.MOVED, moved_to__isnull=False)
                | (~Q(outcome=ReportOutcome.MOVED) & Q(moved_to__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spot_id} {self.reported_at:%Y-%m-%d %H:%M}"
