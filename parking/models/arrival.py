"""Who must have parked by when, in zones that give unused spots to others."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parking.models.booking import Booking


class ArrivalOutcome(models.TextChoices):
    """WAITING → one of the others, once."""

    WAITING = "waiting", _("not decided yet")
    RELEASED = "released", _("nobody came, given to others")
    CAME = "came", _("somebody parked")
    UNCLEAR = "unclear", _("not certain, so kept")


class ArrivalWatch(models.Model):
    """A booking whose spot is given to others where nobody parks: made with the hold, decided once.

    It keeps that somebody came, never when: only a release keeps what the sensor had said.
    """

    booking = models.OneToOneField(
        Booking,
        models.CASCADE,
        related_name="arrival_watch",
        primary_key=True,
        verbose_name=_("booking"),
    )
    release_after_min = models.PositiveSmallIntegerField(
        _("kept for, minutes"), help_text=_("The zone's rule, frozen when the spot was held.")
    )
    look_at = models.DateTimeField(_("next look"))
    more_time_at = models.DateTimeField(_("“I am on my way”"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=8,
        choices=ArrivalOutcome.choices,
        default=ArrivalOutcome.WAITING,
        db_default=ArrivalOutcome.WAITING,
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    free_since = models.DateTimeField(_("sensor said free since"), null=True, blank=True)
    last_word_at = models.DateTimeField(_("sensor's last word"), null=True, blank=True)

    class Meta:
        ordering = [F("decided_at").desc(nulls_last=True), "-booking"]
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals and no-shows")
        indexes: ClassVar = [
            # As long as the stays that somebody waits for, not as all that ever were.
            models.Index(
                name="arrival_to_look_at",
                fields=["look_at"],
                condition=Q(outcome=ArrivalOutcome.WAITING),
            ),
            models.Index(name="arrival_by_decision", fields=["decided_at"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="arrival_decision_is_dated",
                condition=Q(outcome=ArrivalOutcome.WAITING, decided_at__isnull=True)
                | (~Q(outcome=ArrivalOutcome.WAITING) & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="arrival_release_has_evidence",
                condition=~Q(outcome=ArrivalOutcome.RELEASED)
                | Q(free_since__isnull=False, last_word_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking}"
