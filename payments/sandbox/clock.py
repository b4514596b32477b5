"""The sandbox's own clock: the machine's, shifted or stopped."""

import time

from payments.sandbox.store import Store


class Clock:
    """Seconds since 1970, as the sandbox sees them. Survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.offset = 0.0
        self.frozen_at: float | None = None
        self.recall()

    def recall(self) -> None:
        """Read the shift that the state file holds."""
        saved = self._store.setting("clock") or {}
        self.offset = float(saved.get("offset", 0.0))
        self.frozen_at = saved.get("frozen_at")

    def now(self) -> float:
        """Return the sandbox's time."""
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    def set(self, now: float) -> None:
        """Go to a moment, and run on from there unless stopped."""
        if self.frozen_at is None:
            self.offset = now - time.time()
        else:
            self.frozen_at = now
        self._save()

    def freeze(self, frozen: bool) -> None:
        """Stop at this moment, or run on from it."""
        now = self.now()
        self.frozen_at = now if frozen else None
        self.offset = now - time.time()
        self._save()

    def reset(self) -> None:
        """Return to the machine's time."""
        self.offset, self.frozen_at = 0.0, None
        self._save()

    def _save(self) -> None:
        self._store.remember("clock", {"offset": self.offset, "frozen_at": self.frozen_at})
