"""Rules by which prices may follow demand, and the mark of what they proposed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parking", "0007_tariff_simulation"),
    ]

    operations = [
        migrations.CreateModel(
            name="DemandRule",
            fields=[
                (
                    "zone",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="demand_rule",
                        serialize=False,
                        to="parking.zone",
                        verbose_name="zone",
                    ),
                ),
                (
                    "step_amount",
                    models.PositiveBigIntegerField(
                        help_text="By so much a price rises or falls at a time.",
                        verbose_name="step an hour",
                    ),
                ),
                (
                    "upper_pct",
                    models.PositiveSmallIntegerField(
                        default=80,
                        help_text="Prices rise where at least this share of the time was taken.",
                        verbose_name="rises from, percent",
                    ),
                ),
                (
                    "lower_pct",
                    models.PositiveSmallIntegerField(
                        default=60,
                        help_text="Prices fall where less than this share of the time was taken.",
                        verbose_name="falls below, percent",
                    ),
                ),
                (
                    "floor",
                    models.PositiveBigIntegerField(
                        help_text="No price falls below it.", verbose_name="lowest price an hour"
                    ),
                ),
                (
                    "ceiling",
                    models.PositiveBigIntegerField(
                        help_text="No price rises above it.", verbose_name="highest price an hour"
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=28,
                        help_text="So many days are looked at, and prices hold for at least as long.",
                        verbose_name="days between changes",
                    ),
                ),
            ],
            options={
                "verbose_name": "demand pricing rule",
                "verbose_name_plural": "demand pricing",
                "ordering": ["zone"],
            },
        ),
        migrations.AddField(
            model_name="tariffversion",
            name="origin",
            field=models.CharField(
                choices=[("people", "written by people"), ("demand", "demand pricing")],
                default="people",
                db_default="people",
                editable=False,
                max_length=10,
                verbose_name="origin",
            ),
        ),
        migrations.AddConstraint(
            model_name="tariffversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "demand"), ("state", "approved"), _negated=True),
                    models.Q(("approved_by__isnull", False), ("proposed_by__isnull", False)),
                    _connector="OR",
                ),
                name="tariff_demand_needs_two_people",
                violation_error_message="Two people must approve what demand pricing proposes.",
            ),
        ),
        migrations.AddConstraint(
            model_name="demandrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("step_amount__gt", 0)),
                name="demand_rule_step_moves",
                violation_error_message="A step of nothing changes nothing.",
            ),
        ),
        migrations.AddConstraint(
            model_name="demandrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lower_pct__lte", models.F("upper_pct")), ("upper_pct__range", (1, 100))
                ),
                name="demand_rule_lower_below_upper",
                violation_error_message="Prices fall below a share that is not above the one from which they rise; both are percent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="demandrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("floor__lte", models.F("ceiling"))),
                name="demand_rule_floor_below_ceiling",
                violation_error_message="The lowest price is above the highest.",
            ),
        ),
        migrations.AddConstraint(
            model_name="demandrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__range", (28, 366))),
                name="demand_rule_pause",
                violation_error_message="Prices follow demand at most every 28 days.",
            ),
        ),
    ]
