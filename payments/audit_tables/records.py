"""Records about the books: exceptions, payouts, closed periods, files, walks, documents."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments.audit_tables.table import Column, Kind, Table

_ON_THESE_DAYS = "(at AT TIME ZONE %(time_zone)s)::date BETWEEN %(from)s AND %(to)s"

FILES = Table(
    key="files",
    title=_("Files that left"),
    columns=(
        Column("id", _("Export"), "log.id", Kind.WHOLE),
        Column("at", _("When"), "log.at", Kind.LOCAL),
        Column("at_utc", _("When (UTC)"), "log.at", Kind.UTC),
        Column("who", _("Who"), "person.email", Kind.TEXT),
        Column("name", _("File"), "log.name", Kind.TEXT),
        Column("rows", _("Rows"), "log.rows", Kind.WHOLE),
        Column("manifest", _("Manifest"), "log.sequence", Kind.WHOLE),
        Column("sha256", _("SHA-256"), "log.manifest ->> 'sha256'"),
        Column("job", _("Background job"), "job.id", Kind.WHOLE),
        Column("state", _("State"), "job.state"),
    ),
    source=f"""
FROM payments_exportlog log
JOIN auth_user person ON person.id = log.user_id
LEFT JOIN payments_exportjob job ON job.log_id = log.id
WHERE {_ON_THESE_DAYS}""",
    order="id DESC",
    is_of_the_ledger=False,
)

CHECKS = Table(
    key="checks",
    title=_("Walks over the chain"),
    columns=(
        Column("at", _("When"), "at", Kind.LOCAL),
        Column("number", _("Up to entry"), "number", Kind.WHOLE),
        Column("hash", _("Hash there"), "encode(hash, 'hex')"),
        Column("took_ms", _("Took, ms"), "took_ms", Kind.WHOLE),
        Column("broken_number", _("Broken at"), "broken_number", Kind.WHOLE),
        Column("problem", _("Problem"), "problem", Kind.TEXT),
        Column("id", _("Walk"), "id", Kind.WHOLE),
    ),
    source=f"FROM payments_ledgercheck WHERE {_ON_THESE_DAYS}",
    order="id DESC",
    is_of_the_ledger=False,
)

SERIES = Table(
    key="series",
    title=_("Receipts and credit notes"),
    columns=(
        Column("year", _("Year"), "series.year", Kind.WHOLE),
        Column("kind", _("Kind"), "series.kind"),
        Column("last_number", _("Last number"), "series.last_number", Kind.WHOLE),
        Column("documents", _("Documents"), "count(document.id)", Kind.WHOLE),
        Column("missing", _("Missing"), "series.last_number - count(document.id)", Kind.WHOLE),
    ),
    source="""
FROM payments_documentseries series
LEFT JOIN payments_document document
  ON document.kind = series.kind AND document.year = series.year
WHERE series.year BETWEEN extract(year FROM %(from)s::date) AND extract(year FROM %(to)s::date)
GROUP BY series.id, series.year, series.kind, series.last_number""",
    order="year, kind",
    is_of_the_ledger=False,
)

EXCEPTIONS = Table(
    key="exceptions",
    title=_("Exceptions"),
    columns=(
        Column("id", _("Exception"), "exception.id", Kind.WHOLE),
        Column("business_day", _("Business day"), "exception.concerns_on", Kind.DAY),
        Column("kind", _("Kind"), "exception.kind"),
        Column("detail", _("What"), "exception.detail", Kind.TEXT),
        Column("booking", _("Booking"), "booking.reference"),
        Column("payment_intent", _("Payment intent"), "payment.intent_id"),
        Column("opened_at_local", _("Opened"), "exception.opened_at", Kind.LOCAL),
        Column("owner", _("Owner"), "owner.email", Kind.TEXT),
        Column("note", _("Note"), "exception.note", Kind.TEXT),
        Column("closed_at_local", _("Closed"), "exception.closed_at", Kind.LOCAL),
        Column("accepted", _("Accepted because"), "accepted.reason", Kind.TEXT),
    ),
    source="""
FROM payments_moneyexception exception
LEFT JOIN payments_payment payment ON payment.id = exception.payment_id
LEFT JOIN parking_slot slot ON slot.id = payment.slot_id
LEFT JOIN parking_booking booking ON booking.id = slot.booking_id
LEFT JOIN auth_user owner ON owner.id = exception.owner_id
LEFT JOIN LATERAL (
  SELECT string_agg(reason, '; ' ORDER BY id) AS reason
  FROM payments_acceptedexception WHERE exception_id = exception.id
) accepted ON true
WHERE exception.concerns_on BETWEEN %(from)s AND %(to)s""",
    order="id",
    is_of_the_ledger=False,
)

PAYOUTS = Table(
    key="payouts",
    title=_("What payouts carried"),
    columns=(
        Column("payout", _("Payout"), "payout.payout_id"),
        Column("made_at_local", _("Made"), "payout.created_at", Kind.LOCAL),
        Column("payout_on", _("Paid out on"), "payout.arrives_on", Kind.DAY),
        Column("balance_transaction", _("Balance transaction"), "part.balance_transaction_id"),
        Column("kind", _("Kind"), "part.type"),
        Column("net", _("Net"), "part.net", Kind.MONEY),
        Column("currency", _("Currency"), "payout.currency"),
        Column("known_at_local", _("Known since"), "part.known_at", Kind.LOCAL),
    ),
    source="""
FROM payments_payoutpart part JOIN payments_payout payout ON payout.id = part.payout_id
WHERE (payout.created_at AT TIME ZONE %(time_zone)s)::date BETWEEN %(from)s AND %(to)s""",
    order="made_at_local, payout, balance_transaction",
    is_of_the_ledger=False,
)

PERIODS = Table(
    key="periods",
    title=_("Closed periods"),
    columns=(
        Column("kind", _("Kind"), "period.kind"),
        Column("first_day", _("From"), "period.first_on", Kind.DAY),
        Column("last_day", _("To, included"), "period.last_on", Kind.DAY),
        Column("entries", _("Entries"), "period.entries", Kind.WHOLE),
        Column("last_number", _("Last number"), "period.last_number", Kind.WHOLE),
        Column("head_hash", _("Hash there"), "encode(period.head_hash, 'hex')"),
        Column("closed_at_local", _("Closed"), "period.closed_at", Kind.LOCAL),
        Column("closed_by", _("By"), "person.email", Kind.TEXT),
        Column(
            "accepted",
            _("Accepted exceptions"),
            "(SELECT count(*) FROM payments_acceptedexception WHERE period_id = period.id)",
            Kind.WHOLE,
        ),
    ),
    source="""
FROM payments_closedperiod period JOIN auth_user person ON person.id = period.closed_by_id
WHERE period.last_on >= %(from)s AND period.first_on <= %(to)s""",
    order="last_day, first_day",
    is_of_the_ledger=False,
)
