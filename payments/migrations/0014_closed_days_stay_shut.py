"""Post nothing into a closed day, and let no period or step of an exception be rewritten."""

from django.db import migrations

# A posting holds the lock shared until its transaction ends, closing takes it alone: whoever
# closes a day has waited for everything that was on its way into it.
SQL = """
CREATE FUNCTION payments_open_day(wanted date) RETURNS date LANGUAGE plpgsql AS $$
DECLARE
  closed_until date;
BEGIN
  LOOP
    SELECT max(last_on) INTO closed_until FROM payments_closedperiod
    WHERE wanted BETWEEN first_on AND last_on;
    IF closed_until IS NULL THEN RETURN wanted; END IF;
    wanted := closed_until + 1;
  END LOOP;
END $$;

CREATE FUNCTION payments_post_into_open_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('payments.periods'));
  new.business_on := payments_open_day(new.business_on);
  RETURN new;
END $$;
CREATE TRIGGER into_open_day BEFORE INSERT ON payments_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION payments_post_into_open_day();

CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_closedperiod
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_closedperiod
  EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_acceptedexception
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_acceptedexception
  EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON payments_exceptionstep
  FOR EACH ROW EXECUTE FUNCTION payments_frozen();
CREATE TRIGGER frozen_whole BEFORE TRUNCATE ON payments_exceptionstep
  EXECUTE FUNCTION payments_frozen();
"""

UNDO = """
DROP TRIGGER frozen_whole ON payments_exceptionstep;
DROP TRIGGER frozen ON payments_exceptionstep;
DROP TRIGGER frozen_whole ON payments_acceptedexception;
DROP TRIGGER frozen ON payments_acceptedexception;
DROP TRIGGER frozen_whole ON payments_closedperiod;
DROP TRIGGER frozen ON payments_closedperiod;
DROP TRIGGER into_open_day ON payments_ledgerentry;
DROP FUNCTION payments_post_into_open_day();
DROP FUNCTION payments_open_day(date);
"""


class Migration(migrations.Migration):
    """Add the triggers."""

    dependencies = [("payments", "0013_closed_periods")]
    operations = [migrations.RunSQL(SQL, UNDO)]
