"""What the processor did with money that it had taken: disputes and payouts.

`.state` of a dispute is written by `payments.states` alone; a payout is a copy of the processor's.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.models.payment import Payment


class DisputeState(models.TextChoices):
    """OPEN → WON | LOST | CLOSED; CLOSED: an inquiry that ended without money moving."""

    OPEN = "open", pgettext_lazy("a dispute", "open")
    WON = "won", _("won")
    LOST = "lost", _("lost")
    CLOSED = "closed", pgettext_lazy("a dispute", "closed")


class Dispute(models.Model):
    """A citizen's bank takes a payment back; the city may win it again."""

    dispute_id = models.CharField(max_length=255, unique=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    currency = models.CharField(_("currency"), max_length=3)
    state = models.CharField(
        _("state"), max_length=8, choices=DisputeState.choices, default=DisputeState.OPEN
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    opened_at = models.DateTimeField(_("opened"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints: ClassVar = [
            models.CheckConstraint(name="dispute_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="dispute_ended_is_dated",
                condition=Q(state="open", ended_at__isnull=True)
                | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.dispute_id


class Payout(models.Model):
    """Money on its way from the processor to the city's bank, as the processor says."""

    payout_id = models.CharField(max_length=255, unique=True)
    amount = models.BigIntegerField(_("amount"), help_text=_("Minor units; negative: taken back."))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("state"), max_length=20)  # the processor's own word
    is_itemised = models.BooleanField(_("names what is in it"))
    balance_transaction_id = models.CharField(max_length=255, blank=True)
    failure_transaction_id = models.CharField(max_length=255, blank=True)
    failure = models.CharField(_("what went wrong"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("made"))
    arrives_on = models.DateField(_("at the bank"))
    is_tied = models.BooleanField(
        _("ties to the books"),
        default=False,
        help_text=_("Its parts sum to it, each is in the books, and so is the bank's side."),
    )
    checked_at = models.DateTimeField(_("last compared"))

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")

    def __str__(self) -> str:
        return self.payout_id


class PayoutPart(models.Model):
    """One balance transaction that a payout carries. Its own is not among them."""

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="parts")
    balance_transaction_id = models.CharField(max_length=255)
    type = models.CharField(_("type"), max_length=40)
    net = models.BigIntegerField(_("net"), help_text=_("Minor units."))
    # What is known after a day was closed does not change what its files say.
    known_at = models.DateTimeField(_("known since"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("part of a payout")
        verbose_name_plural = _("parts of a payout")
        constraints: ClassVar = [
            models.UniqueConstraint("payout", "balance_transaction_id", name="payout_part_once")
        ]
        indexes: ClassVar = [
            models.Index(name="payout_of_transaction", fields=["balance_transaction_id"])
        ]

    def __str__(self) -> str:
        return self.balance_transaction_id
