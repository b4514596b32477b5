"""Two indexes that each booking paid for and no question used: account alone, reference by LIKE."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import parking.models.booking


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0014_release_rule"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # First, so that no moment is without it.
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.UniqueConstraint(
                fields=("reference",),
                name="booking_reference_unique",
                violation_error_message="Another booking has this reference.",
            ),
        ),
        migrations.AlterField(
            model_name="booking",
            name="reference",
            field=models.CharField(
                default=parking.models.booking.new_reference,
                max_length=8,
                verbose_name="reference",
            ),
        ),
        migrations.AlterField(
            model_name="booking",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="bookings",
                to=settings.AUTH_USER_MODEL,
                verbose_name="account",
            ),
        ),
    ]
