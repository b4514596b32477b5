"""What people in the office look after: exceptions, reconciliations, files that left."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from payments.models.payment import Payment


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
        DIFFERENCE = "difference", _("books and processor differ")
        PAYOUT = "payout", _("payout failed or does not tie")
        LATE_POSTING = "late_posting", _("posted after its day was closed")
        LARGE_REFUND = "large_refund", _("refund above a person's limit")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=300, unique=True)  # the same trouble is listed once
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="exceptions", null=True)
    detail = models.CharField(_("detail"), max_length=300)
    opened_at = models.DateTimeField(_("opened"))
    concerns_on = models.DateField(_("business day"), help_text=_("Whose books it is about."))
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
        ordering = ["-opened_at", "-id"]
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="exception_closed_after_opened",
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
            ),
            models.CheckConstraint(
                name="exception_closed_with_note",
                condition=Q(closed_at__isnull=True) | ~Q(note=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="exception_open_by_day",
                fields=["concerns_on"],
                condition=Q(closed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ExceptionStep(models.Model):
    """One line of an exception's history: who took it, noted what, closed it. Append-only."""

    class What(models.TextChoices):
        TAKEN = "taken", _("taken on")
        NOTED = "noted", _("noted")
        CLOSED = "closed", _("closed")

    exception = models.ForeignKey(MoneyException, models.PROTECT, related_name="steps")
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    what = models.CharField(_("what"), max_length=6, choices=What.choices)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("step of an exception")
        verbose_name_plural = _("steps of an exception")

    def __str__(self) -> str:
        return f"{self.exception_id} {self.what}"


class ReconciliationKind(models.TextChoices):
    """What was compared."""

    EVENTS = "events", _("events of the processor")
    BALANCE = "balance", _("balance transactions")
    PAYOUTS = "payouts", _("payouts")


class Reconciliation(models.Model):
    """One comparison with the processor's record: how far it reached and what differed."""

    kind = models.CharField(_("kind"), max_length=12, choices=ReconciliationKind.choices)
    started_at = models.DateTimeField(_("started"))
    reached_at = models.DateTimeField(_("complete up to"), null=True)  # empty: it broke off
    seen = models.PositiveIntegerField(_("looked at"), default=0)
    found = models.PositiveIntegerField(_("put right"), default=0)
    differences = models.JSONField(_("differences"), default=list)
    error = models.CharField(_("what went wrong"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        indexes: ClassVar = [
            models.Index(name="reconciliation_latest", fields=["kind", "-reached_at"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M}"


class ExportLog(models.Model):
    """One file that left the house: who, what, how many rows, which hash. Append-only."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    name = models.CharField(_("file"), max_length=160)
    parameters = models.JSONField(_("filters"))
    rows = models.BigIntegerField(_("rows"), null=True)
    manifest = models.JSONField(_("manifest"), null=True)
    # Each manifest names the one before it: the order in which files were sent whole.
    sequence = models.BigIntegerField(_("manifest number"), null=True, unique=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="export_whole_has_manifest",
                condition=Q(sequence__isnull=True, manifest__isnull=True, rows__isnull=True)
                | Q(sequence__isnull=False, manifest__isnull=False, rows__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
