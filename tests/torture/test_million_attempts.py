"""A million attempts on 500 spots: at no moment did two people have the same minute of one."""

from __future__ import annotations

import os
import statistics
import sys
import time

import pytest

from parking.models import Booking, Slot
from tests import cast, slot_journal
from tests.torture import crowd

SPOTS, PROCESSES = 500, 16
AT_LEAST = crowd.A_MINUTE * 15  # so that holds run out, after ten minutes
pytestmark = [pytest.mark.torture, pytest.mark.django_db(transaction=True)]


def attempts() -> int:
    """Return how many `make torture ATTEMPTS=…` asks for."""
    wanted = os.environ.get("ATTEMPTS") or "1000000"
    if not wanted.isdecimal() or int(wanted) < AT_LEAST:
        pytest.fail(f"ATTEMPTS={wanted}: give a number from {AT_LEAST} upwards", pytrace=False)
    return int(wanted)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Tenths:
    """Tells each tenth of the way."""

    def __init__(self, total: int) -> None:
        self.total, self.told, self.began = total, 0, time.monotonic()

    def __call__(self, done: int) -> None:
        if done * 10 // self.total > self.told:
            self.told = done * 10 // self.total
            say(f"  {done:>9,} attempts, {done / (time.monotonic() - self.began):,.0f}/s")


def test_nobody_is_given_what_another_has(capsys: pytest.CaptureFixture[str]) -> None:
    total = attempts()
    zone = cast.a_zone(slot_step_min=15, longest_stay_min=crowd.LONGEST_MIN)
    spots = [cast.a_spot(zone, f"K-{n}", metres_east=6 * n).pk for n in range(SPOTS)]
    with slot_journal.kept(), capsys.disabled():
        say(f"\n{total:,} attempts by {PROCESSES} processes on {SPOTS} spots")
        began = time.monotonic()
        tally = crowd.run(
            turns=crowd.Turns(total), spots=spots, processes=PROCESSES, watch=Tenths(total)
        )
        seconds = time.monotonic() - began
        report(tally, seconds)
        began = time.monotonic()
        found, (slots, changes) = slot_journal.overlaps(), slot_journal.lines()
        say(
            f"overlaps: {len(found)} in {changes:,} changes of {slots:,} slots"
            f" (looked through in {time.monotonic() - began:.0f} s)"
        )
        assert not tally.errors
        assert tally.outcomes.total() == total
        assert found == []
        won = tally.outcomes["won"]
        assert (Booking.objects.count(), Slot.objects.count(), slots) == (won, won, won)
        assert slot_journal.strays() == 0
    assert min(won, tally.refused) > total / 20, "a race needs winners and losers"
    assert all(tally.afterwards[kind] for kind in ("paid", "cancelled", "ran out"))


def report(tally: crowd.Tally, seconds: float) -> None:
    total, waits = tally.outcomes.total(), sorted(tally.waits)
    say(f"{total / seconds:,.0f} attempts/s ({seconds:.0f} s)")
    say(f"winners: {tally.outcomes['won']:,}; refused: {tally.refused:,}")
    for kind, count in tally.outcomes.most_common():
        if kind != "won":
            say(f"  {kind}: {count:,} ({count / total:.2%})")
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(tally.afterwards.items()))
    say(f"meanwhile: {kinds}")
    say(f"errors: {tally.errors.total()}")
    for error, count in tally.errors.most_common(10):
        say(f"  {count} × {error}")
    middle, slow = statistics.median(waits), waits[len(waits) * 99 // 100]
    say(f"wait: half {middle * 1e3:.1f} ms, 99 % {slow * 1e3:.0f} ms, longest {waits[-1]:.2f} s")
