"""The nouns of money. `.state` is written by `payments.states` alone."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from uuid6 import uuid7

from parking.models import Slot, Zone


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
    next_check_at = models.DateTimeField(_("ask again"))
    checks_failed = models.PositiveIntegerField(default=0)  # in a row; drives the back-off

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions: ClassVar = [
            ("view_audit", "Can read and export the audit reports"),
            ("request_refund", "Can ask for a refund"),
        ]
        indexes: ClassVar = [
            models.Index(
                name="payment_due_check",
                fields=["next_check_at"],
                condition=Q(state__in=UNDECIDED_STATES),
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
                condition=~Q(state="paid") | Q(paid_at__isnull=False, intent_id__isnull=False),
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


DEAD_REFUND_STATES = (RefundState.FAILED, RefundState.CANCELLED)


class RefundReason(models.TextChoices):
    """Why money goes back."""

    CANCELLED = "cancelled", _("cancelled by the citizen")
    UNUSED_TIME = "unused_time", _("unused time")
    LATE_PAYMENT = "late_payment", _("paid after the spot was given up")
    DUPLICATE = "duplicate", _("paid twice")
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
    idempotency_key = models.CharField(max_length=64, unique=True)
    refund_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    balance_transaction_id = models.CharField(max_length=255, blank=True)
    failure = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("requested"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("ask again"))
    checks_failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.CheckConstraint(name="refund_amount_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class WebhookEvent(models.Model):
    """An event of the processor, kept word for word, once."""

    event_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(_("type"), max_length=80)
    payload = models.JSONField(_("payload"))
    received_at = models.DateTimeField(_("received"))
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    is_matched = models.BooleanField(_("matched"), default=False)

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        indexes: ClassVar = [
            models.Index(
                name="webhook_unprocessed",
                fields=["received_at"],
                condition=Q(processed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class LedgerKind(models.TextChoices):
    """What a ledger entry records."""

    CAPTURE = "capture", _("payment")
    FEE = "fee", _("processor's fee")
    REFUND = "refund", _("refund")
    REFUND_FAILED = "refund_failed", _("refund came back")
    DISPUTE = "dispute", _("dispute")
    DISPUTE_WON = "dispute_won", _("dispute won")
    PAYOUT = "payout", _("payout")
    ADJUSTMENT = "adjustment", _("adjustment")


class LedgerEntry(models.Model):
    """One balanced accounting record. Append-only; numbered and chained when sealed."""

    number = models.BigIntegerField(_("number"), unique=True, null=True)
    key = models.CharField(_("business key"), max_length=300, unique=True)  # "capture:<pi>"
    kind = models.CharField(_("kind"), max_length=16, choices=LedgerKind.choices)
    zone = models.ForeignKey(Zone, models.PROTECT, related_name="+", null=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="entries", null=True)
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="entries", null=True)
    booking_reference = models.CharField(max_length=8, blank=True)
    provider_reference = models.CharField(max_length=255, blank=True)
    actor = models.CharField(_("who"), max_length=64)
    reason = models.CharField(_("why"), max_length=200, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    posted_at = models.DateTimeField(_("posted"))
    business_on = models.DateField(_("business day"))  # local date of `posted_at`
    previous_hash = models.BinaryField(null=True)
    hash = models.BinaryField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        indexes: ClassVar = [
            models.Index(name="ledger_by_day", fields=["business_on", "zone"]),
            models.Index(name="ledger_unsealed", fields=["id"], condition=Q(number__isnull=True)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="ledger_sealed_whole",
                condition=Q(number__isnull=True, hash__isnull=True, previous_hash__isnull=True)
                | Q(number__isnull=False, hash__isnull=False, previous_hash__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class LedgerLine(models.Model):
    """One account's part of an entry. The lines of an entry sum to zero per currency."""

    entry = models.ForeignKey(LedgerEntry, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    account = models.CharField(_("account"), max_length=64)
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units; debit is positive."))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        ordering = ["entry", "position"]
        verbose_name = _("ledger line")
        verbose_name_plural = _("ledger lines")
        indexes: ClassVar = [models.Index(name="ledger_line_by_account", fields=["account"])]
        constraints: ClassVar = [
            models.UniqueConstraint("entry", "position", name="ledger_line_once"),
            models.CheckConstraint(name="ledger_line_not_zero", condition=~Q(amount=0)),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class LedgerHead(models.Model):
    """The last sealed number and its hash; one row."""

    number = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="ledger_head_is_one_row", condition=Q(id=1))
        ]

    def __str__(self) -> str:
        return str(self.number)


class MoneyException(models.Model):
    """Something about money that a person must look at."""

    class Kind(models.TextChoices):
        ORPHAN = "orphan", _("paid after the spot was given up")
        AMOUNT = "amount", _("another amount or currency than asked")
        EXTERNAL_REFUND = "external_refund", _("refund made at the processor")
        REFUND_FAILED = "refund_failed", _("refund came back")
        DOUBLE_PAYMENT = "double_payment", _("paid twice")
        DISPUTE = "dispute", _("dispute")
        UNMATCHED = "unmatched", _("unknown to us")
        FORCED_RELEASE = "forced_release", _("released by an officer")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=300, unique=True)  # the same trouble is listed once
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="exceptions", null=True)
    detail = models.CharField(_("detail"), max_length=300)
    opened_at = models.DateTimeField(_("opened"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("owner"),
    )
    note = models.TextField(_("note"), blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="exception_closed_after_opened",
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ExportLog(models.Model):
    """One file that left the house: who, what, how many rows, which hash. Append-only."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    name = models.CharField(_("file"), max_length=160)
    parameters = models.JSONField(_("filters"))
    rows = models.BigIntegerField(_("rows"), null=True)
    manifest = models.JSONField(_("manifest"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return self.name
