"""Since when each light has shown what it should, or has not."""

from django.db import migrations, models

# What differs now is taken to have differed since it was asked: the heartbeats tell no better.
FILL = """
UPDATE parking_light
SET differs_since = CASE WHEN (reported_light, reported_pattern)
                              <> (desired_light, desired_pattern) THEN desired_at END,
    converged_at = CASE WHEN (reported_light, reported_pattern)
                             = (desired_light, desired_pattern) THEN reported_at END
"""


class Migration(migrations.Migration):
    dependencies = [("parking", "0018_grace_of_ten_minutes")]

    operations = [
        migrations.AddField(
            model_name="light",
            name="converged_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="right since"),
        ),
        migrations.AddField(
            model_name="light",
            name="differs_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="wrong since"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
