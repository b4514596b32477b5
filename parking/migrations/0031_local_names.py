from django.db import migrations, models


class Migration(migrations.Migration):
    """Keep the names of zones and streets in the languages of their readers."""

    dependencies = [("parking", "0030_preferences")]

    operations = [
        migrations.AddField(
            "zone",
            "names",
            models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="names in other languages"
            ),
        ),
        migrations.AddField(
            "street",
            "names",
            models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="names in other languages"
            ),
        ),
        migrations.AddField(
            "spot",
            "street_names",
            models.JSONField(
                blank=True, db_default={}, default=dict, verbose_name="street in other languages"
            ),
        ),
    ]
