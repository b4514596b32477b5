"""One sandbox: its world, one request at a time, and what happens by itself as time passes."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from payments.sandbox.clock import Clock
from payments.sandbox.errors import Json
from payments.sandbox.faults import Faults
from payments.sandbox.kinds import EVENT, KINDS
from payments.sandbox.money import Terms
from payments.sandbox.objects import checkout, intents, payouts, refunds
from payments.sandbox.objects.directory import fix_endpoint
from payments.sandbox.store import Store
from payments.sandbox.webhooks import Outbox
from payments.sandbox.world import Job, World

JOBS: dict[str, Job] = {
    "session.expire": checkout.expire_when_due,
    "intent.lapse": intents.lapse_when_due,
    "refund.succeed": refunds.succeed_when_due,
    "refund.fail": refunds.fail_when_due,
    "payout.arrive": payouts.arrive_when_due,
    "payout.fail": payouts.fail_when_due,
}


class Engine:
    """The sandbox without its HTTP: every rule runs inside `turn()`."""

    def __init__(
        self,
        store: Store,
        *,
        terms: Terms | None = None,
        public_url: str = "",
        webhook_url: str | None = None,
        webhook_secrets: list[str] | None = None,
        webhook_events: list[str] | None = None,
        seed: int | None = None,
    ) -> None:
        self.store = store
        self.clock = Clock(store)
        rng = random.Random(seed)  # noqa: S311 - chance of faults, not a secret
        self._world = World(
            store=store,
            clock=self.clock,
            terms=terms or Terms(),
            public_url=public_url,
            rng=rng,
        )
        self.faults = Faults(store, rng)
        self._webhook_url = webhook_url
        self._webhook_secrets = webhook_secrets or []
        self._webhook_events = webhook_events or []
        self._listeners: list[Callable[[], None]] = []
        self._fix_endpoint()

    def _fix_endpoint(self) -> None:
        fix_endpoint(
            self.store,
            url=self._webhook_url,
            secrets=self._webhook_secrets,
            events=self._webhook_events,
            now=int(self.clock.now()),
        )

    @property
    def outbox(self) -> Outbox:
        """Return the queue of webhook deliveries."""
        return self._world.outbox

    @property
    def public_url(self) -> str:
        """Return the address under which people reach the sandbox."""
        return self._world.public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self._world.public_url = url

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` when a delivery was queued, or the clock or the settings changed."""
        self._listeners.append(listener)

    def announce(self) -> None:
        """Tell the listeners that something may have become due."""
        for listener in self._listeners:
            listener()

    @contextmanager
    def turn(
        self, *, request_id: str | None = None, idempotency_key: str | None = None
    ) -> Iterator[World]:
        """Run due jobs, then the body: all or nothing, alone, at one moment."""
        world = self._world
        before = self.outbox.added
        with self.store.exclusively():
            self._run_due_jobs()
            with self.store.transaction():
                world.moment = int(self.clock.now())
                world.request_id, world.idempotency_key = request_id, idempotency_key
                yield world
        if self.outbox.added != before:
            self.announce()

    def _run_due_jobs(self) -> None:
        world = self._world
        world.request_id = world.idempotency_key = None
        while due := self.store.run(
            "SELECT seq, due, action, target FROM jobs WHERE due <= ? ORDER BY due, seq LIMIT 1",
            (int(self.clock.now()),),
        ):
            seq, moment, action, target = due[0]
            with self.store.transaction():
                world.moment = moment
                JOBS[action](world, target)
                self.store.run("DELETE FROM jobs WHERE seq = ?", (seq,))

    def tick(self) -> None:
        """Let everything happen whose time has come."""
        with self.store.exclusively():
            self._run_due_jobs()

    def set_clock(
        self, *, now: float | None = None, frozen: bool | None = None, reset: bool = False
    ) -> None:
        """Move, stop or reset the sandbox's clock; what becomes due happens at once."""
        with self.store.exclusively():
            before = self.clock.now()
            with self.store.transaction():
                if reset:
                    self.clock.reset()
                if frozen is not None:
                    self.clock.freeze(frozen)
                if now is not None:
                    self.clock.set(now)
                after = self.clock.now()
                if after < before:
                    self.outbox.shift(after - before)
            self._run_due_jobs()
        self.announce()

    def erase(self) -> None:
        """Forget every object, setting, fault and key; the command line's endpoint stays."""
        with self.store.transaction():
            self.store.erase()
            self.clock.recall()
            self.outbox.recall()
            self.faults.recall()
            self._fix_endpoint()

    def counts(self) -> Json:
        """Return how many objects of each kind there are."""
        return {kind.table: self.store.count(kind) for kind in KINDS}

    def latest_events(self, limit: int) -> list[Json]:
        """Return the newest events."""
        return self.store.select(EVENT, limit=limit)
