"""Note since when it is known what a payout carries."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0019_letters_of_closures"),
    ]

    operations = [
        migrations.AddField(
            model_name="payoutpart",
            name="known_at",
            field=models.DateTimeField(null=True, verbose_name="known since"),
        ),
        # Files that were made before said what was known then: at the earliest when it was made.
        migrations.RunSQL(
            "UPDATE payments_payoutpart part SET known_at = payout.created_at"
            " FROM payments_payout payout WHERE payout.id = part.payout_id",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="payoutpart",
            name="known_at",
            field=models.DateTimeField(verbose_name="known since"),
        ),
    ]
