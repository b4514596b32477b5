"""A letter to those whose spot waits for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_changes"),
    ]

    operations = [
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
                    ("ends_soon", "the stay ends in 15 minutes"),
                    ("ends_now", "the stay ends in 5 minutes"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
