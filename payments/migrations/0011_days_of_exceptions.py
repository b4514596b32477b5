"""Give every exception the day on which it was opened."""

from django.db import migrations
from django.utils import timezone


def copy(apps, schema_editor):
    rows = apps.get_model("payments", "MoneyException").objects
    for pk, opened_at in rows.filter(concerns_on=None).values_list("pk", "opened_at"):
        rows.filter(pk=pk).update(concerns_on=timezone.localdate(opened_at))


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0010_work_on_exceptions"),
    ]

    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]
