"""What comes in from the processor, and what goes out by mail."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parking.models import Booking, Slot


class WebhookEvent(models.Model):
    """An event of the processor, kept once, as it came but for what payers typed."""

    event_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(_("type"), max_length=80)
    payload = models.JSONField(_("payload"))
    occurred_at = models.DateTimeField(_("occurred"))
    received_at = models.DateTimeField(_("received"))
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    is_matched = models.BooleanField(_("matched"), default=False)
    next_try_at = models.DateTimeField(_("next try"))
    tries = models.PositiveIntegerField(_("tries"), default=0)

    class Meta:
        ordering = ["-received_at"]
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        indexes: ClassVar = [
            models.Index(
                name="webhook_unprocessed",
                fields=["next_try_at"],
                condition=Q(processed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class MailKind(models.TextChoices):
    """Why we write to a citizen."""

    CONFIRMED = "confirmed", _("booking confirmed")
    CHANGED = "changed", _("booking changed")
    CANCELLED = "cancelled", _("booking cancelled")
    ORPHAN = "orphan", _("paid too late, money goes back")
    STARTS = "starts", _("the stay begins soon")
    NOBODY_YET = "nobody_yet", _("nobody has parked yet")
    UNLIT = "unlit", _("the light did not turn green")
    CLOSED = "closed", _("the city closes the spot")
    ENDS_SOON = "ends_soon", _("the stay ends in 15 minutes")
    ENDS_NOW = "ends_now", _("the stay ends in 5 minutes")
    ACCOUNT = "account", _("about an account")


class Mail(models.Model):
    """The outbox: a letter that is owed, written in the transaction that made it due.

    Its text is made when it is sent. `key` lets no letter be owed twice; the Message-ID comes
    from the row, so that a repeat after a crash is the same letter. A letter about an account has
    no booking but a text, which may hold a code: its row goes once it has left.
    """

    key = models.CharField(max_length=80, unique=True)  # "confirmed:<slot>"
    kind = models.CharField(_("kind"), max_length=12, choices=MailKind.choices)
    booking = models.ForeignKey(Booking, models.CASCADE, related_name="mails", null=True)
    message = models.JSONField(null=True)  # to, language, subject, text
    # A reminder is about this slot, and worth nothing once `not_after` has come.
    slot = models.ForeignKey(Slot, models.CASCADE, related_name="+", null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    amount = models.BigIntegerField(_("amount"), null=True, help_text=_("Minor units."))
    created_at = models.DateTimeField(_("due"))
    next_try_at = models.DateTimeField(_("next try"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("given up"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes: ClassVar = [
            models.Index(
                name="mail_due",
                fields=["next_try_at"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mail_about_booking_or_account",
                condition=Q(booking__isnull=True, message__isnull=False, kind="account")
                | (Q(booking__isnull=False, message__isnull=True) & ~Q(kind="account")),
            ),
        ]

    def __str__(self) -> str:
        return self.key
