"""Payments, refunds and the books in the desk: read and followed from row to row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import formatting
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from payments.admin.read_only import ReadOnly
from payments.models import (
    LedgerEntry,
    LedgerLine,
    Payment,
    PaymentState,
    Refund,
)

# By the payment's state: who may do what, where.
_WAYS: dict[str, tuple[str, str, Any]] = {
    PaymentState.PAID: ("payments.request_refund", "payments:refund", _("Give money back")),
    PaymentState.OPEN: (
        "payments.force_release",
        "payments:release",
        _("Release the spot by force"),
    ),
}


class RefundInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Money of the payment that goes back."""

    model = Refund
    classes = ["desk-records"]
    fields = ["sum", "state", "reason", "actor", "created_at", "settled_at", "refund_id"]
    readonly_fields = ["sum"]

    @admin.display(description=_("amount"))
    def sum(self, refund: Refund) -> str:
        """Write the amount out in the payment's currency."""
        return formatting.money(refund.amount, refund.payment.currency)


@admin.register(Payment)
class PaymentAdmin(ReadOnly, ZoneScopedAdmin):
    """One attempt to move money for one slot."""

    zone_path = "slot__spot__zone"
    list_display = ["created_at", "booking", "zone", "sum", "state", "trouble", "card"]
    list_filter = ["state", "is_orphan", ("slot__spot__zone", ScopedFilter)]
    list_select_related = ["slot__booking", "slot__spot__zone"]
    search_fields = ["=slot__booking__reference", "=session_id", "=intent_id", "=charge_id"]
    search_help_text = _("Reference of the booking, or an id of the processor.")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    inlines = [RefundInline]
    fieldsets = [
        (None, {"fields": ["booking", "zone", ("sum", "state"), "trouble"]}),
        (_("When"), {"fields": [("created_at", "expires_at"), ("paid_at", "ended_at")]}),
        (
            _("At the processor"),
            {
                "fields": [
                    "session_id",
                    ("intent_id", "charge_id"),
                    ("balance_transaction_id", "fee_named"),
                    "card",
                    ("checked_at", "next_check_at", "checks_failed"),
                ]
            },
        ),
    ]
    readonly_fields = ["booking", "zone", "sum", "trouble", "way", "fee_named", "card"]

    @admin.display(description=_("booking"), ordering="slot__booking__reference")
    def booking(self, payment: Payment) -> SafeString:
        """Link to the booking's page, which auditors may see too; the desk's shows the citizen."""
        reference = payment.slot.booking.reference
        address = reverse("payments:booking", args=[reference])
        return format_html('<a href="{}">{}</a>', address, reference)

    @admin.display(description=_("zone"), ordering="slot__spot__zone__name")
    def zone(self, payment: Payment) -> str:
        """Name the zone."""
        return payment.slot.spot.zone.name

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, payment: Payment) -> str:
        """Write the amount out."""
        return formatting.money(payment.amount, payment.currency)

    @admin.display(description=_("trouble"))
    def trouble(self, payment: Payment) -> str:
        """Say what went wrong, if anything did."""
        late = gettext("Paid after its slot was given up.") if payment.is_orphan else ""
        return " ".join(part for part in (late, payment.failure) if part)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the ways out to who may take one."""
        sets = super().get_fieldsets(request, obj)
        way = _WAYS.get(obj.state) if obj is not None else None
        if way is None or not request.user.has_perm(way[0]):
            return sets
        return [*sets, (_("What can be done"), {"fields": ["way"]})]

    @admin.display(description=_("way"))
    def way(self, payment: Payment) -> SafeString:
        """Lead to the page on which an officer acts."""
        _permission, page, name = _WAYS[payment.state]
        return format_html('<a href="{}">{}</a>', reverse(page, args=[payment.pk]), name)

    @admin.display(description=_("processor's fee"))
    def fee_named(self, payment: Payment) -> str:
        """Write the fee out, once it is known."""
        return "" if payment.fee is None else formatting.money(payment.fee, payment.currency)

    @admin.display(description=_("card"))
    def card(self, payment: Payment) -> str:
        """Name the card's brand and last four digits; more of it never reaches us."""
        return f"{payment.card_brand} ···· {payment.card_last4}" if payment.card_last4 else ""


@admin.register(Refund)
class RefundAdmin(ReadOnly, ZoneScopedAdmin):
    """Money that goes back."""

    zone_path = "payment__slot__spot__zone"
    list_display = ["created_at", "booking", "sum", "state", "reason", "actor", "settled_at"]
    list_filter = ["state", "reason", ("payment__slot__spot__zone", ScopedFilter), "created_at"]
    list_select_related = ["payment__slot__booking", "payment__slot__spot__zone"]
    search_fields = ["=payment__slot__booking__reference", "=refund_id"]
    list_per_page = 50
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["booking", "payment", ("sum", "state"), "reason", "note", "actor"]}),
        (_("When"), {"fields": [("created_at", "settled_at")]}),
        (_("At the processor"), {"fields": ["refund_id", "balance_transaction_id", "failure"]}),
    ]
    readonly_fields = ["booking", "sum"]

    @admin.display(description=_("booking"))
    def booking(self, refund: Refund) -> str:
        """Name the booking."""
        return refund.payment.slot.booking.reference

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, refund: Refund) -> str:
        """Write the amount out."""
        return formatting.money(refund.amount, refund.payment.currency)


class LedgerLineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The accounts that the entry touches."""

    model = LedgerLine
    classes = ["desk-records"]
    fields = ["account", "sum"]
    readonly_fields = ["sum"]

    @admin.display(description=_("amount"))
    def sum(self, line: LedgerLine) -> str:
        """Write the amount out; debit is positive."""
        return formatting.money(line.amount, line.currency)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, ZoneScopedAdmin):
    """One balanced record; entries without a zone are shown to who sees the whole city."""

    list_display = ["number", "business_on", "kind", "zone", "booking_reference", "actor", "reason"]
    list_filter = ["kind", ("zone", ScopedFilter), "business_on"]
    list_select_related = ["zone"]
    search_fields = ["=number", "=booking_reference", "=provider_reference", "=key"]
    date_hierarchy = "business_on"
    list_per_page = 50
    show_full_result_count = False
    inlines = [LedgerLineInline]
    fieldsets = [
        (None, {"fields": [("number", "kind"), "zone", "booking_reference"]}),
        (_("Why"), {"fields": ["actor", "reason", "payment", "refund"]}),
        (_("When"), {"fields": ["occurred_at", "posted_at", "business_on"]}),
        (_("Proof"), {"fields": ["key", "provider_reference", "hash_named", "previous_named"]}),
    ]
    readonly_fields = ["hash_named", "previous_named"]

    @admin.display(description=_("hash"))
    def hash_named(self, entry: LedgerEntry) -> str:
        """Write the hash in hexadecimal digits."""
        return bytes(entry.hash).hex() if entry.hash else gettext("not sealed yet")

    @admin.display(description=_("hash of the entry before"))
    def previous_named(self, entry: LedgerEntry) -> str:
        """Write the hash in hexadecimal digits."""
        return bytes(entry.previous_hash).hex() if entry.previous_hash else ""
