"""Plates are kept for a zone's term, and a log says that they vanished."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The log is never rewritten.
FROZEN = """
CREATE TRIGGER forgetting_frozen BEFORE UPDATE OR DELETE ON parking_forgetting
  FOR EACH ROW EXECUTE FUNCTION parking_frozen();
"""
THAW = "DROP TRIGGER forgetting_frozen ON parking_forgetting;"


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0031_local_names"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Forgetting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("term", "the term was over"),
                            ("asked", "the person asked for it"),
                        ],
                        max_length=5,
                        verbose_name="why",
                    ),
                ),
                (
                    "plate_days",
                    models.PositiveSmallIntegerField(null=True, verbose_name="term, days"),
                ),
                (
                    "plates",
                    models.PositiveIntegerField(default=0, verbose_name="plates of bookings"),
                ),
                (
                    "addresses",
                    models.PositiveIntegerField(
                        default=0, verbose_name="e-mail addresses of bookings"
                    ),
                ),
                (
                    "vehicles",
                    models.PositiveIntegerField(default=0, verbose_name="vehicles of accounts"),
                ),
                (
                    "kept",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Their term was over too.",
                        verbose_name="kept for open cases",
                    ),
                ),
            ],
            options={
                "verbose_name": "forgotten plates and addresses",
                "verbose_name_plural": "forgotten plates and addresses",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="zone",
            name="plate_days",
            field=models.PositiveSmallIntegerField(
                db_default=30,
                default=30,
                help_text="After the end of the stay, 8 to 730. Then they vanish, unless a case about the booking is open: then when it is closed.",
                validators=[
                    django.core.validators.MinValueValidator(8),
                    django.core.validators.MaxValueValidator(730),
                ],
                verbose_name="plates are kept, days",
            ),
        ),
        migrations.AddConstraint(
            model_name="zone",
            constraint=models.CheckConstraint(
                condition=models.Q(("plate_days__range", (8, 730))),
                name="zone_plate_days_bounded",
                violation_error_message="Plates are kept for 8 to 730 days.",
            ),
        ),
        migrations.AddField(
            model_name="forgetting",
            name="zone",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="forgettings",
                to="parking.zone",
                verbose_name="zone",
            ),
        ),
        migrations.AddConstraint(
            model_name="forgetting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("plate_days__isnull", True), ("zone__isnull", True)),
                    models.Q(
                        ("plate_days__isnull", False), ("reason", "term"), ("zone__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="forgetting_term_is_of_a_zone",
            ),
        ),
        migrations.AddConstraint(
            model_name="forgetting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("plates__gt", 0),
                    ("addresses__gt", 0),
                    ("vehicles__gt", 0),
                    ("reason", "asked"),
                    _connector="OR",
                ),
                name="forgetting_forgot_something",
            ),
        ),
        migrations.RunSQL(FROZEN, THAW),
    ]
