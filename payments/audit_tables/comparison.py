"""Three ways, stay by stay: what the booking owes, what the books hold, what the processor says.

Each payment stands for itself: a sum that is too high in one place never hides one that is too
low in another.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from payments import ledger
from payments.audit_tables.table import Column, Kind, Table, parameters
from payments.reports import Range

_WITHIN = (
    "{0} >= %(from)s::date::timestamp AT TIME ZONE %(time_zone)s"
    " AND {0} < (%(to)s::date + 1)::timestamp AT TIME ZONE %(time_zone)s"
)
# A stay owes its frozen price less what was decided to give back; one that was never confirmed, or
# whose money came a second time, owes nothing.
_COMPARED = f"""
SELECT * FROM (
  SELECT slot.id AS slot, booking.reference AS booking, zone.code AS zone, spot.number AS spot,
         (coalesce(payment.paid_at, slot.confirmed_at) AT TIME ZONE %(time_zone)s)::date AS day,
         coalesce(payment.currency, slot.currency) AS currency,
         payment.intent_id AS payment_intent,
         CASE WHEN slot.state IN ('confirmed', 'cancelled', 'replaced')
                AND NOT coalesce(payment.is_orphan, false)
                AND row_number() OVER (PARTITION BY slot.id
                                       ORDER BY payment.is_orphan, payment.paid_at, payment.id) = 1
              THEN slot.amount - coalesce(back.decided, 0) ELSE 0 END AS priced,
         coalesce(books.held, 0) AS books,
         coalesce(payment.captured, 0) - coalesce(back.made, 0) AS processor,
         coalesce(back.on_its_way, 0) AS on_its_way
  FROM parking_slot slot
  JOIN parking_booking booking ON booking.id = slot.booking_id
  JOIN parking_spot spot ON spot.id = slot.spot_id
  JOIN parking_zone zone ON zone.id = spot.zone_id
  LEFT JOIN payments_payment payment ON payment.slot_id = slot.id AND payment.state = 'paid'
  LEFT JOIN LATERAL (
    SELECT sum(refund.amount) FILTER (WHERE refund.state <> 'external') AS decided,
           sum(refund.amount) FILTER (WHERE refund.balance_transaction_id <> '') AS made,
           sum(refund.amount) FILTER (WHERE refund.balance_transaction_id = '') AS on_its_way
    FROM payments_refund refund
    WHERE refund.payment_id = payment.id AND refund.state NOT IN ('failed', 'cancelled')
  ) back ON true
  LEFT JOIN LATERAL (
    SELECT sum(line.amount) AS held
    FROM payments_ledgerentry entry JOIN payments_ledgerline line ON line.entry_id = entry.id
    WHERE entry.payment_id = payment.id AND line.account = '{ledger.CLEARING}'
      AND entry.kind IN ('capture', 'refund', 'refund_failed')
  ) books ON true
  WHERE slot.id IN (
      SELECT slot_id FROM payments_payment WHERE {_WITHIN.format("paid_at")}
      UNION SELECT id FROM parking_slot WHERE {_WITHIN.format("confirmed_at")}
    )
    AND (payment.id IS NOT NULL
      OR (slot.state IN ('confirmed', 'cancelled', 'replaced')
          AND slot.amount > 0 AND slot.free_reason = ''))
) stays
WHERE day BETWEEN %(from)s AND %(to)s AND (%(zone)s::text IS NULL OR zone = %(zone)s)
"""  # noqa: S608 (constants)

DIFFERENCES = Table(
    key="differences",
    title=_("Differences"),
    columns=(
        Column("day", _("Day"), "compared.day", Kind.DAY),
        Column("booking", _("Booking"), "compared.booking"),
        Column("zone", _("Zone"), "compared.zone", Kind.TEXT),
        Column("spot", _("Spot"), "compared.spot", Kind.TEXT),
        Column("payment_intent", _("Payment intent"), "compared.payment_intent"),
        Column("currency", _("Currency"), "compared.currency"),
        Column("priced", _("Bookings"), "compared.priced::bigint", Kind.MONEY),
        Column("books", _("Ledger"), "compared.books::bigint", Kind.MONEY),
        Column("processor", _("Processor"), "compared.processor::bigint", Kind.MONEY),
        Column("on_its_way", _("Refund on its way"), "compared.on_its_way::bigint", Kind.MONEY),
        Column(
            "books_less_bookings",
            _("Ledger less bookings"),
            "(compared.books - compared.priced)::bigint",
            Kind.MONEY,
        ),
        Column(
            "processor_less_books",
            _("Processor less ledger"),
            "(compared.processor - compared.books)::bigint",
            Kind.MONEY,
        ),
        Column("slot", _("Slot"), "compared.slot", Kind.WHOLE),
    ),
    source=f"""
FROM ({_COMPARED}) compared
WHERE compared.priced <> compared.books OR compared.books <> compared.processor""",
    order="day, booking, slot, payment_intent",
    is_of_the_ledger=False,
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All payments of a range, side by side. Minor units of the city's currency.

    What the books hold beyond the bookings (`over`) and what they lack (`short`) are summed
    apart, and so is the processor against the books.
    """

    compared: int
    different: int
    priced: int
    books: int
    processor: int
    books_over: int
    books_short: int
    processor_over: int
    processor_short: int
    paid_out: int


def compare(covered: Range) -> Comparison:
    """Return the sums of a range; the rows that differ are the table `DIFFERENCES`."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, parameters(covered))
        names = [column.name for column in cursor.description]
        row = cursor.fetchone()
    return Comparison(**dict(zip(names, map(int, row), strict=True)))


_SUMS = f"""
SELECT count(*) AS compared,
       count(*) FILTER (WHERE priced <> books OR books <> processor) AS different,
       coalesce(sum(priced), 0) AS priced, coalesce(sum(books), 0) AS books,
       coalesce(sum(processor), 0) AS processor,
       coalesce(sum(books - priced) FILTER (WHERE books > priced), 0) AS books_over,
       coalesce(sum(priced - books) FILTER (WHERE books < priced), 0) AS books_short,
       coalesce(sum(processor - books) FILTER (WHERE processor > books), 0) AS processor_over,
       coalesce(sum(books - processor) FILTER (WHERE processor < books), 0) AS processor_short,
       (SELECT coalesce(sum(line.amount), 0)
        FROM payments_ledgerline line JOIN payments_ledgerentry entry ON entry.id = line.entry_id
        WHERE line.account = '{ledger.BANK}' AND line.currency = %(currency)s
          AND entry.business_on BETWEEN %(from)s AND %(to)s) AS paid_out
FROM ({_COMPARED}) compared WHERE currency = %(currency)s
"""  # noqa: S608 (constants)
