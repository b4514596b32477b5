"""Files that take a worker: who waits for which table, how far it is, and the file itself."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models.desk import ExportLog


class ExportState(models.TextChoices):
    """QUEUED → RUNNING → DONE → FORGOTTEN, or FAILED; one whose worker died runs again."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("ready")
    FAILED = "failed", _("failed")
    FORGOTTEN = "forgotten", _("removed after its time")


OPEN_EXPORT_STATES = (ExportState.QUEUED, ExportState.RUNNING)


class ExportJob(models.Model):
    """A file that is made in the background. Its line in the log is written when it is asked."""

    log = models.OneToOneField(ExportLog, models.PROTECT, related_name="job")
    table = models.CharField(max_length=32)
    format = models.CharField(max_length=8)
    state = models.CharField(
        _("state"), max_length=9, choices=ExportState.choices, default=ExportState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    beat_at = models.DateTimeField(null=True)  # when its worker was last seen alive
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField()  # rows; counted when it was asked for
    ended_at = models.DateTimeField(_("ended"), null=True)
    failure = models.CharField(_("what went wrong"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("export in the background")
        verbose_name_plural = _("exports in the background")
        indexes: ClassVar = [
            models.Index(
                name="export_job_open", fields=["id"], condition=Q(state__in=["queued", "running"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.log_id} {self.state}"


class ExportPart(models.Model):
    """A piece of a finished file: any machine of the site can send it, whichever made it."""

    job = models.ForeignKey(ExportJob, models.CASCADE, related_name="parts")
    attempt = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("job", "attempt", "position", name="export_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.position}"
