"""Everything comes back for ten minutes after paying, at least: forms and imports refuse less."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0017_corrections_of_a_zone"),
    ]

    operations = [
        migrations.AlterField(
            model_name="stayrules",
            name="grace_min",
            field=models.PositiveSmallIntegerField(
                default=10,
                help_text="A cancellation this soon after paying refunds everything; at least 10.",
                validators=[django.core.validators.MinValueValidator(10)],
                verbose_name="grace, minutes",
            ),
        ),
    ]
