"""Where the figures for monitoring have got to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the table."""

    dependencies = [("parking", "0025_commands_tell_when")]

    operations = [
        migrations.CreateModel(
            name="CountedCommands",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
                ("ended", models.JSONField(default=dict)),
                ("waits", models.JSONField(default=list)),
                ("waited_s", models.FloatField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(pk=1), name="counted_commands_once")
                ],
            },
        ),
    ]
