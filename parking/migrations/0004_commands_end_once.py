"""Let PostgreSQL itself refuse a second end of a command and a plan that goes back."""

from django.db import migrations

SQL = """
CREATE FUNCTION parking_command_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'command % has ended as %', old.id, old.state
    USING errcode = 'insufficient_privilege';
END $$;

CREATE TRIGGER meter_command_ends_once BEFORE UPDATE OF state ON parking_metercommand
  FOR EACH ROW WHEN (old.ended_at IS NOT NULL AND new.state IS DISTINCT FROM old.state)
  EXECUTE FUNCTION parking_command_ended();

CREATE FUNCTION parking_revision_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the plan of meter % cannot go back from revision % to %',
    old.serial, old.plan_revision, new.plan_revision USING errcode = 'insufficient_privilege';
END $$;

CREATE TRIGGER meter_revision_rises BEFORE UPDATE OF plan_revision ON parking_meter
  FOR EACH ROW WHEN (new.plan_revision < old.plan_revision)
  EXECUTE FUNCTION parking_revision_back();
"""

UNDO = """
DROP TRIGGER meter_revision_rises ON parking_meter;
DROP FUNCTION parking_revision_back();
DROP TRIGGER meter_command_ends_once ON parking_metercommand;
DROP FUNCTION parking_command_ended();
"""


class Migration(migrations.Migration):
    """Add the triggers."""

    dependencies = [("parking", "0003_meters_in_service")]
    operations = [migrations.RunSQL(SQL, UNDO)]
