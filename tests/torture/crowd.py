"""A crowd of processes that want the same spots: hold, pay, cancel, and let holds run out.

The crowd shares one count of its attempts, and the count is its clock: a short run sees the same
city as a long one, whatever the machine.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, connections, transaction

from parking import booking, holds, locking, refusals, terms
from parking.models import Slot, SlotState
from tests import cast

A_MINUTE = 2000  # attempts
STEP = timedelta(minutes=15)
LONGEST_MIN = 16 * 60
STARTS, LENGTHS = 2 * 24 * 4, 16 * 4  # steps: within two days, up to the longest stay
PAYS_EVERY, CANCELS_EVERY, SWEEPS_EVERY = 40, 50, 25
SWEEPERS = 4  # each has its part of the holds that ran out: doing them twice is no test
STRAY_EVERY = 40  # and asks for what no zone allows

Hold = Callable[..., object]


@dataclass
class Tally:
    """What came of attempts. Waits in seconds, one for each attempt."""

    outcomes: Counter[str] = field(default_factory=Counter)
    afterwards: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    waits: array[float] = field(default_factory=lambda: array("d"))

    def add(self, other: Tally) -> None:
        """Take the counts of another process."""
        self.outcomes += other.outcomes
        self.afterwards += other.afterwards
        self.errors += other.errors
        self.waits += other.waits

    @property
    def refused(self) -> int:
        """How many attempts were refused."""
        return self.outcomes.total() - self.outcomes["won"]


class Turns:
    """Numbers from 0 to `total`, each given to one process of the crowd."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._next = multiprocessing.get_context("fork").Value("q", 0)

    def __iter__(self) -> Iterator[int]:
        while (number := self._take()) < self.total:
            yield number

    def given(self) -> int:
        """Return how many numbers are given out."""
        return min(self._next.value, self.total)

    def _take(self) -> int:
        with self._next.get_lock():
            number: int = self._next.value
            self._next.value += 1
        return number


def run(
    *,
    turns: Turns,
    spots: Sequence[int],
    processes: int,
    hold: Hold = holds.hold,
    watch: Callable[[int], None] = lambda done: None,
) -> Tally:
    """Let the crowd take all turns; call `watch` now and then with how many are taken."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    connections.close_all()  # a child must not inherit a live connection
    crowd = [
        context.Process(target=_member, args=(number, turns, spots, hold, results), daemon=True)
        for number in range(processes)
    ]
    for member in crowd:
        member.start()
    while any(member.is_alive() for member in crowd) and results.qsize() < processes:
        watch(turns.given())
        time.sleep(0.1)
    whole = Tally()
    for _ in crowd:
        whole.add(results.get(timeout=30))
    for member in crowd:
        member.join(30)
    return whole


def _member(number: int, turns: Turns, spots: Sequence[int], hold: Hold, results: Any) -> None:
    connections.close_all()
    _keep_the_log_small()
    luck, tally = random.Random(number), Tally()
    try:
        for own_turn, turn in enumerate(turns, start=1):
            now = cast.at(turn / A_MINUTE)
            _attempt(turn, luck.choice(spots), now, luck, hold, tally)
            _pay_and_cancel(turn, luck.choice(spots), now, tally)
            if number < SWEEPERS and own_turn % SWEEPS_EVERY == 0:
                _sweep(number, now, tally)
    except Exception as error:  # noqa: BLE001 (the test looks at it)
        tally.errors[f"{type(error).__name__}: {error}"] += 1
    finally:
        connections.close_all()
        results.put(tally)


def _attempt(
    turn: int, spot_id: int, now: datetime, luck: random.Random, hold: Hold, tally: Tally
) -> None:
    start = now - (now - cast.NOW) % STEP + STEP * luck.randint(1, STARTS)
    if turn % STRAY_EVERY == 0:
        start += timedelta(minutes=luck.choice([1, 7, 14 * 24 * 60]))
    began = time.perf_counter()
    try:
        hold(
            spot_id=spot_id,
            start=start,
            end=start + STEP * luck.randint(1, LENGTHS),
            plate=f"CAR{turn % 10_000}",
            email="guest@example.org",
            now=now,
        )
        outcome = "won"
    except refusals.SpotTaken:
        outcome = "taken"
    except refusals.Busy:
        outcome = "busy"
    except terms.StayRefused as error:
        outcome = "refused by " + ", ".join(failure.rule for failure in error.failures)
    except Exception as error:  # noqa: BLE001 (the test looks at it)
        outcome = "error"
        tally.errors[f"{type(error).__name__}: {error}"] += 1
    tally.waits.append(time.perf_counter() - began)
    tally.outcomes[outcome] += 1


def _pay_and_cancel(turn: int, spot_id: int, now: datetime, tally: Tally) -> None:
    """Let somebody at the spot pay or cancel, now and then."""
    if turn % PAYS_EVERY == 0:
        for slot_id in _one(spot_id, SlotState.HELD):
            tally.afterwards["paid"] += _end(booking.confirm, slot_id, now)
    if turn % CANCELS_EVERY == 0:
        for slot_id in _one(spot_id, SlotState.CONFIRMED):
            tally.afterwards["cancelled"] += _end(booking.cancel, slot_id, now)


def _sweep(number: int, now: datetime, tally: Tally) -> None:
    """Release this sweeper's part of the holds that ran out."""
    for slot_id in booking.begin_expiries(now=now):
        if slot_id % SWEEPERS == number:
            tally.afterwards["ran out"] += _end(booking.release, slot_id, now)


def _one(spot_id: int, state: str) -> list[int]:
    return list(Slot.objects.filter(spot=spot_id, state=state).values_list("id", flat=True)[:1])


def _end(step: Callable[..., None], slot_id: int, now: datetime) -> bool:
    """Take the step unless another process was faster; return whether it was ours."""
    with suppress(refusals.BookingError), refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id)
        before = slot.state
        step(slot=slot, now=now, actor="crowd")
        return slot.state != before
    return False


def _keep_the_log_small() -> None:
    """Hundreds of thousands are told "taken" here, and the server would write a line for each."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        if cursor.fetchone() == ("on",):
            cursor.execute("SET log_min_messages = fatal")
