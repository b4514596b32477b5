"""Walk the chain in stretches, and keep what each whole walk found."""

from django.db import migrations, models

VERIFIED_IN_STRETCHES = """
-- Walk the entries numbered after + 1 … after + at_most; tell how far the chain holds, and the
-- first broken link, if any: its number and what is wrong with it.
CREATE FUNCTION payments_ledger_verify(after bigint, at_most int)
RETURNS TABLE (reached bigint, reached_hash bytea, entry_number bigint, problem text)
LANGUAGE sql STABLE SET jit = off AS $$
  WITH chain AS (
    SELECT e.number, e.previous_hash, e.hash, lines.is_balanced,
           payments_ledger_hash(e.previous_hash, e, lines.content) AS computed
    FROM payments_ledgerentry e
    LEFT JOIN LATERAL (
      SELECT json_agg(json_build_array(position, account, amount, currency) ORDER BY position)
               AS content,
             CASE WHEN count(*) = 0 THEN NULL
                  WHEN min(currency) = max(currency) THEN sum(amount) = 0
                  ELSE NOT EXISTS (SELECT FROM payments_ledgerline WHERE entry_id = e.id
                                   GROUP BY currency HAVING sum(amount) <> 0)
             END AS is_balanced
      FROM payments_ledgerline WHERE entry_id = e.id
    ) lines ON true
    WHERE e.number > after AND e.number <= after + at_most
  ), anchor AS (
    SELECT CASE WHEN after = 0 THEN payments_ledger_genesis()
                ELSE (SELECT hash FROM payments_ledgerentry WHERE number = after) END AS hash
  ), linked AS (
    SELECT chain.*, lag(number, 1, after) OVER by_number + 1 AS expected,
           lag(chain.hash, 1, (SELECT hash FROM anchor)) OVER by_number AS before
    FROM chain WINDOW by_number AS (ORDER BY number)
  ), broken AS (
    SELECT CASE WHEN number <> expected THEN expected ELSE number END AS entry_number,
           CASE WHEN number <> expected THEN 'is missing'
                WHEN is_balanced IS NULL THEN 'has lost its lines'
                WHEN NOT is_balanced THEN 'does not balance'
                WHEN hash IS DISTINCT FROM computed THEN 'was changed'
                ELSE 'does not follow the entry before it' END AS problem
    FROM linked
    WHERE number <> expected OR hash IS DISTINCT FROM computed
       OR previous_hash IS DISTINCT FROM before OR is_balanced IS NOT TRUE
    ORDER BY number LIMIT 1
  ), last AS (
    SELECT number, hash FROM linked ORDER BY number DESC LIMIT 1
  )
  SELECT coalesce(last.number, after), coalesce(last.hash, anchor.hash),
         broken.entry_number, broken.problem
  FROM anchor LEFT JOIN last ON true LEFT JOIN broken ON true
$$;

CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_ledgercheck
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_ledgercheck
  EXECUTE FUNCTION payments_frozen();
"""

NOT_VERIFIED = """
DROP TRIGGER frozen_whole ON payments_ledgercheck;
DROP TRIGGER frozen ON payments_ledgercheck;
DROP FUNCTION payments_ledger_verify(bigint, int);
"""

# What a receipt looks for must not be looked for among all documents: each kind by its own index.
ISSUED = """
CREATE OR REPLACE FUNCTION payments_issue_document(e payments_ledgerentry)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  the_kind text := CASE e.kind WHEN 'capture' THEN 'receipt' WHEN 'refund' THEN 'credit_note'
                               WHEN 'refund_failed' THEN 'reversal' END;
  the_year int := extract(year FROM e.business_on);
  the_number int;
  reversed bigint;
BEGIN
  IF the_kind IS NULL THEN RETURN; END IF;
  IF the_kind = 'credit_note' THEN
    SELECT document.id INTO reversed
    FROM payments_ledgerentry other
    JOIN payments_document document ON document.entry_id = other.id
    WHERE other.payment_id = e.payment_id AND other.kind = 'capture';
  ELSIF the_kind = 'reversal' THEN
    SELECT document.id INTO reversed
    FROM payments_ledgerentry other
    JOIN payments_document document ON document.entry_id = other.id
    WHERE other.refund_id = e.refund_id AND other.kind = 'refund';
  END IF;
  INSERT INTO payments_documentseries AS series (kind, year, last_number)
  VALUES (the_kind, the_year, 1)
  ON CONFLICT (kind, year) DO UPDATE SET last_number = series.last_number + 1
  RETURNING last_number INTO the_number;
  INSERT INTO payments_document (kind, year, number, entry_id, reverses_id)
  VALUES (the_kind, the_year, the_number, e.id, reversed);
END $$;
"""

ISSUED_BEFORE = """
CREATE OR REPLACE FUNCTION payments_issue_document(e payments_ledgerentry)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  the_kind text := CASE e.kind WHEN 'capture' THEN 'receipt' WHEN 'refund' THEN 'credit_note'
                               WHEN 'refund_failed' THEN 'reversal' END;
  the_year int := extract(year FROM e.business_on);
  the_number int;
  reversed bigint;
BEGIN
  IF the_kind IS NULL THEN RETURN; END IF;
  SELECT document.id INTO reversed
  FROM payments_document document
  JOIN payments_ledgerentry other ON other.id = document.entry_id
  WHERE (the_kind = 'credit_note' AND other.kind = 'capture' AND other.payment_id = e.payment_id)
     OR (the_kind = 'reversal' AND other.kind = 'refund' AND other.refund_id = e.refund_id);
  INSERT INTO payments_documentseries AS series (kind, year, last_number)
  VALUES (the_kind, the_year, 1)
  ON CONFLICT (kind, year) DO UPDATE SET last_number = series.last_number + 1
  RETURNING last_number INTO the_number;
  INSERT INTO payments_document (kind, year, number, entry_id, reverses_id)
  VALUES (the_kind, the_year, the_number, e.id, reversed);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_names_in_the_books")]
    operations = [
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("number", models.BigIntegerField(verbose_name="up to entry")),
                ("hash", models.BinaryField()),
                ("took_ms", models.PositiveBigIntegerField(verbose_name="took, ms")),
                ("broken_number", models.BigIntegerField(null=True)),
                (
                    "problem",
                    models.CharField(blank=True, max_length=200, verbose_name="problem"),
                ),
            ],
            options={
                "verbose_name": "check of the ledger",
                "verbose_name_plural": "checks of the ledger",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(VERIFIED_IN_STRETCHES, NOT_VERIFIED),
        migrations.RunSQL(ISSUED, ISSUED_BEFORE),
    ]
