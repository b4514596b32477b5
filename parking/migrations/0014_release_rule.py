"""Spots that are given to others where nobody parks: the rule, what sensors said, who is waited for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0013_spot_reports"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArrivalWatch",
            fields=[
                (
                    "booking",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="arrival_watch",
                        serialize=False,
                        to="parking.booking",
                        verbose_name="booking",
                    ),
                ),
                (
                    "release_after_min",
                    models.PositiveSmallIntegerField(
                        help_text="The zone's rule, frozen when the spot was held.",
                        verbose_name="kept for, minutes",
                    ),
                ),
                ("look_at", models.DateTimeField(verbose_name="next look")),
                (
                    "more_time_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="“I am on my way”"),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "not decided yet"),
                            ("released", "nobody came, given to others"),
                            ("came", "somebody parked"),
                            ("unclear", "not certain, so kept"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "free_since",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="sensor said free since"
                    ),
                ),
                (
                    "last_word_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="sensor's last word"),
                ),
            ],
            options={
                "verbose_name": "arrival",
                "verbose_name_plural": "arrivals and no-shows",
                "ordering": [
                    models.OrderBy(models.F("decided_at"), descending=True, nulls_last=True),
                    "-booking",
                ],
            },
        ),
        migrations.AddField(
            model_name="light",
            name="free_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="free since"),
        ),
        migrations.AddField(
            model_name="light",
            name="occupied_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last occupied"),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="release_after_min",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Where the spot's sensor has seen nobody since the start of the stay: 5 to 120. It holds for bookings made from now on. Empty: never.",
                null=True,
                verbose_name="given to others after, minutes",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("release_after_min__isnull", True),
                    models.Q(("release_after_min__gte", 5), ("release_after_min__lte", 120)),
                    _connector="OR",
                ),
                name="stay_rules_release_bounded",
                violation_error_message="A spot can be given to others 5 to 120 minutes after the start.",
            ),
        ),
        migrations.AddIndex(
            model_name="arrivalwatch",
            index=models.Index(
                condition=models.Q(("outcome", "waiting")),
                fields=["look_at"],
                name="arrival_to_look_at",
            ),
        ),
        migrations.AddIndex(
            model_name="arrivalwatch",
            index=models.Index(fields=["decided_at"], name="arrival_by_decision"),
        ),
        migrations.AddConstraint(
            model_name="arrivalwatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("outcome", "waiting")),
                    models.Q(
                        models.Q(("outcome", "waiting"), _negated=True),
                        ("decided_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="arrival_decision_is_dated",
            ),
        ),
        migrations.AddConstraint(
            model_name="arrivalwatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "released"), _negated=True),
                    models.Q(("free_since__isnull", False), ("last_word_at__isnull", False)),
                    _connector="OR",
                ),
                name="arrival_release_has_evidence",
            ),
        ),
    ]
