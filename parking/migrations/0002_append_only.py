"""Let PostgreSQL itself refuse to rewrite history and approved prices."""

from django.db import migrations

SQL = """
CREATE FUNCTION parking_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', tg_table_name USING errcode = 'insufficient_privilege';
END $$;

CREATE TRIGGER booking_event_frozen BEFORE UPDATE OR DELETE ON parking_bookingevent
  FOR EACH ROW EXECUTE FUNCTION parking_frozen();

CREATE FUNCTION parking_tariff_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER tariff_frozen BEFORE UPDATE OR DELETE ON parking_tariffversion
  FOR EACH ROW WHEN (old.state = 'approved') EXECUTE FUNCTION parking_tariff_frozen();
"""

UNDO = """
DROP TRIGGER tariff_frozen ON parking_tariffversion;
DROP FUNCTION parking_tariff_frozen();
DROP TRIGGER booking_event_frozen ON parking_bookingevent;
DROP FUNCTION parking_frozen();
"""


class Migration(migrations.Migration):
    """Add the triggers."""

    dependencies = [("parking", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
