"""The vehicles of an account, so that nobody types a plate twice."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Vehicle(models.Model):
    """A vehicle that an account remembers. Bookings keep their own plate and know nothing of it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="vehicles",
        verbose_name=_("account"),
    )
    plate = models.CharField(_("plate"), max_length=16, help_text=_("In its one spelling."))
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("ISO 3166; empty: another one.")
    )
    name = models.CharField(pgettext_lazy("of a vehicle", "name"), max_length=40, blank=True)
    vehicle_class = models.CharField(_("vehicle class"), max_length=32, blank=True)
    is_default = models.BooleanField(_("offered first"), default=False)
    created_at = models.DateTimeField(_("added"))

    class Meta:
        ordering = [F("is_default").desc(), "id"]
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "plate"],
                name="vehicle_once_per_account",
                violation_error_message=_("This vehicle is in your list already."),
            ),
            models.UniqueConstraint(
                fields=["owner"],
                name="vehicle_one_offered_first",
                condition=Q(is_default=True),
                violation_error_message=_("Another vehicle is offered first."),
            ),
        ]

    def __str__(self) -> str:
        return f"vehicle {self.pk}"  # a plate must not reach a log by accident
