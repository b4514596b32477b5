"""PostgreSQL's own means for names that people misspell or write without accents."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("parking", "0026_counted_commands")]
    operations = [TrigramExtension(), UnaccentExtension()]
