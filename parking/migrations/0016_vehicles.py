"""The vehicles that an account remembers."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("parking", "0015_fewer_booking_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Vehicle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "plate",
                    models.CharField(
                        help_text="In its one spelling.", max_length=16, verbose_name="plate"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        help_text="ISO 3166; empty: another one.",
                        max_length=2,
                        verbose_name="country",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=40, verbose_name="name")),
                (
                    "vehicle_class",
                    models.CharField(blank=True, max_length=32, verbose_name="vehicle class"),
                ),
                ("is_default", models.BooleanField(default=False, verbose_name="offered first")),
                ("created_at", models.DateTimeField(verbose_name="added")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vehicles",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "vehicle",
                "verbose_name_plural": "vehicles",
                "ordering": [models.OrderBy(models.F("is_default"), descending=True), "id"],
            },
        ),
        migrations.AddConstraint(
            model_name="vehicle",
            constraint=models.UniqueConstraint(
                fields=("owner", "plate"),
                name="vehicle_once_per_account",
                violation_error_message="This vehicle is in your list already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="vehicle",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("owner",),
                name="vehicle_one_offered_first",
                violation_error_message="Another vehicle is offered first.",
            ),
        ),
    ]
