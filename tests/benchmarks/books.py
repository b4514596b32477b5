"""Books of any size, written in the database in seconds: paid stays with tax and fees.

Half of the rows are captures of three lines, half are fees of two. They are sealed by the ledger's
own function; `chained=False` writes numbers and hashes that no seal gave, where only the reading
of many rows is measured.
"""

from __future__ import annotations

from django.db import connection

from tests.benchmarks import city

SPOTS, DAYS = 1_000, 365

# The constraints that keep stays apart cost minutes at millions of rows, which none of them breaks.
_STAYS = """
SET session_replication_role = replica;
DO $$ DECLARE one name; BEGIN
  FOR one IN SELECT conname FROM pg_constraint
    WHERE conrelid = 'parking_slot'::regclass AND contype = 'x'
  LOOP EXECUTE format('ALTER TABLE parking_slot DROP CONSTRAINT %%I', one); END LOOP;
END $$;
INSERT INTO parking_booking (id, reference, access_key, email, plate, vehicle_class, spot_id,
  language, created_at)
SELECT 1 + n, lpad(to_hex(n), 8, '0'), 'x', 'x@example.org', 'X', '', 1 + n %% %(spots)s, 'en',
  '2026-01-01'
FROM generate_series(1, %(stays)s) n;
INSERT INTO parking_slot (id, booking_id, spot_id, period, state, held_until, amount, currency,
  tariff_id, quote, free_reason, created_at, confirmed_at)
SELECT n, 1 + n, 1 + n %% %(spots)s, tstzrange(at, at + interval '90 minutes'), 'confirmed', at,
  300, 'EUR', 1, '{"tax": {"code": "standard", "rate_bp": 2000, "net": 250, "tax": 50}}', '', at, at
FROM generate_series(1, %(stays)s) n,
  LATERAL (SELECT '2026-01-01 00:00+00'::timestamptz
    + n / %(spots)s * interval '1 day' * %(days)s / (%(stays)s / %(spots)s + 1) AS at) moment;
INSERT INTO payments_payment (id, slot_id, amount, currency, state, idempotency_key, request,
  expires_at, intent_id, charge_id, session_url, balance_transaction_id, captured, fee, card_brand,
  card_last4, is_orphan, failure, created_at, paid_at, checks_failed)
SELECT md5(id::text)::uuid, id, 300, 'EUR', 'paid', 'k' || id, '{}', created_at, 'pi_' || id,
  'ch_' || id, '', 'txn_' || id, 300, 28, 'visa', '4242', false, '', created_at, created_at, 0
FROM parking_slot;
"""
_ENTRIES = """
INSERT INTO payments_ledgerentry (id, key, kind, zone_id, zone_code, spot_number, payment_id,
  booking_reference, provider_reference, actor, approver, reason, occurred_at, posted_at,
  business_on)
SELECT 2 * slot.id - 1 + which.fee, which.kind || ':' || slot.id, which.kind, 1, 'bench',
  'S' || slot.spot_id, md5(slot.id::text)::uuid, lpad(to_hex(slot.id), 8, '0'), 'ch_' || slot.id,
  'processor', '', '', slot.created_at, slot.created_at, slot.created_at::date
FROM parking_slot slot, (VALUES (0, 'capture'), (1, 'fee')) which (fee, kind)
ORDER BY 1;
INSERT INTO payments_ledgerline (entry_id, position, account, amount, currency)
SELECT 2 * slot.id - 1 + line.fee, line.position, line.account, line.amount, 'EUR'
FROM parking_slot slot, (VALUES (0, 1, 'psp_clearing', 300), (0, 2, 'parking_revenue:bench', -250),
  (0, 3, 'tax_payable:standard', -50), (1, 1, 'psp_fees', 28), (1, 2, 'psp_clearing', -28)
) line (fee, position, account, amount)
ORDER BY 1, 2;
SET session_replication_role = origin;
"""
_NUMBERED = """
SET session_replication_role = replica;
UPDATE payments_ledgerentry SET number = id, hash = sha256(key::bytea), previous_hash = sha256('');
INSERT INTO payments_document (kind, year, number, entry_id)
SELECT 'receipt', 2026, (id + 1) / 2, id FROM payments_ledgerentry WHERE kind = 'capture';
INSERT INTO payments_ledgerhead (id, number, hash)
SELECT 1, number, hash FROM payments_ledgerentry ORDER BY number DESC LIMIT 1;
SET session_replication_role = origin;
"""


def build(*, rows: int, chained: bool) -> None:
    """Migrate the database and write so many ledger entries, an even number."""
    city.build(spots=SPOTS)
    numbers = {"stays": rows // 2, "spots": SPOTS, "days": DAYS}
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, numbers)
        cursor.execute(_ENTRIES)
        if not chained:
            cursor.execute(_NUMBERED)
        cursor.execute("VACUUM ANALYZE")
