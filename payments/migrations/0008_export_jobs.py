"""Number the manifests in the order in which files were sent whole; let a worker make a large file."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NUMBERED = """
DROP TRIGGER frozen_once_counted ON payments_exportlog;
WITH numbered AS (
  SELECT id, row_number() OVER (ORDER BY id) AS place
  FROM payments_exportlog WHERE manifest IS NOT NULL
)
UPDATE payments_exportlog log SET sequence = numbered.place
FROM numbered WHERE numbered.id = log.id;
CREATE TRIGGER frozen_once_counted BEFORE UPDATE ON payments_exportlog
  FOR EACH ROW WHEN (
    old.rows IS NOT NULL OR old.manifest IS NOT NULL
    OR (to_jsonb(new) - 'rows' - 'manifest' - 'sequence')
       IS DISTINCT FROM (to_jsonb(old) - 'rows' - 'manifest' - 'sequence')
  ) EXECUTE FUNCTION payments_frozen();
"""

NUMBERLESS = """
DROP TRIGGER frozen_once_counted ON payments_exportlog;
CREATE TRIGGER frozen_once_counted BEFORE UPDATE ON payments_exportlog
  FOR EACH ROW WHEN (
    old.rows IS NOT NULL OR old.manifest IS NOT NULL
    OR (to_jsonb(new) - 'rows' - 'manifest') IS DISTINCT FROM (to_jsonb(old) - 'rows' - 'manifest')
  ) EXECUTE FUNCTION payments_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_walk_the_chain"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="exportlog",
            name="sequence",
            field=models.BigIntegerField(null=True, unique=True, verbose_name="manifest number"),
        ),
        migrations.RunSQL(NUMBERED, NUMBERLESS),
        migrations.AddConstraint(
            model_name="exportlog",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("manifest__isnull", True),
                        ("rows__isnull", True),
                        ("sequence__isnull", True),
                    ),
                    models.Q(
                        ("manifest__isnull", False),
                        ("rows__isnull", False),
                        ("sequence__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="export_whole_has_manifest",
            ),
        ),
        migrations.CreateModel(
            name="ExportJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table", models.CharField(max_length=32)),
                ("format", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("done", "ready"),
                            ("failed", "failed"),
                            ("forgotten", "removed after its time"),
                        ],
                        default="queued",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("beat_at", models.DateTimeField(null=True)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("total", models.PositiveBigIntegerField()),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "failure",
                    models.CharField(blank=True, max_length=200, verbose_name="what went wrong"),
                ),
            ],
            options={
                "verbose_name": "export in the background",
                "verbose_name_plural": "exports in the background",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField()),
                ("position", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="exportjob",
            name="log",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="job",
                to="payments.exportlog",
            ),
        ),
        migrations.AddField(
            model_name="exportpart",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="payments.exportjob",
            ),
        ),
        migrations.AddIndex(
            model_name="exportjob",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "running"])),
                fields=["id"],
                name="export_job_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportpart",
            constraint=models.UniqueConstraint(
                models.F("job"), models.F("attempt"), models.F("position"), name="export_part_once"
            ),
        ),
        # The pieces are packed already.
        migrations.RunSQL(
            "ALTER TABLE payments_exportpart ALTER COLUMN data SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
