"""Lamps that change by the meter's own clock, with and without a site that listens."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial

from parking.conformance.bench import Bench, Broken
from parking.meter_messages import State
from parking.meter_protocol import OFF, Entry, Show, shown_at

EXACT_S = 2.0


def own_clock(bench: Bench) -> None:
    """Give a plan of four changes and compare when each is reported."""
    lamp = bench.lamps[0]
    plan = _sequence(bench, lamp)
    bench.give(plan)
    for entry in plan[lamp]:
        # The meter's clock may be off by what it may be; it is judged elsewhere.
        _wait(entry.start.timestamp() - bench.clock())
        bench.wait_for(
            partial(_is_shown, bench, lamp, entry.show),
            within=EXACT_S + 1,
            broken=f"{' '.join(entry.show)} is not reported within {EXACT_S:g} s of its time",
        )
    _wait(plan[lamp][-1].end.timestamp() - bench.clock())
    bench.wait_for(
        lambda: _shown(bench, lamp) == OFF,
        within=EXACT_S + 1,
        broken=f"the end of the plan is not reported within {EXACT_S:g} s",
    )


def keeps_its_plan(bench: Bench) -> None:
    """Be deaf over some changes and compare what is reported afterwards."""
    lamp = bench.lamps[0]
    plan = _sequence(bench, lamp)
    long = Entry(
        plan[lamp][-1].end, plan[lamp][-1].end + timedelta(hours=1), Show("green", "slow_blink")
    )
    bench.listener.is_deaf = True
    try:
        command = bench.give({lamp: [*plan[lamp], long]})
        _wait(plan[lamp][-1].start.timestamp() - bench.clock())
    finally:
        bench.listener.is_deaf = False
    heard_again = bench.clock()
    revision = bench.revision

    def back() -> State | None:
        states = bench.listener.states(since=heard_again)
        return states[0][1] if states else None

    within = bench.heartbeat_s + 30
    state: State = bench.wait_for(
        back, within=within, broken=f"no report within {within:g} s of being reachable again"
    )
    if state.revision != revision:
        raise Broken(f"it reports revision {state.revision} instead of {revision} afterwards")
    shown = {one.lamp: one.show for one in state.lamps}.get(lamp)
    # By its own word when that was: a report that was late is not wrong.
    around = (state.at + timedelta(seconds=quarter / 4) for quarter in range(-8, 9))
    possible = {shown_at([*plan[lamp], long], moment) for moment in around}
    if shown not in possible:
        raise Broken(f"lamp {lamp} reports {shown}, the plan asks {sorted(possible)}")
    if command in bench.taken:
        bench.wait_for(
            lambda: command in {str(ack.command_id) for ack in bench.listener.acks()},
            within=within,
            broken="the acknowledgement that could not be delivered was not made up for",
        )


def neutral_after_the_end(bench: Bench) -> None:
    """Let a plan end and compare what is shown."""
    lamp = bench.lamps[0]
    seconds = bench.step_s + bench.lead_s
    bench.give(bench.show(Show("green", "steady"), lamp=lamp, seconds=seconds))
    bench.report_of(bench.revision)
    _wait(seconds)
    bench.wait_for(
        lambda: _shown(bench, lamp) not in {None, Show("green", "steady")},
        within=bench.patience_s,
        broken="nothing is reported when the plan has ended",
    )
    shown = _shown(bench, lamp)
    if shown != OFF:
        raise Broken(f"the lamp shows {' '.join(shown or ('nothing',))}")


def _sequence(bench: Bench, lamp: int) -> dict[int, list[Entry]]:
    start = bench.now + timedelta(seconds=bench.lead_s)
    step = timedelta(seconds=bench.step_s)
    shows = (
        Show("green", "slow_blink"),
        Show("green", "steady"),
        Show("green", "fast_blink"),
        Show("red", "steady"),
    )
    return {
        lamp: [
            Entry(start + n * step, start + (n + 1) * step, show) for n, show in enumerate(shows)
        ]
    }


def _shown(bench: Bench, lamp: int) -> Show | None:
    states = bench.reports_of(bench.revision)
    if not states:
        return None
    return {one.lamp: one.show for one in states[-1].lamps}.get(lamp)


def _is_shown(bench: Bench, lamp: int, show: Show) -> bool:
    return _shown(bench, lamp) == show


def _wait(seconds: float) -> None:
    time.sleep(max(0.0, seconds))
