"""Let PostgreSQL hold the books to their rules: balanced, append-only, numbered and chained."""

from django.db import migrations

FROZEN = """
CREATE FUNCTION payments_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', tg_table_name USING errcode = 'insufficient_privilege';
END $$;

CREATE TRIGGER frozen BEFORE DELETE ON payments_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_ledgerentry
  EXECUTE FUNCTION payments_frozen();
-- Sealing an unsealed entry is the only change there is.
CREATE TRIGGER frozen_but_for_sealing BEFORE UPDATE ON payments_ledgerentry
  FOR EACH ROW WHEN (
    old.number IS NOT NULL
    OR (to_jsonb(new) - 'number' - 'previous_hash' - 'hash')
       IS DISTINCT FROM (to_jsonb(old) - 'number' - 'previous_hash' - 'hash')
  ) EXECUTE FUNCTION payments_frozen();

CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_ledgerline
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_ledgerline
  EXECUTE FUNCTION payments_frozen();

CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_document
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_document
  EXECUTE FUNCTION payments_frozen();

CREATE TRIGGER frozen BEFORE DELETE ON payments_exportlog
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_exportlog
  EXECUTE FUNCTION payments_frozen();
-- A streamed file is entered before its rows are counted; that is filled in once.
CREATE TRIGGER frozen_once_counted BEFORE UPDATE ON payments_exportlog
  FOR EACH ROW WHEN (
    old.rows IS NOT NULL OR old.manifest IS NOT NULL
    OR (to_jsonb(new) - 'rows' - 'manifest') IS DISTINCT FROM (to_jsonb(old) - 'rows' - 'manifest')
  ) EXECUTE FUNCTION payments_frozen();
"""

THAW = """
DROP TRIGGER frozen_once_counted ON payments_exportlog;
DROP TRIGGER frozen_whole ON payments_exportlog;
DROP TRIGGER frozen ON payments_exportlog;
DROP TRIGGER frozen_whole ON payments_document;
DROP TRIGGER frozen ON payments_document;
DROP TRIGGER frozen_whole ON payments_ledgerline;
DROP TRIGGER frozen ON payments_ledgerline;
DROP TRIGGER frozen_but_for_sealing ON payments_ledgerentry;
DROP TRIGGER frozen_whole ON payments_ledgerentry;
DROP TRIGGER frozen ON payments_ledgerentry;
DROP FUNCTION payments_frozen();
"""

BALANCED = """
CREATE FUNCTION payments_ledger_line_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM payments_ledgerentry
             WHERE id = new.entry_id AND number IS NOT NULL) THEN
    RAISE EXCEPTION 'ledger entry % is sealed', new.entry_id
      USING errcode = 'insufficient_privilege';
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER allowed BEFORE INSERT ON payments_ledgerline
  FOR EACH ROW EXECUTE FUNCTION payments_ledger_line_allowed();

CREATE FUNCTION payments_ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  the_entry bigint := (to_jsonb(new) ->> tg_argv[0])::bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM payments_ledgerline WHERE entry_id = the_entry) THEN
    RAISE EXCEPTION 'ledger entry % has no lines', the_entry USING errcode = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM payments_ledgerline WHERE entry_id = the_entry
             GROUP BY currency HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'ledger entry % does not balance', the_entry
      USING errcode = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
-- At the end of the transaction: an entry and its lines are several statements.
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON payments_ledgerentry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION payments_ledger_balanced('id');
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON payments_ledgerline
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION payments_ledger_balanced('entry_id');
"""

UNBALANCED = """
DROP TRIGGER balanced ON payments_ledgerline;
DROP TRIGGER balanced ON payments_ledgerentry;
DROP FUNCTION payments_ledger_balanced();
DROP TRIGGER allowed ON payments_ledgerline;
DROP FUNCTION payments_ledger_line_allowed();
"""

CHAINED = """
CREATE FUNCTION payments_ledger_genesis() RETURNS bytea LANGUAGE sql IMMUTABLE
  RETURN sha256('curblight ledger'::bytea);

-- A JSON array, so that no text of one field can pass for two.
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

-- Give the document of an entry the next number of its kind and year, without a gap.
CREATE FUNCTION payments_issue_document(e payments_ledgerentry) RETURNS void LANGUAGE plpgsql AS $$
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

-- Number and chain what is committed and not yet numbered; return how many entries that were.
-- The head's row lock makes it one sealer at a time.
CREATE FUNCTION payments_ledger_seal(at_most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  head payments_ledgerhead;
  e payments_ledgerentry;
  sealed int := 0;
BEGIN
  -- The first sealer ever lays the foundation, and others wait for it here. Over an old chain
  -- nobody does.
  INSERT INTO payments_ledgerhead (id, number, hash)
  SELECT 1, 0, payments_ledger_genesis()
  WHERE NOT EXISTS (SELECT FROM payments_ledgerhead)
    AND NOT EXISTS (SELECT FROM payments_ledgerentry WHERE number IS NOT NULL)
  ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM payments_ledgerhead WHERE id = 1 FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the ledger has sealed entries but no head';
  END IF;
  FOR e IN SELECT * FROM payments_ledgerentry WHERE number IS NULL ORDER BY id LIMIT at_most LOOP
    head.number := head.number + 1;
    e.number := head.number;
    e.previous_hash := head.hash;
    head.hash := payments_ledger_hash(head.hash, e, payments_ledger_lines(e.id));
    UPDATE payments_ledgerentry
    SET number = head.number, previous_hash = e.previous_hash, hash = head.hash WHERE id = e.id;
    PERFORM payments_issue_document(e);
    sealed := sealed + 1;
  END LOOP;
  UPDATE payments_ledgerhead SET number = head.number, hash = head.hash WHERE id = 1;
  RETURN sealed;
END $$;

-- The first broken link of the chain, if any: its number and what is wrong with it.
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

UNCHAINED = """
DROP FUNCTION payments_ledger_verify();
DROP FUNCTION payments_ledger_seal(int);
DROP FUNCTION payments_issue_document(payments_ledgerentry);
DROP FUNCTION payments_ledger_lines(bigint);
DROP FUNCTION payments_ledger_hash(bytea, payments_ledgerentry, jsonb);
DROP FUNCTION payments_ledger_genesis();
"""


class Migration(migrations.Migration):
    """Add the triggers and the functions that seal and verify."""

    dependencies = [("payments", "0001_initial")]
    operations = [
        migrations.RunSQL(FROZEN, THAW),
        migrations.RunSQL(BALANCED, UNBALANCED),
        migrations.RunSQL(CHAINED, UNCHAINED),
    ]
