"""The books: balanced, append-only, numbered and chained. PostgreSQL holds them to it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parking.models import Zone
from payments.models.payment import Payment, Refund


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
    # As they were called when it was posted: a spot that gets another number changes no old line.
    zone_code = models.CharField(max_length=32, blank=True, default="", db_default="")
    spot_number = models.CharField(max_length=16, blank=True, default="", db_default="")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="entries", null=True)
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="entries", null=True)
    booking_reference = models.CharField(max_length=8, blank=True)
    provider_reference = models.CharField(max_length=255, blank=True)
    actor = models.CharField(_("who"), max_length=64)
    approver = models.CharField(
        _("approved by"), max_length=64, blank=True, default="", db_default=""
    )
    reason = models.CharField(_("why"), max_length=200, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    posted_at = models.DateTimeField(_("posted"))
    # The local date of `posted_at`, or the next day that is open (by trigger).
    business_on = models.DateField(_("business day"))
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
    account = models.CharField(pgettext_lazy("of the ledger", "account"), max_length=64)
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


class LedgerCheck(models.Model):
    """One walk over the whole chain: how far it came, and what it found. Append-only."""

    at = models.DateTimeField(_("at"))
    number = models.BigIntegerField(_("up to entry"))
    hash = models.BinaryField()
    took_ms = models.PositiveBigIntegerField(_("took, ms"))
    broken_number = models.BigIntegerField(null=True)
    problem = models.CharField(_("problem"), max_length=200, blank=True)  # empty: it holds

    class Meta:
        ordering = ["-id"]
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")

    def __str__(self) -> str:
        return f"{self.number}: {self.problem or 'holds'}"


class DocumentKind(models.TextChoices):
    """What a citizen or an auditor gets in hand."""

    RECEIPT = "receipt", _("receipt")
    CREDIT_NOTE = "credit_note", _("credit note")
    REVERSAL = "reversal", _("reversal of a credit note")


_DOCUMENT_PREFIX = {
    DocumentKind.RECEIPT: "R",
    DocumentKind.CREDIT_NOTE: "C",
    DocumentKind.REVERSAL: "V",
}


class DocumentSeries(models.Model):
    """The last number given in one year to one kind of document."""

    kind = models.CharField(max_length=12, choices=DocumentKind.choices)
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("kind", "year", name="document_series_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}: {self.last_number}"


class Document(models.Model):
    """A receipt or credit note. Numbered without a gap per year when its entry is sealed."""

    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind.choices)
    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveIntegerField(_("number"))
    entry = models.OneToOneField(LedgerEntry, models.PROTECT, related_name="document")
    reverses = models.ForeignKey(
        "self", models.PROTECT, related_name="reversed_by", null=True, verbose_name=_("reverses")
    )

    class Meta:
        ordering = ["year", "kind", "number"]
        verbose_name = _("receipt or credit note")
        verbose_name_plural = _("receipts and credit notes")
        constraints: ClassVar = [
            models.UniqueConstraint("kind", "year", "number", name="document_number_once")
        ]

    def __str__(self) -> str:
        return f"{_DOCUMENT_PREFIX[DocumentKind(self.kind)]}-{self.year}-{self.number:06}"
