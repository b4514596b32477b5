"""A repeated request gets the answer of the first. One row, in the transaction of the work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from parking import prepared
from parking.models import IdempotentAnswer

_TAKE = """
INSERT INTO parking_idempotentanswer (caller, key, request_sha256, status, body, created_at)
VALUES (%(caller)s, %(key)s, %(digest)s, 0, '{}', %(now)s)
ON CONFLICT (caller, key) DO NOTHING
RETURNING id
"""
_KEEP = """
UPDATE parking_idempotentanswer SET status = %(status)s, body = %(body)s::jsonb
WHERE id = %(id)s
RETURNING id
"""


class KeyReused(Exception):
    """The key came before with another request."""


@dataclass(frozen=True)
class Answer:
    """A status code and its JSON body; `replayed` when it was given before."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


def once(
    *, caller: str, key: str, request: bytes, now: datetime, work: Callable[[], Answer]
) -> Answer:
    """Do the work and keep its answer, or return the answer that was kept.

    The key's row and the work are one transaction: a crash leaves neither, and a second request
    with the same key waits for the first. Whatever `work` raises is not kept.

    Raises:
        KeyReused: the same key with another request.
    """
    digest = hashlib.sha256(request).hexdigest()
    with transaction.atomic():
        row = prepared.fetch_one(
            _TAKE, {"caller": caller, "key": key, "digest": digest, "now": now}
        )
        if row is None:
            kept = IdempotentAnswer.objects.get(caller=caller, key=key)
            if kept.request_sha256 != digest:
                raise KeyReused
            return Answer(kept.status, kept.body, replayed=True)
        answer = work()
        body = orjson.dumps(answer.body).decode()
        prepared.fetch_one(_KEEP, {"id": row[0], "status": answer.status, "body": body})
        return answer


def forget(*, before: datetime) -> int:
    """Delete the answers given before the moment; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=before).delete()[0]
