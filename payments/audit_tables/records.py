"""Records about the books: files that left, walks over the chain, series of documents."""

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
