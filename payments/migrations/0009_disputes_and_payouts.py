"""Remember the disputes and payouts of the processor."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0008_export_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dispute_id", models.CharField(max_length=255, unique=True)),
                ("amount", models.BigIntegerField(help_text="Minor units.", verbose_name="amount")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("won", "won"),
                            ("lost", "lost"),
                            ("closed", "closed"),
                        ],
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40, verbose_name="reason")),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-opened_at"],
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payout_id", models.CharField(max_length=255, unique=True)),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="Minor units; negative: taken back.", verbose_name="amount"
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("status", models.CharField(max_length=20, verbose_name="state")),
                ("is_itemised", models.BooleanField(verbose_name="names what is in it")),
                ("balance_transaction_id", models.CharField(blank=True, max_length=255)),
                ("failure_transaction_id", models.CharField(blank=True, max_length=255)),
                (
                    "failure",
                    models.CharField(blank=True, max_length=200, verbose_name="what went wrong"),
                ),
                ("created_at", models.DateTimeField(verbose_name="made")),
                ("arrives_on", models.DateField(verbose_name="at the bank")),
                (
                    "is_tied",
                    models.BooleanField(
                        default=False,
                        help_text="Its parts sum to it, each is in the books, and so is the bank's side.",
                        verbose_name="ties to the books",
                    ),
                ),
                ("checked_at", models.DateTimeField(verbose_name="last compared")),
            ],
            options={
                "verbose_name": "payout",
                "verbose_name_plural": "payouts",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="PayoutPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("balance_transaction_id", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=40, verbose_name="type")),
                ("net", models.BigIntegerField(help_text="Minor units.", verbose_name="net")),
            ],
            options={
                "verbose_name": "part of a payout",
                "verbose_name_plural": "parts of a payout",
                "ordering": ["id"],
            },
        ),
        migrations.AlterField(
            model_name="reconciliation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("events", "events of the processor"),
                    ("balance", "balance transactions"),
                    ("payouts", "payouts"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="payments.payment",
            ),
        ),
        migrations.AddField(
            model_name="payoutpart",
            name="payout",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parts",
                to="payments.payout",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="dispute_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="dispute_ended_is_dated",
            ),
        ),
        migrations.AddIndex(
            model_name="payoutpart",
            index=models.Index(fields=["balance_transaction_id"], name="payout_of_transaction"),
        ),
        migrations.AddConstraint(
            model_name="payoutpart",
            constraint=models.UniqueConstraint(
                models.F("payout"), models.F("balance_transaction_id"), name="payout_part_once"
            ),
        ),
    ]
