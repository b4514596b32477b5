"""A permission for those who look at the whole city; and a meter's spot surely has its lamp."""

from django.db import migrations, models

LAMP = models.CheckConstraint(
    condition=models.Q(
        ("meter__isnull", True),
        models.Q(("position__isnull", False), ("position__range", (1, 8))),
        _connector="OR",
    ),
    name="spot_lamp_with_meter",
    violation_error_message="A spot with a meter needs a lamp from 1 to 8.",
)


class Migration(migrations.Migration):
    """Both."""

    dependencies = [("parking", "0004_commands_end_once")]

    operations = [
        migrations.AlterModelOptions(
            name="zone",
            options={
                "ordering": ["name"],
                "permissions": [("view_every_zone", "Can look at every zone of the city")],
                "verbose_name": "zone",
                "verbose_name_plural": "zones",
            },
        ),
        migrations.RemoveConstraint(model_name="spot", name="spot_lamp_with_meter"),
        migrations.AddConstraint(model_name="spot", constraint=LAMP),
    ]
