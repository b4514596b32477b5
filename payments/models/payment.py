"""Attempts to move money, and the money back. `.state` is written by `payments.states` alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from parking.models import Slot


class PaymentState(models.TextChoices):
    """CREATED → OPEN → PAID | EXPIRED | FAILED; a declined card leaves it OPEN."""

    CREATED = "created", _("created")
    OPEN = "open", _("open")
    PAID = "paid", _("paid")
    EXPIRED = "expired", _("expired")
    FAILED = "failed", _("failed")


UNDECIDED_STATES = (PaymentState.CREATED, PaymentState.OPEN)


class Payment(models.Model):
    """One attempt to move money for one slot."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="payments")
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=10, choices=PaymentState.choices, default=PaymentState.CREATED
    )
    # What we asked, word for word, so that a repeat is the same request.
    idempotency_key = models.CharField(max_length=64, unique=True)
    request = models.JSONField(default=dict)
    expires_at = models.DateTimeField(_("processor's page ends"))
    # What the processor said
    session_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    session_url = models.TextField(blank=True)
    intent_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    charge_id = models.CharField(max_length=255, blank=True)
    balance_transaction_id = models.CharField(max_length=255, blank=True)
    captured = models.BigIntegerField(
        _("taken"), null=True, blank=True, help_text=_("Minor units, as the processor says.")
    )
    fee = models.BigIntegerField(_("processor's fee"), null=True, blank=True)
    card_brand = models.CharField(_("card"), max_length=32, blank=True)
    card_last4 = models.CharField(_("last four digits"), max_length=4, blank=True)
    is_orphan = models.BooleanField(
        _("orphan"), default=False, help_text=_("Paid after its slot was given up.")
    )
    failure = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    ended_at = models.DateTimeField(_("expired or failed"), null=True, blank=True)
    checked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    # Empty once the processor has nothing left to say
    next_check_at = models.DateTimeField(_("ask again"), null=True, blank=True)
    checks_failed = models.PositiveIntegerField(default=0)  # in a row; drives the back-off

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions: ClassVar = [
            ("view_audit", "Can read and export the audit reports"),
            ("request_refund", "Can ask for a refund"),
            ("approve_refund", "Can approve another person's refund"),
            ("force_release", "Can release a spot whose payment nobody could end"),
            ("handle_every_zone", "Handles money matters of every zone"),
        ]
        indexes: ClassVar = [
            models.Index(
                name="payment_due_check",
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["slot"],
                name="payment_one_undecided_per_slot",
                condition=Q(state__in=UNDECIDED_STATES),
            ),
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payment_paid_is_dated",
                condition=~Q(state="paid")
                | Q(paid_at__isnull=False, intent_id__isnull=False, captured__gt=0),
            ),
            models.CheckConstraint(
                name="payment_undecided_is_watched",
                condition=~Q(state__in=["created", "open"]) | Q(next_check_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefundState(models.TextChoices):
    """REQUESTED → SUBMITTED → PENDING → SUCCEEDED | FAILED | CANCELLED.

    EXTERNAL: first seen at the processor.
    """

    REQUESTED = "requested", _("requested")
    SUBMITTED = "submitted", _("submitted")
    PENDING = "pending", _("pending")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EXTERNAL = "external", _("made at the processor")


UNDECIDED_REFUND_STATES = (RefundState.REQUESTED, RefundState.SUBMITTED, RefundState.PENDING)
DEAD_REFUND_STATES = (RefundState.FAILED, RefundState.CANCELLED)


class RefundReason(models.TextChoices):
    """Why money goes back."""

    CANCELLED = "cancelled", _("cancelled by the citizen")
    UNUSED_TIME = "unused_time", _("unused time")
    LATE_PAYMENT = "late_payment", _("paid after the spot was given up")
    DUPLICATE = "duplicate", _("paid twice")
    CHANGED = "changed", _("stay changed by the citizen")
    OCCUPIED = "occupied", _("somebody else stood on the spot")
    UNLIT = "unlit", _("the light did not turn green")
    CLOSED = "closed", _("the city closed the spot")
    OPERATOR = "operator", _("decided by an operator")
    EXTERNAL = "external", _("made at the processor")


class Refund(models.Model):
    """Money of one payment that goes back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    state = models.CharField(
        _("state"), max_length=10, choices=RefundState.choices, default=RefundState.REQUESTED
    )
    reason = models.CharField(_("reason"), max_length=16, choices=RefundReason.choices)
    note = models.CharField(_("note"), max_length=200, blank=True)
    actor = models.CharField(_("who"), max_length=64)
    approver = models.CharField(_("approved by"), max_length=64, blank=True, db_default="")
    idempotency_key = models.CharField(max_length=64, unique=True)
    refund_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    balance_transaction_id = models.CharField(max_length=255, blank=True)
    failure_transaction_id = models.CharField(max_length=255, blank=True)  # the money came back
    failure = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("requested"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("ask again"), null=True, blank=True)
    checks_failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes: ClassVar = [
            models.Index(
                name="refund_due_check",
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="refund_undecided_is_watched",
                condition=~Q(state__in=["requested", "submitted", "pending"])
                | Q(next_check_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
