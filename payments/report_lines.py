"""One line for each ledger entry: what auditors get as a file. SQL, so that it can be copied."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from parking.money import currencies, exponent
from payments.reports import AMOUNTS, IN_RANGE, Range


def _harmless(column: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"CASE WHEN {column} ~ '^[=+@\\t\\r-]' THEN '''' || {column} ELSE {column} END"


def _decimal(amount: str) -> str:
    """Write minor units as a decimal number of the line's currency."""
    return f"round({amount}::numeric / power(10::numeric, money.places), money.places)"


_LOCAL = "'YYYY-MM-DD HH24:MI:SS'"
_UTC = '\'YYYY-MM-DD"T"HH24:MI:SS"Z"\''

COLUMNS: dict[str, str] = {
    "number": "entry.number",
    "hash": "encode(entry.hash, 'hex')",
    "posted_at_utc": f"to_char(entry.posted_at AT TIME ZONE 'UTC', {_UTC})",
    "posted_at_local": f"to_char(entry.posted_at AT TIME ZONE %(time_zone)s, {_LOCAL})",
    "occurred_at_utc": f"to_char(entry.occurred_at AT TIME ZONE 'UTC', {_UTC})",
    "occurred_at_local": f"to_char(entry.occurred_at AT TIME ZONE %(time_zone)s, {_LOCAL})",
    "business_day": "entry.business_on",
    "kind": "entry.kind",
    "document": "document.name",
    "reverses": "document.reverses",
    "booking": "entry.booking_reference",
    "zone": "zone.code",
    "spot": _harmless("spot.number"),
    "stay_from_local": f"to_char(lower(slot.period) AT TIME ZONE %(time_zone)s, {_LOCAL})",
    "stay_to_local": f"to_char(upper(slot.period) AT TIME ZONE %(time_zone)s, {_LOCAL})",
    "minutes": "(extract(epoch FROM upper(slot.period) - lower(slot.period)) / 60)::int",
    "tariff_version": "tariff.version",
    "currency": "money.currency",
    "clearing": _decimal("moved.clearing"),
    "revenue": _decimal("moved.revenue"),
    "tax_code": "slot.quote #>> '{tax,code}'",
    "tax_rate_percent": "((slot.quote #>> '{tax,rate_bp}')::numeric / 100)",
    "tax": _decimal("moved.tax"),
    "processor_fee": _decimal("moved.fees"),
    "other_accounts": _decimal("moved.other"),
    "card": "payment.card_brand",
    "card_last4": "payment.card_last4",
    "payment_intent": "payment.intent_id",
    "charge": "payment.charge_id",
    "refund": "refund.refund_id",
    "processor_reference": _harmless("entry.provider_reference"),
    "balance_transaction": (
        "coalesce(refund.balance_transaction_id, payment.balance_transaction_id)"
    ),
    "reason": _harmless("entry.reason"),
    "actor": _harmless("entry.actor"),
    "exception": "trouble.id",
}
_PLACES = ", ".join(f"('{code}', {exponent(code)})" for code in currencies())
_PREFIX = "CASE kind WHEN 'receipt' THEN 'R' WHEN 'credit_note' THEN 'C' ELSE 'V' END"
_NAME = "({0}) || '-' || {1}.year || '-' || lpad({1}.number::text, 6, '0')"

_LINES = f"""
SELECT {", ".join(f"{source} AS {name}" for name, source in COLUMNS.items())}
FROM payments_ledgerentry entry
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
JOIN LATERAL (
  SELECT min(line.currency) AS currency, {AMOUNTS}
  FROM payments_ledgerline line WHERE line.entry_id = entry.id
) moved ON true
JOIN (VALUES {_PLACES}) AS money (currency, places) ON money.currency = moved.currency
LEFT JOIN payments_payment payment ON payment.id = entry.payment_id
LEFT JOIN payments_refund refund ON refund.id = entry.refund_id
LEFT JOIN parking_slot slot ON slot.id = payment.slot_id
LEFT JOIN parking_spot spot ON spot.id = slot.spot_id
LEFT JOIN parking_tariffversion tariff ON tariff.id = slot.tariff_id
LEFT JOIN LATERAL (
  SELECT {_NAME.format(_PREFIX.replace("kind", "own.kind"), "own")} AS name,
         {_NAME.format(_PREFIX.replace("kind", "other.kind"), "other")} AS reverses
  FROM payments_document own
  LEFT JOIN payments_document other ON other.id = own.reverses_id
  WHERE own.entry_id = entry.id
) document ON true
LEFT JOIN LATERAL (
  SELECT max(id) AS id FROM payments_moneyexception WHERE payment_id = entry.payment_id
) trouble ON true
WHERE {IN_RANGE} AND entry.number IS NOT NULL
ORDER BY entry.number
"""  # noqa: S608 (constants)


def lines(covered: Range) -> tuple[str, dict[str, Any]]:
    """Return the query of a range's sealed entries, one line each, and its parameters."""
    return _LINES, {**covered.parameters(), "time_zone": settings.CITY_TIME_ZONE}
