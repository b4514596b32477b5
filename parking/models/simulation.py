"""A question of the desk: past stays of a zone under a version of its tariff, and the answer."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parking.models.tariff import TariffVersion


class SimulationState(models.TextChoices):
    """QUEUED → RUNNING → DONE or FAILED; one whose worker died runs again."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


OPEN_STATES = (SimulationState.QUEUED, SimulationState.RUNNING)


class TariffSimulation(models.Model):
    """What the stays of a period would have cost under a version as it stood when asked.

    A draft can change afterwards: the run keeps the document that it prices.
    """

    version = models.ForeignKey(
        TariffVersion, models.CASCADE, related_name="simulations", verbose_name=_("tariff version")
    )
    document = models.JSONField(_("document"), editable=False)
    sha256 = models.CharField(_("hash"), max_length=64, editable=False)
    start_on = models.DateField(_("first day"))
    end_on = models.DateField(_("until before"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        verbose_name=_("asked by"),
    )
    asked_at = models.DateTimeField(_("asked"))
    state = models.CharField(
        _("state"), max_length=8, choices=SimulationState.choices, default=SimulationState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    beat_at = models.DateTimeField(null=True)  # when its worker was last seen alive
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)  # stays; known once they are read
    ended_at = models.DateTimeField(_("ended"), null=True)
    result = models.JSONField(null=True)  # of `parking.what_if.figures.Figures.as_json`

    class Meta:
        ordering = ["-id"]
        verbose_name = _("tariff simulation")
        verbose_name_plural = _("tariff simulations")
        indexes: ClassVar = [
            models.Index(
                name="simulation_open",
                fields=["id"],
                condition=Q(state__in=[SimulationState.QUEUED, SimulationState.RUNNING]),
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="simulation_period_forward",
                condition=Q(end_on__gt=F("start_on")),
                violation_error_message=_("The end must be after the first day."),
            ),
            models.CheckConstraint(
                name="simulation_done_has_result",
                condition=Q(state="done", result__isnull=False, ended_at__isnull=False)
                | (~Q(state="done") & Q(result__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} #{self.pk}"
