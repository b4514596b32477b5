"""Let officers give money back within limits, or two of them together."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0014_closed_days_stay_shut"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount",
                    models.PositiveBigIntegerField(
                        help_text="Minor units. Groups without a limit may give none.",
                        verbose_name="limit per booking",
                    ),
                ),
            ],
            options={
                "verbose_name": "refund limit",
                "verbose_name_plural": "refund limits",
                "ordering": ["group__name"],
            },
        ),
        migrations.CreateModel(
            name="RefundRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units.", verbose_name="amount")),
                ("note", models.CharField(max_length=200, verbose_name="reason")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="decision",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "refund that waits for a second person",
                "verbose_name_plural": "refunds that wait for a second person",
                "ordering": ["-id"],
            },
        ),
        migrations.AlterModelOptions(
            name="payment",
            options={
                "ordering": ["-created_at"],
                "permissions": [
                    ("view_audit", "Can read and export the audit reports"),
                    ("request_refund", "Can ask for a refund"),
                    ("approve_refund", "Can approve another person's refund"),
                    ("force_release", "Can release a spot whose payment nobody could end"),
                    ("handle_every_zone", "Handles money matters of every zone"),
                ],
                "verbose_name": "payment",
                "verbose_name_plural": "payments",
            },
        ),
        migrations.AddField(
            model_name="refund",
            name="approver",
            field=models.CharField(
                blank=True, db_default="", max_length=64, verbose_name="approved by"
            ),
        ),
        migrations.AddField(
            model_name="refundlimit",
            name="group",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refund_limit",
                to="auth.group",
                verbose_name="group",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="asked by",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refund_requests",
                to="payments.payment",
            ),
        ),
        migrations.AddField(
            model_name="refundrequest",
            name="refund",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="asked_as",
                to="payments.refund",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="refund_request_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("note", ""), _negated=True), name="refund_request_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("asked_by")), _negated=True),
                    _connector="OR",
                ),
                name="refund_request_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by__isnull", True),
                        ("decision", "waiting"),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("decision", "refused"),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("decision", "approved"),
                        ("refund__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="refund_request_decided_whole",
            ),
        ),
    ]
