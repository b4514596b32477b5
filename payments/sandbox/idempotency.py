"""Idempotency keys: the first answer is kept and given again for a day."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from payments.sandbox.errors import ApiError, Json
from payments.sandbox.store import Store
from payments.sandbox.world import DAY

MAX_LENGTH = 255


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: Json


def fingerprint(method: str, path: str, fields: Json) -> str:
    """Return what two requests under one key must share; the order of fields may differ."""
    text = json.dumps([method, path, fields], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class IdempotencyKeys:
    """The keys: those in progress in memory, those answered in the state file."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._in_progress: set[str] = set()

    @contextmanager
    def held(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request runs; refuse with 409 while another request holds it."""
        if key is None:
            yield
            return
        if not 1 <= len(key) <= MAX_LENGTH:
            raise ApiError(f"Idempotency-Key must have 1 to {MAX_LENGTH} characters.")
        with self._lock:
            if key in self._in_progress:
                raise ApiError(
                    "There is currently another in-progress request using this Idempotent Key"
                    " (that probably means you submitted twice, and the other request is still"
                    f" going through): {key}. Please try again later.",
                    status=409,
                    code="idempotency_key_in_use",
                )
            self._in_progress.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._in_progress.discard(key)

    def find(self, key: str, print_: str, *, now: int) -> Answer | None:
        """Return the kept answer, None for a fresh key; refuse other parameters than the first."""
        rows = self._store.run(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE name = ? AND created > ?",
            (key, now - DAY),
        )
        if not rows:
            return None
        first, status, body = rows[0]
        if first != print_:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were"
                f" first used with. Try using a key other than '{key}' if you meant to execute a"
                " different request.",
                type="idempotency_error",
            )
        return Answer(status, json.loads(body))

    def keep(self, key: str, print_: str, answer: Answer, *, now: int) -> None:
        """Keep an answer, in the transaction of what it tells of; drop the keys of yesterday."""
        self._store.run("DELETE FROM idempotency_keys WHERE created <= ?", (now - DAY,))
        self._store.run(
            "INSERT INTO idempotency_keys (name, fingerprint, created, status, body)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
            " fingerprint = excluded.fingerprint, created = excluded.created,"
            " status = excluded.status, body = excluded.body",
            (key, print_, now, answer.status, json.dumps(answer.body)),
        )
