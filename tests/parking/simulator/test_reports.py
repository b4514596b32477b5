"""What the meters of a street say to the site, in good times and in bad ones."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from parking.meter_protocol import parse_stamp
from parking.signatures import Key
from parking.simulator.clock import VirtualClock
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.parking.simulator.recorder import Recorder, Said
from tests.parking.street import RunningStreet, eventually


def spec(number: int, *, gateway: str = "gateway") -> MeterSpec:
    return MeterSpec(
        serial=f"MTR-{number:03d}",
        keys=(Key(f"mk_{number}", b"secret"),),
        is_called=True,
        zone="Kamppi",
        street="Fredrikinkatu",
        longitude=24.9,
        latitude=60.1,
        spots=(SpotSpec(lamp=1, number="K-1"),),
        gateway=gateway,
    )


@pytest.fixture
def site() -> Iterator[Recorder]:
    """A site that only listens."""
    listening = Recorder()
    yield listening
    listening.close()


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that tests may put on."""
    return VirtualClock(start=1_772_524_800.0)


@pytest.fixture
def street(site: Recorder, clock: VirtualClock) -> Iterator[RunningStreet]:
    """A street of twenty meters behind two gateways."""
    running = RunningStreet(site.url, clock=clock).start()
    running.put_up(spec(n, gateway="north" if n <= 10 else "south") for n in range(1, 21))
    eventually(lambda: len(site.states()) == 20)
    yield running
    running.stop()


def made_at(one: Said) -> float:
    """Return when a state was made, by the street's clock."""
    return parse_stamp(one.body["at"]).timestamp()


def since(site: Recorder, moment: float) -> list[Said]:
    """Return the states that were made then or later."""
    return [one for one in site.states() if made_at(one) > moment - 0.01]


def pairs(site: Recorder, serial: str) -> list[tuple[Said, Said]]:
    """Return each state of a meter with the one that came after it."""
    return list(pairwise(site.states(serial)))


def test_a_clock_that_is_put_on_brings_the_next_heartbeats_at_once(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    clock.put_on(61)
    eventually(lambda: len(site.states()) == 40)
    assert site.states()[-1].body["at"].startswith("2026-03-03T08:01")


def test_a_fast_clock_beats_faster(street: RunningStreet, site: Recorder) -> None:
    answer = street.control("PUT", "clock", {"speed": 120})
    assert answer["speed"] == 120
    eventually(lambda: len(site.states("MTR-001")) >= 4)
    assert street.control("PUT", "clock", {"speed": 1, "put_on_s": 0})["speed"] == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"speed": -1}, "speed must lie"),
        ({"put_on_s": "1"}, "put_on_s must lie"),
        ({"put_on_s": None}, "put_on_s must lie"),
        ({"back_s": 1}, "nothing else"),
        ([], "nothing else"),
    ],
)
def test_a_clock_is_never_put_back(street: RunningStreet, body: Any, said: str) -> None:
    assert said in street.control("PUT", "clock", body, status=422)["detail"]


