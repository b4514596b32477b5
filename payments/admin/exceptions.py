"""Exceptions as the desk lists them, and what each group may refund alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from parking import formatting
from parking.admin.scoping import ZoneScopedAdmin
from payments import exception_work
from payments.models import MoneyException, RefundLimit


class OpenFilter(admin.SimpleListFilter):
    """Exceptions that still wait for somebody."""

    title = _("open")
    parameter_name = "open"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        """Return yes and no."""
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the open ones, or the closed ones."""
        chosen = self.value()
        return queryset.filter(closed_at__isnull=chosen == "yes") if chosen else queryset


@admin.register(MoneyException)
class MoneyExceptionAdmin(ZoneScopedAdmin):
    """Something about money that a person looks at, notes and closes."""

    zone_path = "payment__slot__spot__zone"
    list_display = ["opened_at", "kind", "detail", "payment", "owner_named", "closed_at"]
    list_filter = [OpenFilter, "kind"]
    list_select_related = ["owner", "payment"]
    search_fields = ["=payment__slot__booking__reference", "detail"]
    actions = ["take_on", "close"]
    fieldsets = [
        (None, {"fields": ["kind", "detail", "payment", "opened_at", "closed_at"]}),
        (_("Work"), {"fields": ["owner_named", "note"]}),
    ]
    readonly_fields = ["kind", "detail", "payment", "opened_at", "closed_at", "owner_named"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no: the payment rules open exceptions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: they are records."""
        return False

    @admin.display(description=_("owner"), ordering="owner__email")
    def owner_named(self, exception: MoneyException) -> str:
        """Name who looks after it."""
        return exception.owner.email if exception.owner else ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the note by the rule, which keeps its history."""
        with suppress(exception_work.CannotWork):
            exception_work.note(
                exception_id=obj.pk,
                by=cast(User, request.user),
                text=obj.note,
                now=timezone.now(),
            )

    @admin.action(description=_("Take on myself"), permissions=["change"])
    def take_on(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make the person the owner."""
        self._each(request, queryset, exception_work.take)

    @admin.action(description=_("Close"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Close the exceptions that have a note; a note says what was found."""
        unexplained = self._each(request, queryset, exception_work.close)
        if unexplained:
            message = ngettext(
                "%(n)s stays open: write a note first.",
                "%(n)s stay open: write a note first.",
                unexplained,
            )
            self.message_user(request, message % {"n": unexplained}, messages.WARNING)

    def _each(self, request: HttpRequest, queryset: QuerySet[Any], step: Callable[..., Any]) -> int:
        """Take the step with each that is open and the person's; return how many lack a note."""
        unexplained = 0
        for row in self.own(request, queryset).filter(closed_at__isnull=True):
            try:
                step(exception_id=row.pk, by=request.user, now=timezone.now())
            except exception_work.NoteMissing:
                unexplained += 1
            except exception_work.AlreadyClosed:
                continue
        return unexplained


@admin.register(RefundLimit)
class RefundLimitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """How much each group may give back alone; for superusers."""

    list_display = ["group", "sum"]
    list_select_related = ["group"]

    @admin.display(description=_("limit per booking"), ordering="amount")
    def sum(self, limit: RefundLimit) -> str:
        """Write the amount out."""
        return formatting.money(limit.amount)
