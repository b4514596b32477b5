"""Letters about accounts go through the outbox too."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0032_plates_vanish"),
        ("payments", "0016_late_lights"),
    ]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="message",
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name="mail",
            name="booking",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mails",
                to="parking.booking",
            ),
        ),
        migrations.AlterField(
            model_name="mail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirmed", "booking confirmed"),
                    ("changed", "booking changed"),
                    ("cancelled", "booking cancelled"),
                    ("orphan", "paid too late, money goes back"),
                    ("starts", "the stay begins soon"),
                    ("nobody_yet", "nobody has parked yet"),
                    ("unlit", "the light did not turn green"),
                    ("ends_soon", "the stay ends in 15 minutes"),
                    ("ends_now", "the stay ends in 5 minutes"),
                    ("account", "about an account"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("booking__isnull", True), ("kind", "account"), ("message__isnull", False)
                    ),
                    models.Q(
                        ("booking__isnull", False),
                        ("message__isnull", True),
                        models.Q(("kind", "account"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="mail_about_booking_or_account",
            ),
        ),
    ]
