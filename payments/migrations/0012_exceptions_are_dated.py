"""Let no exception be without a day, and none be closed without a note."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0011_days_of_exceptions"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE payments_moneyexception SET note = 'closed before notes were asked for'"
            " WHERE closed_at IS NOT NULL AND note = ''",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="moneyexception",
            name="concerns_on",
            field=models.DateField(
                help_text="Whose books it is about.", verbose_name="business day"
            ),
        ),
        migrations.AddIndex(
            model_name="moneyexception",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)),
                fields=["concerns_on"],
                name="exception_open_by_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="moneyexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_at__isnull", True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="exception_closed_with_note",
            ),
        ),
    ]
