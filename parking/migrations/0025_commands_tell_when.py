"""Let the database note when a command was delivered and when its plan was reported."""

from django.db import migrations

SQL = """
CREATE FUNCTION parking_command_delivered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  new.delivered_at := coalesce(new.ended_at, clock_timestamp());
  RETURN new;
END $$;

CREATE TRIGGER meter_command_delivered BEFORE UPDATE OF state ON parking_metercommand
  FOR EACH ROW WHEN (old.delivered_at IS NULL AND new.state IN ('accepted', 'applied'))
  EXECUTE FUNCTION parking_command_delivered();

-- A plan that is sent again although the meter has it: reported already, and no news.
CREATE FUNCTION parking_command_no_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.revision <= (SELECT reported_revision FROM parking_meter WHERE id = new.meter_id) THEN
    new.reported_at := new.created_at;
  END IF;
  RETURN new;
END $$;

CREATE TRIGGER meter_command_no_news BEFORE INSERT ON parking_metercommand
  FOR EACH ROW EXECUTE FUNCTION parking_command_no_news();

-- A report of a later plan is one of all plans before it. What is older than a day is nobody's
-- news. A meter that has lost its plan has to report it again.
CREATE FUNCTION parking_plan_reported() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.reported_revision < old.reported_revision THEN
    UPDATE parking_metercommand command SET reported_at = NULL
    WHERE command.meter_id = new.id AND command.ended_at IS NULL
      AND command.reported_at = command.created_at
      AND command.revision > new.reported_revision;
  ELSE
    UPDATE parking_metercommand command SET reported_at = new.last_seen_at
    WHERE command.meter_id = new.id AND command.reported_at IS NULL
      AND command.created_at > new.last_seen_at - interval '1 day'
      AND command.revision <= new.reported_revision;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER meter_plan_reported AFTER UPDATE OF reported_revision ON parking_meter
  FOR EACH ROW WHEN (new.reported_revision <> old.reported_revision)
  EXECUTE FUNCTION parking_plan_reported();

CREATE TRIGGER meter_deed_frozen BEFORE UPDATE OR DELETE ON parking_meterdeed
  FOR EACH ROW EXECUTE FUNCTION parking_frozen();
"""

UNDO = """
DROP TRIGGER meter_deed_frozen ON parking_meterdeed;
DROP TRIGGER meter_plan_reported ON parking_meter;
DROP FUNCTION parking_plan_reported();
DROP TRIGGER meter_command_no_news ON parking_metercommand;
DROP FUNCTION parking_command_no_news();
DROP TRIGGER meter_command_delivered ON parking_metercommand;
DROP FUNCTION parking_command_delivered();
"""


class Migration(migrations.Migration):
    """Add the triggers."""

    dependencies = [("parking", "0024_care_of_meters")]
    operations = [migrations.RunSQL(SQL, UNDO)]
