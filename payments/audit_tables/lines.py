"""One line for each ledger entry, with everything that an auditor asks of it.

What can change later stands in the entry itself, under its hash (zone, spot, who, why), or never
changes once it is known (the processor's ids, the fee), so that a closed period reads the same
for ever. An exception is named on the lines of its own day; a payout of which we heard after the
day was closed stands in the table of payouts alone.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments.audit_tables.table import Column, Kind, Table
from payments.reports import AMOUNTS, IN_RANGE

_PREFIX = "CASE {0}.kind WHEN 'receipt' THEN 'R' WHEN 'credit_note' THEN 'C' ELSE 'V' END"
_NAME = _PREFIX + " || '-' || {0}.year || '-' || lpad({0}.number::text, 6, '0')"

_MOVEMENT = """CASE entry.kind WHEN 'refund' THEN refund.balance_transaction_id
 WHEN 'refund_failed' THEN refund.failure_transaction_id
 WHEN 'capture' THEN payment.balance_transaction_id
 ELSE entry.provider_reference END"""
# Which payout carried the money to the bank, and when.
_PAYOUT = "coalesce(carried.id, CASE WHEN entry.kind = 'payout' THEN entry.reason END)"
_PAID_OUT_ON = "coalesce(carried.arrives_on, own_payout.arrives_on)"

COLUMNS = (
    Column("number", _("Number"), "entry.number", Kind.WHOLE),
    Column("hash", _("Hash"), "encode(entry.hash, 'hex')"),
    Column("posted_at_utc", _("Posted (UTC)"), "entry.posted_at", Kind.UTC),
    Column("posted_at_local", _("Posted"), "entry.posted_at", Kind.LOCAL),
    Column("occurred_at_utc", _("Occurred (UTC)"), "entry.occurred_at", Kind.UTC),
    Column("occurred_at_local", _("Occurred"), "entry.occurred_at", Kind.LOCAL),
    Column("business_day", _("Business day"), "entry.business_on", Kind.DAY),
    Column("kind", _("Kind"), "entry.kind"),
    Column("document", _("Receipt or credit note"), "document.name"),
    Column("reverses", _("Reverses"), "document.reverses"),
    Column("booking", _("Booking"), "entry.booking_reference"),
    Column("zone", _("Zone"), "coalesce(nullif(entry.zone_code, ''), zone.code)", Kind.TEXT),
    Column("spot", _("Spot"), "entry.spot_number", Kind.TEXT),
    Column("stay_from_local", _("From"), "lower(slot.period)", Kind.LOCAL),
    Column("stay_to_local", _("To"), "upper(slot.period)", Kind.LOCAL),
    Column(
        "minutes",
        _("Minutes"),
        "(extract(epoch FROM upper(slot.period) - lower(slot.period)) / 60)::int",
        Kind.WHOLE,
    ),
    Column("tariff_version", _("Tariff version"), "tariff.version", Kind.WHOLE),
    Column("gross", _("Gross"), "moved.clearing + moved.fees", Kind.MONEY),
    Column("tax_code", _("Tax code"), "slot.quote #>> '{tax,code}'", Kind.TEXT),
    Column(
        "tax_rate_percent",
        _("Tax rate"),
        "((slot.quote #>> '{tax,rate_bp}')::numeric * 0.01)",
        Kind.PERCENT,
    ),
    Column("tax", _("Tax"), "moved.tax", Kind.MONEY),
    Column("net", _("Net"), "moved.clearing + moved.fees - moved.tax", Kind.MONEY),
    Column("currency", _("Currency"), "moved.currency"),
    Column("processor_fee", _("Processor's fee"), "moved.fees", Kind.MONEY),
    Column("net_after_fee", _("Net after fee"), "moved.clearing", Kind.MONEY),
    Column("revenue", _("Revenue"), "moved.revenue", Kind.MONEY),
    Column("other_accounts", _("Other accounts"), "moved.other", Kind.MONEY),
    Column(
        "fee_of_payment",
        _("Fee of the payment"),
        "CASE WHEN entry.kind = 'capture' THEN payment.fee END",
        Kind.MONEY,
    ),
    Column(
        "payment_after_fee",
        _("Payment after its fee"),
        "CASE WHEN entry.kind = 'capture' THEN payment.captured - payment.fee END",
        Kind.MONEY,
    ),
    Column("card", _("Card"), "payment.card_brand"),
    Column("card_last4", _("Last four digits"), "payment.card_last4"),
    Column("payment_intent", _("Payment intent"), "payment.intent_id"),
    Column("charge", _("Charge"), "payment.charge_id"),
    Column("refund", _("Refund"), "refund.refund_id"),
    Column(
        "dispute",
        _("Dispute"),
        "CASE WHEN entry.kind IN ('dispute', 'dispute_won') THEN entry.reason END",
    ),
    Column(
        "balance_transaction",
        _("Balance transaction"),
        _MOVEMENT,
    ),
    Column("payout", _("Payout"), _PAYOUT),
    Column("payout_on", _("Paid out on"), _PAID_OUT_ON, Kind.DAY),
    Column("reason", _("Reason"), "entry.reason", Kind.TEXT),
    Column("actor", _("Who"), "entry.actor", Kind.TEXT),
    Column("approver", _("Approved by"), "entry.approver", Kind.TEXT),
    Column(
        "reconciled",
        _("Reconciled"),
        "CASE WHEN trouble.id IS NULL AND entry.posted_at <= (SELECT max(reached_at)"
        " FROM payments_reconciliation WHERE kind = 'balance') THEN 'yes' ELSE 'no' END",
    ),
    Column("exception", _("Exception"), "trouble.id"),
)

_ASKED = f"{IN_RANGE} AND entry.number IS NOT NULL"

LINES = Table(
    key="lines",
    title=_("Lines"),
    columns=COLUMNS,
    source=f"""
