"""Dated, immutable prices of a zone."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parking.models.city import Zone


class TariffState(models.TextChoices):
    """From the first sketch to the law in force. Superseded is derived from `in_force`."""

    DRAFT = "draft", _("draft")
    PROPOSED = "proposed", _("proposed")
    APPROVED = "approved", _("approved")


class Standing(models.TextChoices):
    """What a version is at a moment: its state, and for an approved one where time has got to."""

    DRAFT = "draft", _("draft")
    PROPOSED = "proposed", _("proposed")
    TO_COME = "to_come", _("approved, to come")
    IN_FORCE = "in_force", _("in force")
    SUPERSEDED = "superseded", _("superseded")


class TariffOrigin(models.TextChoices):
    """Who thought of the prices."""

    PEOPLE = "people", _("written by people")
    DEMAND = "demand", _("demand pricing")


class TariffVersion(models.Model):
    """One version of a zone's prices; a new price is a new version."""

    zone = models.ForeignKey(Zone, models.PROTECT, related_name="tariffs", verbose_name=_("zone"))
    version = models.PositiveIntegerField(_("version"))
    document = models.JSONField(_("document"))
    sha256 = models.CharField(_("hash"), max_length=64, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=TariffState.choices, default=TariffState.DRAFT
    )
    origin = models.CharField(
        _("origin"),
        max_length=10,
        choices=TariffOrigin.choices,
        default=TariffOrigin.PEOPLE,
        db_default=TariffOrigin.PEOPLE,
        editable=False,
    )
    in_force = DateTimeRangeField(_("in force"), null=True, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("proposed by"),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved by"),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["zone", "-version"]
        verbose_name = _("tariff version")
        verbose_name_plural = _("tariff versions")
        constraints: ClassVar = [
            models.UniqueConstraint("zone", "version", name="tariff_version_unique_in_zone"),
            ExclusionConstraint(
                name="tariff_one_in_force",
                expressions=[("zone", RangeOperators.EQUAL), ("in_force", RangeOperators.OVERLAPS)],
                condition=Q(state="approved"),
                violation_error_message=_("Another tariff of this zone is in force in that time."),
            ),
            models.CheckConstraint(
                name="tariff_approved_is_dated",
                condition=~Q(state="approved") | Q(in_force__isnull=False, in_force__isempty=False),
                violation_error_message=_("An approved tariff needs a time from which it holds."),
            ),
            models.CheckConstraint(
                name="tariff_approved_by_second_person",
                condition=Q(approved_by__isnull=True)
                | Q(proposed_by__isnull=True)
                | ~Q(approved_by=F("proposed_by")),
                violation_error_message=_("A second person must approve a tariff."),
            ),
            # The constraint above lets a version pass that nobody proposed, as an import writes it.
            models.CheckConstraint(
                name="tariff_demand_needs_two_people",
                condition=~Q(state="approved", origin="demand")
                | Q(proposed_by__isnull=False, approved_by__isnull=False),
                violation_error_message=_("Two people must approve what demand pricing proposes."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone} v{self.version}"

    def standing(self, now: datetime) -> Standing:
        """Say what the version is at the moment `now`."""
        if self.state != TariffState.APPROVED:
            return Standing(self.state)
        if now < self.in_force.lower:
            return Standing.TO_COME
        ended = self.in_force.upper is not None and self.in_force.upper <= now
        return Standing.SUPERSEDED if ended else Standing.IN_FORCE
