"""What was counted already, so that no figure wants the whole history again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class CountedCommands(models.Model):
    """All commands that ended, or were reported, up to a moment. There is one row."""

    until = models.DateTimeField()
    ended = models.JSONField(default=dict)  # state → how many
    waits = models.JSONField(default=list)  # how many in each bucket of `parking.metrics`
    waited_s = models.FloatField(default=0)  # all together

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="counted_commands_once", condition=models.Q(pk=1))
        ]

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m-%d %H:%M:%S}"
