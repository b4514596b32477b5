"""What every rule works on: the objects, the moment, the terms, and events to tell the site."""

import random
import secrets
from collections.abc import Callable

from payments.sandbox.clock import Clock
from payments.sandbox.errors import Json, no_such
from payments.sandbox.kinds import EVENT, Kind
from payments.sandbox.money import Terms
from payments.sandbox.publish import publish
from payments.sandbox.store import Store
from payments.sandbox.webhooks import Outbox

API_VERSION = "2026-10-28.endive"
DAY = 86_400


class World:
    """The state of one request or one timed job: everything in it happens at one moment."""

    def __init__(
        self, *, store: Store, clock: Clock, terms: Terms, public_url: str, rng: random.Random
    ) -> None:
        self.store = store
        self.clock = clock
        self.terms = terms
        self.public_url = public_url
        self.rng = rng
        self.outbox = Outbox(store, rng)
        self.moment = int(clock.now())
        self.request_id: str | None = None
        self.idempotency_key: str | None = None

    def new(self, kind: Kind, fields: Json) -> Json:
        """Store a new object with an id of its kind, born at this moment."""
        row = {
            "id": kind.prefix + secrets.token_hex(12),
            "object": kind.name,
            "created": self.moment,
            "livemode": False,
            **fields,
        }
        self.store.insert(kind, row)
        return row

    def change(self, kind: Kind, row: Json, fields: Json) -> Json:
        """Change fields of an object, and store it."""
        row.update(fields)
        self.store.update(kind, row)
        return row

    def get(self, kind: Kind, object_id: str, *, param: str = "id") -> Json:
        """Return an object, or refuse with 404."""
        row = self.store.get(kind, object_id)
        if row is None:
            raise no_such(kind.label, object_id, param=param)
        return row

    def emit(self, type_: str, row: Json) -> Json:
        """Record an event with a snapshot of its object, and queue it for delivery."""
        event = self.new(
            EVENT,
            {
                "api_version": API_VERSION,
                "data": {"object": publish(self.store, row, now=self.moment)},
                "pending_webhooks": 0,
                "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
                "type": type_,
            },
        )
        queued = self.outbox.enqueue(event, moment=self.moment)
        if queued:
            self.change(EVENT, event, {"pending_webhooks": queued})
        return event

    def schedule(self, action: str, target: str, *, at: int) -> None:
        """Let a timed job happen to an object."""
        self.store.run(
            "INSERT INTO jobs (due, action, target) VALUES (?, ?, ?)", (at, action, target)
        )


Job = Callable[[World, str], None]
