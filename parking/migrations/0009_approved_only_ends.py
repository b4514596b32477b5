"""An approved tariff can be made to end sooner, and nothing else: not later, not elsewhere."""

from django.db import migrations

SQL = """
CREATE OR REPLACE FUNCTION parking_tariff_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'DELETE'
     OR (to_jsonb(new) - 'in_force') IS DISTINCT FROM (to_jsonb(old) - 'in_force')
     OR lower(new.in_force) IS DISTINCT FROM lower(old.in_force)
     OR lower_inc(new.in_force) IS DISTINCT FROM lower_inc(old.in_force)
     OR (new.in_force <@ old.in_force) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'an approved tariff cannot be changed, only ended'
      USING errcode = 'insufficient_privilege';
  END IF;
  RETURN new;
END $$;
"""

UNDO = """
CREATE OR REPLACE FUNCTION parking_tariff_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'DELETE'
     OR (to_jsonb(new) - 'in_force') IS DISTINCT FROM (to_jsonb(old) - 'in_force')
     OR lower(new.in_force) IS DISTINCT FROM lower(old.in_force)
  THEN
    RAISE EXCEPTION 'an approved tariff cannot be changed, only ended'
      USING errcode = 'insufficient_privilege';
  END IF;
  RETURN new;
END $$;
"""


class Migration(migrations.Migration):
    """Replace the trigger's function."""

    dependencies = [("parking", "0008_demand_pricing")]
    operations = [migrations.RunSQL(SQL, UNDO)]
