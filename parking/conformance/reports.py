"""What a meter says of itself: acknowledgements, reports, and all that was heard at the end."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from parking.conformance.bench import Bench, Broken, NotTried
from parking.meter_messages import State
from parking.meter_protocol import Show

TABLE = (
    Show("green", "slow_blink"),
    Show("green", "steady"),
    Show("green", "fast_blink"),
    Show("red", "blink"),
    Show("red", "steady"),
    Show("amber", "double_blink"),
    Show("off", "none"),
)
CLOCK_S = 30
LATE = 1.25  # of a heartbeat


def acknowledges(bench: Bench) -> None:
    """Wait for the acknowledgement of a plan."""
    command = bench.give(bench.show(TABLE[1], lamp=bench.lamps[0]))
    if command not in bench.taken:
        return  # answered 200: applied, and said so
    bench.wait_for(
        lambda: any(
            str(ack.command_id) == command and ack.stage == "applied"
            for ack in bench.listener.acks()
        ),
        within=bench.patience_s,
        broken=f"no acknowledgement as applied within {bench.patience_s:g} s",
    )


def reports_changes(bench: Bench) -> None:
    """Wait for the report that follows a plan."""
    lamp = bench.lamps[0]
    for show in (TABLE[1], TABLE[-1]):
        bench.give(bench.show(show, lamp=lamp))
        state = bench.report_of(bench.revision)
        _shows(state, lamp, show)
        for other in bench.lamps:
            if other != lamp:
                _shows(state, other, TABLE[-1])


def shows_all_lights(bench: Bench) -> None:
    """Ask for every light of the table, on every lamp in turn."""
    for number, show in enumerate(TABLE):
        lamp = bench.lamps[number % len(bench.lamps)]
        bench.give(bench.show(show, lamp=lamp))
        _shows(bench.report_of(bench.revision), lamp, show)


def supersedes(bench: Bench) -> None:
    """Give two plans as fast as it takes them."""
    lamp = bench.lamps[0]
    bench.give(bench.show(Show("red", "steady"), lamp=lamp))
    bench.give(bench.show(Show("green", "steady"), lamp=lamp))
    second = bench.report_of(bench.revision)
    _shows(second, lamp, Show("green", "steady"))

    def later() -> list[State]:
        states = [state for _at, state in bench.listener.states()]
        return [s for s in states if s.boot_id == second.boot_id and s.seq > second.seq]

    within = bench.heartbeat_s * LATE + 1
    bench.wait_for(later, within=within, broken=f"no second report within {within:g} s")
    for state in later():
        if state.revision < second.revision:
            raise Broken(f"after revision {second.revision} it reports {state.revision}")


def heartbeat(bench: Bench) -> None:
    """Give it nothing to do and wait for two reports."""
    if bench.revision:
        bench.report_of(bench.revision)  # what the last plan had it say is no heartbeat
    since = bench.clock()
    within = bench.heartbeat_s * LATE * 2 + 1
    bench.wait_for(
        lambda: len(bench.listener.states(since=since)) >= 2,
        within=within,
        broken=f"fewer than two reports in {within:g} s",
    )
    times = [at for at, _state in bench.listener.states(since=since)]
    longest = max(later - earlier for earlier, later in pairwise([since, *times]))
    if longest > bench.heartbeat_s * LATE + 1:
        raise Broken(f"{longest:.0f} s between two reports, not {bench.heartbeat_s:g}")


def well_formed(bench: Bench) -> None:
    """Judge the form of all that was heard."""
    _no(bench, "malformed")
    for _at, state in bench.listener.states():
        if missing := set(bench.lamps) - {one.lamp for one in state.lamps}:
            raise Broken(f"report {state.seq} says nothing of lamp {min(missing)}")


def signs(bench: Bench) -> None:
    """Judge the signatures of all that was heard."""
    _no(bench, "bad_signature")
    _no(bench, "whose")


def never_repeats_itself(bench: Bench) -> None:
    """Judge the nonces of all that was heard."""
    _no(bench, "replay")


def one_end(bench: Bench) -> None:
    """Judge the acknowledgements of each command."""
    stages: dict[str, set[str]] = defaultdict(set)
    for ack in bench.listener.acks():
        stages[str(ack.command_id)].add(ack.stage)
    for command, said in stages.items():
        if {"applied", "rejected"} <= said:
            raise Broken(f"command {command} was said to be applied and rejected")
        if command in bench.taken and "rejected" in said:
            raise Broken(f"command {command} was accepted and then rejected")


def counts_up(bench: Bench) -> None:
    """Judge the numbers of all reports; the network may bring them late, never twice."""
    bodies: dict[tuple[str, int], set[str]] = defaultdict(set)
    for _at, state in bench.listener.states():
        bodies[state.boot_id, state.seq].add(repr(state))
    for (_boot, seq), different in bodies.items():
        if len(different) > 1:
            raise Broken(f"{len(different)} different reports have the number {seq}")


def stays_up(bench: Bench) -> None:
    """Count the boots."""
    boots = {state.boot_id for _at, state in bench.listener.states()}
    if len(boots) > 1:
        raise Broken(f"it restarted {len(boots) - 1} times")


def clock_right(bench: Bench) -> None:
    """Judge the time of its last messages."""
    with bench.listener.changed:
        times = [
            (one.at, one.timestamp) for one in bench.listener.heard if one.timestamp and one.state
        ]
    if not times:
        raise NotTried("it said nothing that could be dated")
    at, said = times[-1]
    if abs(said - at) > CLOCK_S:
        raise Broken(f"its clock is {said - at:+.0f} s off")


def tells_the_truth(bench: Bench) -> None:
    """Compare what the eye sees with what is reported."""
    lamp = bench.lamps[0]
    for show in (TABLE[1], TABLE[4], TABLE[-1]):
        bench.give(bench.show(show, lamp=lamp))
        state = bench.report_of(bench.revision)
        seen = {
            one.get("lamp"): Show(str(one.get("light")), str(one.get("pattern")))
            for one in bench.look().get("lamps", [])
        }
        for one in state.lamps:
            if seen.get(one.lamp) != one.show:
                raise Broken(f"lamp {one.lamp}: reports {one.show}, shows {seen.get(one.lamp)}")


def sees_cars(bench: Bench) -> None:
    """Compare what stands in the bays with what is reported."""
    cars = bench.look().get("cars")
    if not isinstance(cars, dict):
        raise NotTried("the eye does not see the bays")
    states = bench.listener.states()
    if not states:
        raise NotTried("it reported nothing")
    for one in states[-1][1].lamps:
        there = cars.get(str(one.lamp))
        if one.occupied is not None and there is not None and one.occupied != there:
            raise Broken(f"bay {one.lamp}: reports {one.occupied}, there is {there}")


def _shows(state: State, lamp: int, show: Show) -> None:
    shown = {one.lamp: one.show for one in state.lamps}.get(lamp)
    if shown != show:
        raise Broken(
            f"lamp {lamp} reports {' '.join(shown) if shown else 'nothing'} where "
            f"{' '.join(show)} was asked"
        )


def _no(bench: Bench, trouble: str) -> None:
    with bench.listener.changed:
        found = [one for one in bench.listener.heard if one.trouble == trouble]
    if found:
        raise Broken(f"{len(found)} of {len(bench.listener.heard)} calls: {found[0].detail}")
