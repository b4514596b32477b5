"""Let PostgreSQL tell whoever waits that a meter, which only calls us, has another plan."""

from django.db import migrations

# Only for meters that nobody calls: a notice makes commits wait for each other.
SQL = """
CREATE FUNCTION parking_plan_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('curblight_plan', new.serial);
  RETURN NULL;
END $$;

CREATE TRIGGER meter_plan_news AFTER UPDATE OF plan_revision ON parking_meter
  FOR EACH ROW WHEN (new.edge_url = '' AND new.plan_revision <> old.plan_revision)
  EXECUTE FUNCTION parking_plan_news();
"""

UNDO = """
DROP TRIGGER meter_plan_news ON parking_meter;
DROP FUNCTION parking_plan_news();
"""


class Migration(migrations.Migration):
    dependencies = [("parking", "0020_light_occupied_since")]
    operations = [migrations.RunSQL(SQL, UNDO)]
