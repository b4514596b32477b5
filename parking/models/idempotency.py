"""Answers kept so that a repeated request gets the same one."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class IdempotentAnswer(models.Model):
    """The answer once given to a caller's `Idempotency-Key`."""

    caller = models.CharField(max_length=64)  # "user:7", or "anon:" and a hash of the address
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)  # 0 only inside the first transaction
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("caller", "key", name="idempotency_key_once_per_caller")
        ]

    def __str__(self) -> str:
        return self.key
