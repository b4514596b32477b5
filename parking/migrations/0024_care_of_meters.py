"""Maintenance, work on meters with its reason, and when a command was delivered and reported."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Add the columns and the table."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("parking", "0023_late_light"),
    ]

    operations = [
        migrations.AddField(
            model_name="meter",
            name="maintenance_until",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="in maintenance until"
            ),
        ),
        migrations.AddField(
            model_name="metercommand",
            name="delivered_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="delivered"),
        ),
        migrations.AddField(
            model_name="metercommand",
            name="reported_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="reported"),
        ),
        migrations.AddIndex(
            model_name="metercommand",
            index=models.Index(
                condition=Q(reported_at__isnull=True),
                fields=["meter", "created_at"],
                name="command_unreported",
            ),
        ),
        migrations.AddIndex(
            model_name="metercommand",
            index=models.Index(
                condition=Q(ended_at__isnull=False), fields=["ended_at"], name="command_by_end"
            ),
        ),
        migrations.AddIndex(
            model_name="metercommand",
            index=models.Index(
                condition=Q(reported_at__isnull=False),
                fields=["reported_at"],
                name="command_by_report",
            ),
        ),
        migrations.CreateModel(
            name="MeterDeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("lamp_test", "lamps tested"),
                            ("key", "key rotated"),
                            ("maintenance", "maintenance begun"),
                            ("back", "maintenance ended"),
                        ],
                        max_length=12,
                        verbose_name="what",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("why", models.CharField(max_length=200, verbose_name="why")),
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
                        related_name="deeds",
                        to="parking.meter",
                        verbose_name="meter",
                    ),
                ),
            ],
            options={
                "verbose_name": "work on a meter",
                "verbose_name_plural": "work on meters",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=~Q(why=""), name="deed_says_why"),
                    models.CheckConstraint(
                        condition=Q(until__isnull=True) | Q(until__gt=F("at")),
                        name="deed_ends_after_it_began",
                    ),
                ],
            },
        ),
    ]
