"""Who has seen which alarm, and what is done about it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0033_planned_maintenance"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SeenAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12, verbose_name="alarm")),
                ("word", models.CharField(blank=True, max_length=64, verbose_name="fault")),
                ("at", models.DateTimeField(verbose_name="seen")),
                ("why", models.CharField(max_length=200, verbose_name="what is done")),
                ("stood_at", models.DateTimeField(editable=False)),
                ("over_at", models.DateTimeField(null=True, verbose_name="over")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "meter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parking.meter",
                        verbose_name="meter",
                    ),
                ),
                (
                    "spot",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parking.spot",
                        verbose_name="spot",
                    ),
                ),
            ],
            options={
                "verbose_name": "seen alarm",
                "verbose_name_plural": "seen alarms",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("over_at__isnull", True)),
                        fields=("meter", "kind", "spot", "word"),
                        name="seen_alarm_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("why", ""), _negated=True), name="seen_alarm_says_why"
                    ),
                ],
            },
        ),
    ]