FROM payments_ledgerentry entry
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
JOIN LATERAL (
  SELECT min(line.currency) AS currency, {AMOUNTS}
  FROM payments_ledgerline line WHERE line.entry_id = entry.id
) moved ON true
LEFT JOIN payments_payment payment ON payment.id = entry.payment_id
LEFT JOIN payments_refund refund ON refund.id = entry.refund_id
LEFT JOIN parking_slot slot ON slot.id = payment.slot_id
LEFT JOIN parking_tariffversion tariff ON tariff.id = slot.tariff_id
LEFT JOIN LATERAL (
  SELECT {_NAME.format("own")} AS name, {_NAME.format("other")} AS reverses
  FROM payments_document own
  LEFT JOIN payments_document other ON other.id = own.reverses_id
  WHERE own.entry_id = entry.id
) document ON true
LEFT JOIN LATERAL (
  SELECT max(id) AS id FROM payments_moneyexception
  WHERE payment_id = entry.payment_id
    AND concerns_on = entry.business_on
) trouble ON true
LEFT JOIN LATERAL (
  SELECT payout.payout_id AS id, payout.arrives_on
  FROM payments_payoutpart part JOIN payments_payout payout ON payout.id = part.payout_id
  WHERE part.balance_transaction_id = {_MOVEMENT} AND part.balance_transaction_id <> ''
    AND part.known_at <= coalesce(
      (SELECT min(closed_at) FROM payments_closedperiod
       WHERE entry.business_on BETWEEN first_on AND last_on), 'infinity')
  ORDER BY payout.id DESC LIMIT 1
) carried ON true
LEFT JOIN payments_payout own_payout
  ON entry.kind = 'payout' AND own_payout.payout_id = entry.reason
WHERE {_ASKED}""",  # noqa: S608 (constants)
    order="number",
    counted=f"""
FROM payments_ledgerentry entry LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
WHERE {_ASKED}""",
)
