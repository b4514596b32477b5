"""A letter and a refund for whom the light did not turn green."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0015_refunds_by_officers"),
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
                    ("unlit", "the light did not turn green"),
                    ("ends_soon", "the stay ends in 15 minutes"),
                    ("ends_now", "the stay ends in 5 minutes"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="reason",
            field=models.CharField(
                choices=[
                    ("cancelled", "cancelled by the citizen"),
                    ("unused_time", "unused time"),
                    ("late_payment", "paid after the spot was given up"),
                    ("duplicate", "paid twice"),
                    ("changed", "stay changed by the citizen"),
                    ("occupied", "somebody else stood on the spot"),
                    ("unlit", "the light did not turn green"),
                    ("operator", "decided by an operator"),
                    ("external", "made at the processor"),
                ],
                max_length=16,
                verbose_name="reason",
            ),
        ),
    ]
