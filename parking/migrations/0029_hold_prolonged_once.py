"""A hold is prolonged once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Let the history hold one such line for each slot."""

    dependencies = [("parking", "0028_plain_names")]

    operations = [
        migrations.AddConstraint(
            model_name="bookingevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(kind="hold prolonged"),
                fields=["slot"],
                name="booking_hold_prolonged_once",
                violation_error_message="This hold has been prolonged already.",
            ),
        ),
    ]
