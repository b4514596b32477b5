"""What officers decide about money: refunds of their own, within limits, or by two of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from payments.models.payment import Payment, Refund


class RefundLimit(models.Model):
    """How much of one booking a member of the group may give back alone."""

    group = models.OneToOneField(
        Group, models.CASCADE, related_name="refund_limit", verbose_name=_("group")
    )
    amount = models.PositiveBigIntegerField(
        _("limit per booking"), help_text=_("Minor units. Groups without a limit may give none.")
    )

    class Meta:
        ordering = ["group__name"]
        verbose_name = _("refund limit")
        verbose_name_plural = _("refund limits")

    def __str__(self) -> str:
        return f"{self.group}: {self.amount}"


class RefundDecision(models.TextChoices):
    """What the second person said."""

    WAITING = "waiting", _("waiting")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")


class RefundRequest(models.Model):
    """A refund above its asker's limit: a second person decides. The first cannot be the second."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refund_requests")
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    note = models.CharField(_("reason"), max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"))
    decision = models.CharField(
        _("decision"),
        max_length=8,
        choices=RefundDecision.choices,
        default=RefundDecision.WAITING,
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    refund = models.OneToOneField(Refund, models.PROTECT, related_name="asked_as", null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("refund that waits for a second person")
        verbose_name_plural = _("refunds that wait for a second person")
        constraints: ClassVar = [
            models.CheckConstraint(name="refund_request_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="refund_request_has_reason", condition=~Q(note="")),
            models.CheckConstraint(
                name="refund_request_two_persons",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="refund_request_decided_whole",
                condition=Q(decision="waiting", decided_by__isnull=True, refund__isnull=True)
                | Q(decision="refused", decided_by__isnull=False, refund__isnull=True)
                | Q(decision="approved", decided_by__isnull=False, refund__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} {self.amount}"
