"""A zone says how often a person may change bookings; three times, as it was for all."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0016_vehicles"),
    ]

    operations = [
        migrations.AddField(
            model_name="stayrules",
            name="corrections",
            field=models.PositiveSmallIntegerField(
                db_default=3,
                default=3,
                help_text="How often a person may change the plate, the spot or the time of bookings; what was changed in other zones counts. 0: bookings stay as they are.",
                validators=[django.core.validators.MaxValueValidator(100)],
                verbose_name="corrections within 30 days",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(("corrections__lte", 100)),
                name="stay_rules_corrections_bounded",
                violation_error_message="At most 100 corrections can be allowed.",
            ),
        ),
    ]
