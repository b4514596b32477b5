"""Remember the days and months whose books are closed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_exceptions_are_dated"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AcceptedException",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="why")),
            ],
            options={
                "verbose_name": "accepted exception",
                "verbose_name_plural": "accepted exceptions",
            },
        ),
        migrations.CreateModel(
            name="ClosedPeriod",
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
                        choices=[("day", "day"), ("month", "month")],
                        max_length=5,
                        verbose_name="kind",
                    ),
                ),
                ("first_on", models.DateField(verbose_name="first day")),
                ("last_on", models.DateField(verbose_name="last day")),
                ("closed_at", models.DateTimeField(verbose_name="closed")),
                ("entries", models.BigIntegerField(verbose_name="entries")),
                ("last_number", models.BigIntegerField(verbose_name="last number")),
                ("head_hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "closed period",
                "verbose_name_plural": "closed periods",
                "ordering": ["-last_on", "-first_on"],
                "permissions": [("close_period", "Can close a day or month of the books")],
            },
        ),
        migrations.AddField(
            model_name="acceptedexception",
            name="exception",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accepted_in",
                to="payments.moneyexception",
            ),
        ),
        migrations.AddField(
            model_name="closedperiod",
            name="closed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="acceptedexception",
            name="period",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accepted",
                to="payments.closedperiod",
            ),
        ),
        migrations.AddIndex(
            model_name="closedperiod",
            index=models.Index(fields=["last_on"], name="period_by_end"),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.UniqueConstraint(
                models.F("kind"), models.F("first_on"), name="period_closed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="closedperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first_on", models.F("last_on")), ("kind", "day")),
                    models.Q(
                        ("first_on__day", 1),
                        ("first_on__lt", models.F("last_on")),
                        ("kind", "month"),
                    ),
                    _connector="OR",
                ),
                name="period_runs_forwards",
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptedexception",
            constraint=models.UniqueConstraint(
                models.F("period"), models.F("exception"), name="exception_accepted_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptedexception",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="exception_accepted_with_reason",
            ),
        ),
    ]
