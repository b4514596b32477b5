"""Days and months whose books are closed. Append-only by trigger."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.models.desk import MoneyException


class PeriodKind(models.TextChoices):
    """How long a closed period is."""

    DAY = "day", _("day")
    MONTH = "month", _("month")


class ClosedPeriod(models.Model):
    """A day or month that a person closed: nothing is posted into it any more."""

    kind = models.CharField(_("kind"), max_length=5, choices=PeriodKind.choices)
    first_on = models.DateField(_("first day"))
    last_on = models.DateField(_("last day"))
    closed_at = models.DateTimeField(pgettext_lazy("a period", "closed"))
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    entries = models.BigIntegerField(_("entries"))
    # The ledger's head then: with it the chain proves what the books held.
    last_number = models.BigIntegerField(_("last number"))
    head_hash = models.BinaryField()

    class Meta:
        ordering = ["-last_on", "-first_on"]
        verbose_name = _("closed period")
        verbose_name_plural = _("closed periods")
        permissions: ClassVar = [("close_period", "Can close a day or month of the books")]
        constraints: ClassVar = [
            models.UniqueConstraint("kind", "first_on", name="period_closed_once"),
            models.CheckConstraint(
                name="period_runs_forwards",
                condition=Q(kind="day", first_on=F("last_on"))
                | Q(kind="month", first_on__lt=F("last_on"), first_on__day=1),
            ),
        ]
        indexes: ClassVar = [models.Index(name="period_by_end", fields=["last_on"])]

    def __str__(self) -> str:
        return f"{self.first_on} – {self.last_on}"


class AcceptedException(models.Model):
    """An exception that was still open when its period was closed, and why that is right."""

    period = models.ForeignKey(ClosedPeriod, models.PROTECT, related_name="accepted")
    exception = models.ForeignKey(MoneyException, models.PROTECT, related_name="accepted_in")
    reason = models.CharField(_("why"), max_length=300)

    class Meta:
        verbose_name = _("accepted exception")
        verbose_name_plural = _("accepted exceptions")
        constraints: ClassVar = [
            models.UniqueConstraint("period", "exception", name="exception_accepted_once"),
            models.CheckConstraint(name="exception_accepted_with_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.exception_id} {self.period_id}"
