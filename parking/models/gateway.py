"""How the addresses that meters are called at are doing, while one of them gives trouble."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Gateway(models.Model):
    """An address that did not answer lately; the row is gone when it answers again.

    With enough failures in a row its circuit breaker is open: nobody calls any meter there until
    `open_until`, and then a single call tries.
    """

    edge_url = models.CharField(_("address"), max_length=200, primary_key=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=1)
    failed_since = models.DateTimeField(_("not answering since"))
    opened_at = models.DateTimeField(_("not called since"), null=True)
    open_until = models.DateTimeField(_("next try"), null=True)
    tried_at = models.DateTimeField(_("last try"), null=True)
    trial_until = models.DateTimeField(null=True)  # one call tries now, and is given up then
    trials = models.PositiveIntegerField(_("tries in vain"), default=0)
    last_error = models.CharField(_("last error"), max_length=200)

    class Meta:
        ordering = ["edge_url"]
        verbose_name = _("gateway in trouble")
        verbose_name_plural = _("gateways in trouble")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="gateway_open_from_to",
                condition=Q(opened_at__isnull=True, open_until__isnull=True)
                | Q(opened_at__isnull=False, open_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.edge_url
