"""Let an entry keep the names of its zone and spot, and who approved it, under its hash.

Entries that name none of them are hashed as before, so every chain that holds today goes on. Going
back drops the names, and with them the proof of the entries that bear them.
"""

from django.db import migrations, models

HASHED_WITH_NAMES = """
-- The next migration makes it anew, for these signatures.
DROP FUNCTION payments_ledger_verify();
DROP FUNCTION payments_ledger_hash(bytea, payments_ledgerentry, jsonb);
DROP FUNCTION payments_ledger_lines(bigint);

-- json writes the same text as jsonb for an array of plain values, in half of the time.
CREATE FUNCTION payments_ledger_hash(previous bytea, e payments_ledgerentry, lines json)
RETURNS bytea LANGUAGE sql STABLE
  RETURN sha256(previous || convert_to(CASE
    WHEN e.zone_code = '' AND e.spot_number = '' AND e.approver = '' THEN json_build_array(
      e.id, e.number, e.key, e.kind, e.zone_id, e.payment_id, e.refund_id, e.booking_reference,
      e.provider_reference, e.actor, e.reason,
      to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
      to_char(e.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
      to_char(e.business_on, 'YYYY-MM-DD'), lines)
    ELSE json_build_array(
      e.id, e.number, e.key, e.kind, e.zone_id, e.payment_id, e.refund_id, e.booking_reference,
      e.provider_reference, e.actor, e.reason,
      to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
      to_char(e.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
      to_char(e.business_on, 'YYYY-MM-DD'), lines,
      e.zone_code, e.spot_number, e.approver)
    END::text, 'UTF8'));

CREATE FUNCTION payments_ledger_lines(the_entry bigint) RETURNS json LANGUAGE sql STABLE
  RETURN (SELECT json_agg(json_build_array(position, account, amount, currency)
                          ORDER BY position)
          FROM payments_ledgerline WHERE entry_id = the_entry);
"""

HASHED_BEFORE = """
DROP FUNCTION payments_ledger_lines(bigint);
DROP FUNCTION payments_ledger_hash(bytea, payments_ledgerentry, json);

CREATE FUNCTION payments_ledger_hash(previous bytea, e payments_ledgerentry, lines jsonb)
RETURNS bytea LANGUAGE sql STABLE
  RETURN sha256(previous || convert_to(jsonb_build_array(
    e.id, e.number, e.key, e.kind, e.zone_id, e.payment_id, e.refund_id, e.booking_reference,
    e.provider_reference, e.actor, e.reason,
    to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    to_char(e.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    to_char(e.business_on, 'YYYY-MM-DD'), lines
  )::text, 'UTF8'));

CREATE FUNCTION payments_ledger_lines(the_entry bigint) RETURNS jsonb LANGUAGE sql STABLE
  RETURN (SELECT jsonb_agg(jsonb_build_array(position, account, amount, currency)
                           ORDER BY position)
          FROM payments_ledgerline WHERE entry_id = the_entry);

CREATE FUNCTION payments_ledger_verify()
RETURNS TABLE (entry_number bigint, problem text) LANGUAGE sql STABLE AS $$
  WITH lines AS (
    SELECT entry_id, jsonb_agg(jsonb_build_array(position, account, amount, currency)
                               ORDER BY position) AS content,
           min(currency) = max(currency) AND sum(amount) = 0 AS is_balanced
    FROM payments_ledgerline GROUP BY entry_id
  ), chain AS (
    SELECT e.number, e.previous_hash, e.hash, lines.is_balanced,
           payments_ledger_hash(e.previous_hash, e, lines.content) AS computed
    FROM payments_ledgerentry e LEFT JOIN lines ON lines.entry_id = e.id
    WHERE e.number IS NOT NULL
  ), linked AS (
    SELECT chain.*, lag(number, 1, 0::bigint) OVER by_number + 1 AS expected,
           lag(hash, 1, payments_ledger_genesis()) OVER by_number AS before
    FROM chain WINDOW by_number AS (ORDER BY number)
  ), broken AS (
    SELECT CASE WHEN number <> expected THEN expected ELSE number END AS entry_number,
           CASE WHEN number <> expected THEN 'is missing'
                WHEN is_balanced IS NOT TRUE THEN 'does not balance'
                WHEN hash IS DISTINCT FROM computed THEN 'was changed'
                ELSE 'does not follow the entry before it' END AS problem
    FROM linked
    WHERE number <> expected OR hash IS DISTINCT FROM computed OR previous_hash <> before
       OR is_balanced IS NOT TRUE
    ORDER BY number LIMIT 1
  ), last AS (
    SELECT coalesce(max(number), 0) AS number FROM chain
  ), head AS (
    SELECT number, hash FROM payments_ledgerhead WHERE id = 1
  )
  SELECT broken.entry_number, broken.problem FROM broken
  UNION ALL
  SELECT last.number + 1, CASE WHEN head.number IS NULL THEN 'the head is missing'
                               WHEN head.number > last.number THEN 'is missing'
                               ELSE 'the head does not agree' END
  FROM last LEFT JOIN head ON true
  WHERE NOT EXISTS (SELECT FROM broken)
    AND (head.number IS DISTINCT FROM last.number
         OR head.hash IS DISTINCT FROM coalesce(
              (SELECT chain.hash FROM chain WHERE chain.number = last.number),
              payments_ledger_genesis()))
    AND NOT (head.number IS NULL AND last.number = 0)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_release_rule")]
    operations = [
        migrations.AddField(
            model_name="ledgerentry",
            name="approver",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="approved by"
            ),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="spot_number",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="zone_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
        migrations.RunSQL(HASHED_WITH_NAMES, HASHED_BEFORE),
    ]
