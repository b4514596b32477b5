"""Note lights that were not green two minutes into a stay, and what their citizens chose."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parking", "0022_gateway")]

    operations = [
        migrations.CreateModel(
            name="LateLight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("noticed_at", models.DateTimeField(verbose_name="noticed")),
                ("offered_until", models.DateTimeField(verbose_name="may leave until")),
                (
                    "came_right_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="came right"),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "stayed"),
                            ("moved", "went to another spot"),
                            ("refunded", "got everything back"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="late_lights",
                        to="parking.booking",
                        verbose_name="booking",
                    ),
                ),
                (
                    "moved_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="parking.spot",
                        verbose_name="went to",
                    ),
                ),
                (
                    "spot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="late_lights",
                        to="parking.spot",
                        verbose_name="spot",
                    ),
                ),
            ],
            options={
                "verbose_name": "late light",
                "verbose_name_plural": "late lights",
                "ordering": ["-noticed_at"],
            },
        ),
        migrations.AddIndex(
            model_name="latelight",
            index=models.Index(
                condition=models.Q(("came_right_at__isnull", True)),
                fields=["spot"],
                name="late_light_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="latelight",
            constraint=models.UniqueConstraint(fields=("booking", "spot"), name="late_light_once"),
        ),
        migrations.AddConstraint(
            model_name="latelight",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("moved_to__isnull", False), ("outcome", "moved")),
                    models.Q(
                        models.Q(("outcome", "moved"), _negated=True), ("moved_to__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="late_light_moved_somewhere",
            ),
        ),
        migrations.AlterField(
            model_name="meter",
            name="edge_url",
            field=models.CharField(
                blank=True,
                help_text="Of the meter or its gateway, such as https://10.1.2.3; “gateway” for the installation's own (METER_GATEWAY_URL), “mqtt” for its broker. Empty: the meter only calls us.",
                max_length=200,
                verbose_name="address",
            ),
        ),
    ]
