"""Maintenance can be planned ahead, with the closures of its spots."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0032_plates_vanish"),
    ]

    operations = [
        migrations.AlterField(
            model_name="meterdeed",
            name="kind",
            field=models.CharField(
                choices=[
                    ("lamp_test", "lamps tested"),
                    ("key", "key rotated"),
                    ("maintenance", "maintenance begun"),
                    ("planned", "maintenance planned"),
                    ("back", "maintenance ended"),
                    ("called_off", "maintenance called off"),
                ],
                max_length=12,
                verbose_name="what",
            ),
        ),
        migrations.CreateModel(
            name="Maintenance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "period",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(verbose_name="period"),
                ),
                ("has_begun", models.BooleanField(default=False)),
                ("is_off", models.BooleanField(default=False, verbose_name="called off")),
                ("why", models.CharField(max_length=200, verbose_name="why")),
                (
                    "meter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="maintenances",
                        to="parking.meter",
                        verbose_name="meter",
                    ),
                ),
            ],
            options={
                "verbose_name": "maintenance",
                "verbose_name_plural": "maintenances",
                "ordering": ["-period"],
            },
        ),
        migrations.AddField(
            model_name="closure",
            name="maintenance",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="closures",
                to="parking.maintenance",
            ),
        ),
        migrations.AddIndex(
            model_name="maintenance",
            index=models.Index(
                condition=models.Q(("has_begun", False), ("is_off", False)),
                fields=["period"],
                name="maintenance_to_begin",
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenance",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("is_off", False)),
                expressions=[("meter", "="), ("period", "&&")],
                name="maintenance_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenance",
            constraint=models.CheckConstraint(
                condition=models.Q(("period__lower_inf", False), ("period__upper_inf", False)),
                name="maintenance_has_both_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenance",
            constraint=models.CheckConstraint(
                condition=models.Q(("why", ""), _negated=True), name="maintenance_says_why"
            ),
        ),
    ]
