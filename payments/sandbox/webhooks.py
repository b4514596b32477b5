"""The queue of webhook deliveries, and what can be made to go wrong with it."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from payments.sandbox.errors import Json
from payments.sandbox.kinds import ENDPOINT, EVENT
from payments.sandbox.store import Store

GIVE_UP_AFTER = 3 * 86_400
LONGEST_PAUSE = 3_600
MAX_ATTEMPTS_SHOWN = 100


@dataclass(frozen=True)
class WebhookSettings:
    """How deliveries behave.

    `paused` keeps them in the queue; `discard` queues nothing at all; `drop` loses each with this
    probability; `duplicate` sends that many more copies; `delay` holds each for that many seconds,
    and `reorder` adds a random part of that many more.
    """

    paused: bool = False
    discard: bool = False
    drop: float = 0.0
    duplicate: int = 0
    delay: float = 0.0
    reorder: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    seq: int
    event: str
    endpoint: str
    attempts: int
    first_due: float


class Outbox:
    """The rows of the queue. States: queued, sending, sent, failed, dropped."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self._store = store
        self._rng = rng
        self.settings = WebhookSettings()
        self.added = 0
        self.recall()

    def recall(self) -> None:
        """Read the settings; put back what a killed process was sending."""
        self.settings = WebhookSettings(**(self._store.setting("webhooks") or {}))
        self._store.run("UPDATE deliveries SET state = 'queued' WHERE state = 'sending'")

    def configure(self, settings: WebhookSettings) -> None:
        """Change how deliveries behave, from the next event on."""
        self.settings = settings
        self._store.remember("webhooks", asdict(settings))

    def endpoints(self, event_type: str) -> list[Json]:
        """Return the enabled endpoints that want this type of event."""
        return [
            row
            for row in self._store.select(ENDPOINT)
            if row["status"] == "enabled" and {"*", event_type} & set(row["enabled_events"])
        ]

    def enqueue(self, event: Json, *, moment: int) -> int:
        """Queue an event for every endpoint that wants it; return how many still wait for it."""
        if self.settings.discard:
            return 0
        waiting = 0
        for endpoint in self.endpoints(event["type"]):
            waiting += 1
            for _ in range(1 + self.settings.duplicate):
                lost = self._rng.random() < self.settings.drop
                late = self.settings.delay + self._rng.random() * self.settings.reorder
                self._add(
                    event["id"], endpoint["id"], moment + late, "dropped" if lost else "queued"
                )
        return waiting

    def resend(self, event: Json, *, now: float) -> int:
        """Queue an event once more, whatever the settings say; return the number of endpoints."""
        endpoints = self.endpoints(event["type"])
        for endpoint in endpoints:
            self._add(event["id"], endpoint["id"], now, "queued")
        return len(endpoints)

    def _add(self, event: str, endpoint: str, due: float, state: str) -> None:
        self.added += 1
        self._store.run(
            "INSERT INTO deliveries (event, endpoint, due, first_due, state)"
            " VALUES (?, ?, ?, ?, ?)",
            (event, endpoint, due, due, state),
        )

    def take(self, *, now: float) -> Delivery | None:
        """Take the delivery that is due first, so that nobody else sends it."""
        with self._store.transaction():
            rows = self._store.run(
                "SELECT seq, event, endpoint, attempts, first_due FROM deliveries"
                " WHERE state = 'queued' AND due <= ? ORDER BY due, seq LIMIT 1",
                (now,),
            )
            if not rows:
                return None
            delivery = Delivery(*rows[0])
            self._store.run(
                "UPDATE deliveries SET state = 'sending' WHERE seq = ?", (delivery.seq,)
            )
            return delivery

    def next_due(self) -> float | None:
        """Return when the next delivery is due, or None."""
        rows = self._store.run("SELECT min(due) FROM deliveries WHERE state = 'queued'")
        return None if rows[0][0] is None else float(rows[0][0])

    def record(self, delivery: Delivery, *, accepted: bool, outcome: str, now: float) -> None:
        """Write how a delivery went; try again later if it was refused, for up to three days."""
        with self._store.transaction():
            if accepted:
                self._finish(delivery, "sent", outcome)
                self._count_down(delivery.event)
            elif now - delivery.first_due > GIVE_UP_AFTER:
                self._finish(delivery, "failed", outcome)
            else:
                pause = min(2**delivery.attempts, LONGEST_PAUSE)
                self._store.run(
                    "UPDATE deliveries SET state = 'queued', attempts = attempts + 1,"
                    " outcome = ?, due = ? WHERE seq = ?",
                    (outcome, now + pause, delivery.seq),
                )

    def abandon(self, delivery: Delivery, outcome: str) -> None:
        """Give a delivery up for good."""
        self._finish(delivery, "failed", outcome)

    def _finish(self, delivery: Delivery, state: str, outcome: str) -> None:
        self._store.run(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, outcome = ? WHERE seq = ?",
            (state, outcome, delivery.seq),
        )

    def _count_down(self, event_id: str) -> None:
        event = self._store.get(EVENT, event_id)
        if event and event["pending_webhooks"] > 0:
            event["pending_webhooks"] -= 1
            self._store.update(EVENT, event)

    def clear(self) -> int:
        """Forget everything that still waits; return how many."""
        with self._store.transaction():
            count = self.counts().get("queued", 0)
            self._store.run("UPDATE deliveries SET state = 'dropped' WHERE state = 'queued'")
            return count

    def shift(self, seconds: float) -> None:
        """Move what waits along with the clock, so that going back does not strand it."""
        self._store.run(
            "UPDATE deliveries SET due = due + ?, first_due = first_due + ? WHERE state = 'queued'",
            (seconds, seconds),
        )

    def counts(self) -> dict[str, int]:
        """Return the number of deliveries in each state."""
        return {
            str(state): int(count)
            for state, count in self._store.run(
                "SELECT state, count(*) FROM deliveries GROUP BY state"
            )
        }

    def latest(self, limit: int = MAX_ATTEMPTS_SHOWN) -> list[Json]:
        """Return the newest deliveries, for people."""
        names = ("event", "endpoint", "due", "attempts", "state", "outcome")
        rows = self._store.run(
            f"SELECT {', '.join(names)} FROM deliveries ORDER BY seq DESC LIMIT ?",  # noqa: S608
            (limit,),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def of_events(self, event_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the delivery states of each event."""
        marks = ", ".join("?" * len(event_ids))
        states: dict[str, list[str]] = {}
        for event, state in self._store.run(
            f"SELECT event, state FROM deliveries WHERE event IN ({marks}) ORDER BY seq",  # noqa: S608
            list(event_ids),
        ):
            states.setdefault(event, []).append(state)
        return states
