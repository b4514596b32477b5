"""Remember which addresses of meters do not answer, for all workers alike."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parking", "0021_plan_news")]

    operations = [
        migrations.CreateModel(
            name="Gateway",
            fields=[
                (
                    "edge_url",
                    models.CharField(
                        max_length=200, primary_key=True, serialize=False, verbose_name="address"
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(default=1, verbose_name="failures in a row"),
                ),
                ("failed_since", models.DateTimeField(verbose_name="not answering since")),
                ("opened_at", models.DateTimeField(null=True, verbose_name="not called since")),
                ("open_until", models.DateTimeField(null=True, verbose_name="next try")),
                ("tried_at", models.DateTimeField(null=True, verbose_name="last try")),
                ("trial_until", models.DateTimeField(null=True)),
                ("trials", models.PositiveIntegerField(default=0, verbose_name="tries in vain")),
                ("last_error", models.CharField(max_length=200, verbose_name="last error")),
            ],
            options={
                "verbose_name": "gateway in trouble",
                "verbose_name_plural": "gateways in trouble",
                "ordering": ["edge_url"],
            },
        ),
        migrations.AddConstraint(
            model_name="gateway",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("open_until__isnull", True), ("opened_at__isnull", True)),
                    models.Q(("open_until__isnull", False), ("opened_at__isnull", False)),
                    _connector="OR",
                ),
                name="gateway_open_from_to",
            ),
        ),
    ]
