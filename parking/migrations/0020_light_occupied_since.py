"""Since when each sensor has seen a car, so that a light can say that nobody has paid."""

from django.db import migrations, models

FILL = "UPDATE parking_light SET occupied_since = occupied_at WHERE occupied"


class Migration(migrations.Migration):
    dependencies = [("parking", "0019_light_since")]

    operations = [
        migrations.AddField(
            model_name="light",
            name="occupied_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="occupied since"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
