"""Say what day an exception is about, and keep who did what about it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_disputes_and_payouts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExceptionStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "what",
                    models.CharField(
                        choices=[("taken", "taken on"), ("noted", "noted"), ("closed", "closed")],
                        max_length=6,
                        verbose_name="what",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
            ],
            options={
                "verbose_name": "step of an exception",
                "verbose_name_plural": "steps of an exception",
                "ordering": ["id"],
            },
        ),
        migrations.AlterModelOptions(
            name="moneyexception",
            options={
                "ordering": ["-opened_at", "-id"],
                "verbose_name": "exception",
                "verbose_name_plural": "exceptions",
            },
        ),
        migrations.AlterField(
            model_name="moneyexception",
            name="kind",
            field=models.CharField(
                choices=[
                    ("orphan", "paid after the spot was given up"),
                    ("amount", "another amount or currency than asked"),
                    ("external_refund", "refund made at the processor"),
                    ("refund_failed", "refund came back"),
                    ("double_payment", "paid twice"),
                    ("dispute", "dispute"),
                    ("unmatched", "unknown to us"),
                    ("forced_release", "released by an officer"),
                    ("difference", "books and processor differ"),
                    ("payout", "payout failed or does not tie"),
                    ("late_posting", "posted after its day was closed"),
                    ("large_refund", "refund above a person's limit"),
                ],
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="exceptionstep",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="exceptionstep",
            name="exception",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="payments.moneyexception",
            ),
        ),
        migrations.AddField(
            model_name="moneyexception",
            name="concerns_on",
            field=models.DateField(
                null=True, help_text="Whose books it is about.", verbose_name="business day"
            ),
        ),
    ]