def test_a_cut_gateway_silences_its_meters_and_nobody_else(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    street.faults({"kind": "gateway_cut", "meters": "MTR-00*"})
    later = clock() + 61
    clock.put_on(61)
    eventually(lambda: len({one.serial for one in since(site, later)}) >= 11)
    assert {one.serial for one in since(site, later)} == {f"MTR-{n:03d}" for n in range(10, 21)}
    shown = street.control("GET", "/street.json")
    assert sum(not meter["online"] for meter in shown["meters"]) == 9


@pytest.mark.parametrize("stampedes", [False, True])
def test_after_a_cut_meters_come_back_one_by_one_or_stampede(
    street: RunningStreet, site: Recorder, clock: VirtualClock, stampedes: bool
) -> None:
    cut = {"kind": "gateway_cut", "to_s": 10.0}
    street.faults(cut, *([{"kind": "stampede"}] if stampedes else []))
    street.control("PUT", "clock", {"speed": 0})
    back_at = clock() + 11
    clock.put_on(11)
    if stampedes:
        eventually(lambda: len({one.serial for one in since(site, back_at)}) == 20)
        assert all(made_at(one) == pytest.approx(back_at) for one in since(site, back_at))
        return
    street.control("PUT", "clock", {"speed": 20})
    eventually(lambda: len({one.serial for one in since(site, back_at)}) == 20)
    first = {one.serial: made_at(one) for one in reversed(since(site, back_at))}
    assert max(first.values()) > back_at + 5


def test_a_duplicate_says_the_same_twice_and_a_late_one_an_older_number(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    street.faults({"kind": "duplicate", "meters": "MTR-001"})

    def repeated() -> Any:
        return [(a, b) for a, b in pairs(site, "MTR-001") if a.body == b.body]

    ((first, second), *_more) = eventually(repeated)
    assert first.signature != second.signature
    street.faults({"kind": "reorder", "meters": "MTR-002", "delay_s": 5.0})
    street.control("PUT", "clock", {"speed": 10})
    eventually(
        lambda: any(b.body["seq"] < a.body["seq"] for a, b in pairs(site, "MTR-002")), within=20
    )


def test_a_replay_is_the_same_packet_once_more_and_a_bad_signature_is_none(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    street.faults({"kind": "replay", "meters": "MTR-001"})
    clock.put_on(61)

    def repeated() -> bool:
        signatures = [one.signature for one in site.states("MTR-001")]
        return len(set(signatures)) < len(signatures)

    eventually(repeated)
    street.faults({"kind": "bad_signature", "meters": "MTR-002"})
    wrong = "v1=" + "0" * 64
    eventually(lambda: wrong in {one.signature for one in site.states("MTR-002")})
    assert wrong not in {one.signature for one in site.states("MTR-001")}


def test_a_meter_that_reboots_begins_a_new_boot_with_each_heartbeat(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    before = site.states("MTR-001")[-1].body
    street.faults({"kind": "reboot", "meters": "MTR-001"})
    clock.put_on(61)

    def again() -> Any:
        return [o.body for o in site.states("MTR-001") if o.body["boot_id"] != before["boot_id"]]

    assert eventually(again)[0]["seq"] == 1
    assert len({one.body["boot_id"] for one in site.states("MTR-002")}) == 1


def test_a_drifting_clock_and_a_dying_battery_go_on_and_on(
    street: RunningStreet, site: Recorder, clock: VirtualClock
) -> None:
    street.faults(
        {"kind": "clock_off", "offset_s": 0.0, "drift_s_per_hour": 60.0},
        {"kind": "dying_battery", "percent_per_hour": 30.0},
    )
    clock.put_on(2 * 3600)
    eventually(lambda: site.states("MTR-001")[-1].body["battery_pct"] == 40)
    assert street.do(
        lambda: street.street.devices["MTR-001"].own_time(clock()) - clock()
    ) == pytest.approx(120, abs=1)


def test_the_same_seed_gives_the_same_misfortunes_over_the_wire(site: Recorder) -> None:
    def history(seed: int) -> list[tuple[str, int]]:
        site.said.clear()
        # It hardly goes between two beats: a slow machine would have one more of them.
        clock = VirtualClock(start=1_772_524_800.0, speed=0.1)
        running = RunningStreet(site.url, clock=clock, seed=seed).start()
        try:
            running.put_up([spec(1)])
            eventually(lambda: site.states())
            running.faults(
                {"kind": "duplicate", "probability": 0.4}, {"kind": "reboot", "probability": 0.3}
            )
            running.falls_quiet()  # it reports at once when faults change
            for beat in range(12):
                heard = len(site.states())
                clock.put_on(61)
                eventually(lambda heard=heard: len(site.states()) > heard)
                running.falls_quiet()
                assert beat < 12
        finally:
            running.stop()
        # The boot's name tells its time by the world's clock as well: only its dice are compared.
        return [(one.body["boot_id"].rpartition("-")[0], one.body["seq"]) for one in site.states()]

    one = history(7)
    assert one == history(7)
    assert one != history(8)
