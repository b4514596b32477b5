"""A large city for measuring, made in the database in seconds."""

from __future__ import annotations

import json

from django.core.management import call_command
from django.db import connection

from parking.pricing import Tariff
from tests import cast

FIRST_HOUR = "date_trunc('hour', now()) + interval '1 hour'"
HOURS = 160  # within the seven days that a zone opens ahead

# The row of a hold and nothing else.
INSERT = f"""
INSERT INTO parking_slot
  (booking_id, spot_id, period, state, held_until, amount, currency, tariff_id, quote,
   free_reason, created_at)
VALUES
  (1, %(spot)s,
   tstzrange({FIRST_HOUR} + %(hour)s * interval '1 hour',
             {FIRST_HOUR} + (%(hour)s + 1) * interval '1 hour'),
   'held', now() + interval '10 minutes', 200, 'EUR', 1, '{{}}', '', now())
ON CONFLICT DO NOTHING
"""


def build(*, spots: int) -> None:
    """Migrate the database and lay out so many spots on a grid, in one zone at 2 € an hour."""
    call_command("migrate", verbosity=0)
    document = json.dumps(cast.TWO_EURO_AN_HOUR)
    sha = Tariff.parse(cast.TWO_EURO_AN_HOUR).sha256
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO parking_zone (id, code, name, boundary, is_active, updated_at) VALUES
              (1, 'bench', 'Bench', ST_Multi(ST_MakeEnvelope(24, 60, 26, 61, 4326)), true, now());
            INSERT INTO parking_stayrules (zone_id, longest_stay_min, shortest_stay_min,
              slot_step_min, book_ahead_days, grace_min, refund_unused)
            VALUES (1, 240, 15, 5, 7, 10, true);
            """
        )
        cursor.execute(
            "INSERT INTO parking_tariffversion (id, zone_id, version, document, sha256, state,"
            " in_force, created_at) VALUES (1, 1, 1, %s, %s, 'approved', '[2020-01-01,)', now())",
            [document, sha],
        )
        cursor.execute(
            """
            INSERT INTO parking_spot (id, zone_id, number, street, location, bearing, features,
              is_active, updated_at)
            SELECT n, 1, 'S' || n, 'Bench street ' || n / 100,
              ST_SetSRID(ST_MakePoint(24 + (n %% 400) * 0.0005, 60 + (n / 400) * 0.0005), 4326),
              0, '{}', true, now()
            FROM generate_series(1, %s) n
            """,
            [spots],
        )
        cursor.execute(
            "INSERT INTO parking_booking (id, reference, access_key, email, plate, vehicle_class,"
            " spot_id, language, created_at) VALUES (1, 'BENCH', 'x', 'x@example.org', 'X', '',"
            " 1, 'en', now())"
        )
        cursor.execute("SELECT setval('parking_booking_id_seq', 1)")
    settle()


def settle() -> None:
    """Give the planner its statistics and lay the spots out by place, as in production."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_am a ON a.oid = i.relam"
            " WHERE t.relname = 'parking_spot' AND a.amname = 'gist' LIMIT 1"
        )
        (index,) = cursor.fetchone()
        cursor.execute(f'CLUSTER parking_spot USING "{index}"')
        cursor.execute("VACUUM ANALYZE")
