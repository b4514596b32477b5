"""A simulated meter keeps the protocol's rules."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from parking.meter_protocol import Entry, Show, message
from parking.signatures import Key, sign
from parking.simulator.device import Device, Reply
from parking.simulator.fault_files import parse_faults
from parking.simulator.faults import FaultBook
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.cast import NOW, at

KEY = Key("mk_1", b"secret")
SPEC = MeterSpec(
    serial="MTR-1",
    keys=(KEY,),
    is_called=True,
    zone="Kamppi",
    street="Fredrikinkatu",
    longitude=24.9,
    latitude=60.1,
    spots=(SpotSpec(lamp=1, number="K-1"), SpotSpec(lamp=2, number="K-2")),
)
GREEN = Show("green", "steady")
T = NOW.timestamp()


def device(*faults: dict[str, Any]) -> Device:
    return Device(SPEC, FaultBook(1, parse_faults({"fault": list(faults)}), at=T), now=T)


def a_plan(revision: int = 1, *, command: str = "c1", **changes: Any) -> dict[str, Any]:
    body = message(
        serial="MTR-1",
        revision=revision,
        command_id=command,
        issued_at=NOW,
        not_after=NOW + timedelta(hours=1),
        plan={1: [Entry(at(0), at(60), GREEN, "B1")], 2: []},
        now=NOW,
    )
    return {**body, **changes}


def put(
    meter: Device, body: Any, *, key: Key = KEY, now: float = T, nonce: str = "nonce-000"
) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/v1/meters/MTR-1/plan"
    headers = sign(key=key, method="PUT", path=path, body=data, timestamp=int(T), nonce=nonce)
    return meter.put_plan(path=path, header=headers.get, body=data, now=now)


def lights(meter: Device, now: float = T) -> list[str]:
    return [" ".join(show) for _lamp, show in sorted(meter.shown(now).items())]


def test_a_new_meter_says_that_it_knows_no_plan() -> None:
    meter = device()
    assert lights(meter) == ["amber double_blink"] * 2
    assert meter.state(T)["revision"] == 0


def test_a_plan_is_accepted_shown_and_acknowledged() -> None:
    meter = device()
    assert put(meter, a_plan()).status == 202
    assert lights(meter) == ["green steady", "off none"]
    assert [(ack["command_id"], ack["stage"]) for ack in meter.acks] == [("c1", "applied")]
    state = meter.state(T)
    assert state["revision"] == 1
    assert state["spots"][0] == {
        "spot": 1,
        "light": "green",
        "pattern": "steady",
        "occupied": True,
    }


def test_the_same_revision_is_applied_already_and_a_lower_one_is_stale() -> None:
    meter = device()
    put(meter, a_plan(5))
    again = put(meter, a_plan(5, command="c2"), nonce="nonce-001")
    assert again.status == 200
    stale = put(meter, a_plan(4, spots=[]), nonce="nonce-002")
    assert (stale.status, stale.body["code"]) == (409, "stale_revision")
    assert meter.revision == 5
    assert lights(meter)[0] == "green steady"
    assert len(meter.acks) == 1


def test_a_lamp_follows_the_meters_own_clock_when_nobody_calls() -> None:
    meter = device()
    put(meter, a_plan())
    assert meter.next_change(T) == T + 3600
    assert lights(meter, T + 3599)[0] == "green steady"
    assert lights(meter, T + 3600)[0] == "off none"
    assert meter.next_change(T + 3600) is None


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"meter": "MTR-2"}, 403, "not_yours"),
        ({"schema": 2}, 422, "malformed"),
        ({"revision": -1}, 422, "malformed"),
        ({"revision": "1"}, 422, "malformed"),
        ({"not_after": "soon"}, 422, "malformed"),
        ({"not_after": "2026-03-03T08:00:00Z"}, 410, "expired"),
        ({"spots": [{"spot": 3, "plan": []}]}, 422, "malformed"),
        ({"spots": [{"spot": 1, "plan": [{"from": "x"}]}]}, 422, "malformed"),
        ({"spots": None}, 422, "malformed"),
    ],
)
def test_what_breaks_the_protocol_changes_nothing(
    change: dict[str, Any], status: int, code: str
) -> None:
    meter = device()
    reply = put(meter, a_plan(**change))
    assert (reply.status, reply.body["code"]) == (status, code)
    assert meter.revision == 0
    assert not meter.acks


@pytest.mark.parametrize(
    ("light", "pattern"), [("blue", "steady"), ("green", "wild"), (None, "steady")]
)
def test_an_unknown_light_is_refused(light: str | None, pattern: str) -> None:
    entry = {
        "from": "2026-03-03T08:00:00Z",
        "to": "2026-03-03T09:00:00Z",
        "light": light,
        "pattern": pattern,
    }
    reply = put(device(), a_plan(spots=[{"spot": 1, "plan": [entry]}]))
    assert reply.status == 422
    assert reply.body["errors"][0]["pointer"] == "/spots/0/plan/0"


def test_a_wrong_key_a_replay_and_a_clock_that_is_off_are_refused() -> None:
    meter = device()
    assert put(meter, a_plan(), key=Key("mk_1", b"guess")).body["code"] == "bad_signature"
    skew = put(meter, a_plan(), now=T + 400)
    assert (skew.status, skew.body["code"]) == (401, "clock_skew")
    assert skew.body["time"] == "2026-03-03T08:06:40Z"
    put(meter, a_plan())
    assert put(meter, a_plan(2)).body["code"] == "replay"
    assert meter.revision == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000])
def test_what_is_no_json_object_is_400(body: bytes) -> None:
    assert put(device(), body).status == 400


def test_a_reboot_forgets_the_plan_and_begins_a_new_boot() -> None:
    meter = device()
    put(meter, a_plan())
    before = meter.state(T)
    meter.reboot(now=T + 1)
    after = meter.state(T + 1)
    assert after["boot_id"] != before["boot_id"]
    assert (after["seq"], after["revision"]) == (1, 0)
    assert lights(meter) == ["amber double_blink"] * 2


def test_a_stuck_lamp_tells_the_truth_or_lies() -> None:
    stuck = {"kind": "stuck_light", "lamp": 1, "light": "red", "pattern": "steady"}
    honest, lying = device(stuck), device({**stuck, "honest": False})
    for meter in (honest, lying):
        put(meter, a_plan())
        assert lights(meter) == ["red steady", "off none"]
    assert honest.state(T)["spots"][0]["light"] == "red"
    assert honest.state(T)["faults"] == ["light_stuck"]
    assert lying.state(T)["spots"][0]["light"] == "green"
    assert lying.state(T)["faults"] == []


def test_a_clock_that_is_off_switches_early_until_it_is_put_right() -> None:
    meter = device({"kind": "clock_off", "offset_s": 120.0})
    put(meter, a_plan())
    assert lights(meter, T + 3500)[0] == "off none"
    assert meter.next_change(T) == pytest.approx(T + 3480)
    meter.set_clock(T, now=T)
    assert lights(meter, T + 3500)[0] == "green steady"


def test_other_conditions_show_in_answers_and_reports() -> None:
    assert put(device({"kind": "maintenance"}), a_plan()).status == 423
    assert put(device({"kind": "light_fault"}), a_plan()).status == 424
    late = a_plan(not_after="2026-03-03T07:00:00Z")
    assert put(device({"kind": "ignores_not_after"}), late).status == 202
    assert device({"kind": "dying_battery"}).battery_pct(T + 1800) == 70
    liar = device({"kind": "false_sensor"})
    put(liar, a_plan())
    assert liar.occupied(T) == {1: False, 2: True}


def said(meter: Device, now: float = T) -> list[bool | None]:
    return [spot["occupied"] for spot in meter.state(now)["spots"]]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "nobody_comes"}, [False, False]),
        ({"kind": "no_sensor"}, [None, None]),
        ({"kind": "false_sensor"}, [False, True]),
        ({"kind": "stuck_sensor"}, [False, False]),
        ({"kind": "stuck_sensor", "occupied": True, "lamp": 2}, [True, True]),
    ],
)
def test_sensors_fail_in_their_own_ways(fault: dict[str, Any], words: list[bool | None]) -> None:
    sound, broken = device(), device(fault)
    for meter in (sound, broken):
        put(meter, a_plan())
    assert said(sound) == [True, False]
    assert said(broken) == words


def test_a_car_put_there_by_hand_is_seen_until_it_is_taken_away() -> None:
    meter = device()
    put(meter, a_plan())
    meter.cars = {1: False, 2: True}
    assert said(meter) == [False, True]
    meter.cars = {}
    assert said(meter) == [True, False]


def careless(about: str) -> Device:
    return device({"kind": "careless", "about": about})


def test_careless_firmware_breaks_the_rule_that_it_is_careless_about() -> None:
    guess = Key("mk_1", b"guess")
    assert put(careless("signature"), a_plan(), key=guess).status == 202
    assert put(careless("skew"), a_plan(), now=T + 400).status == 202
    assert "time" not in put(careless("time"), a_plan(), now=T + 400).body
    assert put(careless("problem"), a_plan(), key=guess).content_type == "application/json"
    assert put(careless("malformed"), a_plan(spots=None)).status == 202
    assert put(careless("owner"), a_plan(meter="MTR-2")).status == 202
    forgetful = careless("nonce")
    assert [put(forgetful, a_plan(revision)).status for revision in (1, 2)] == [202, 202]


def test_careless_firmware_mixes_up_plans_and_acknowledgements() -> None:
    old = careless("revision")
    put(old, a_plan(5))
    assert put(old, a_plan(4), nonce="nonce-001").status == 202
    again = careless("repeat")
    put(again, a_plan(5))
    put(again, a_plan(5), nonce="nonce-001")
    assert [ack["stage"] for ack in again.acks] == ["applied", "applied"]
    twice = careless("ack")
    put(twice, a_plan())
    assert [ack["stage"] for ack in twice.acks] == ["applied", "rejected"]


def test_careless_firmware_shows_and_says_what_it_should_not() -> None:
    frozen, red, blue, stuck = (
        careless(about) for about in ("switching", "exhausted", "report", "seq")
    )
    for meter in (frozen, red, blue, stuck):
        put(meter, a_plan())
    assert lights(frozen, T + 3700) == ["green steady", "off none"]
    assert lights(red, T + 3500) == ["green steady", "off none"]
    assert lights(red, T + 3700) == ["red steady"] * 2
    assert blue.state(T)["spots"][0]["light"] == "blue"
    assert [stuck.state(T)["seq"] for _report in range(2)] == [1, 1]


def test_of_two_keys_both_are_known_unless_the_firmware_is_careless() -> None:
    old = Key("mk_0", b"older")
    for faults, status in (((), 202), (({"kind": "careless", "about": "second_key"},), 401)):
        meter = device(*faults)
        meter.spec = replace(SPEC, keys=(KEY, old))
        assert put(meter, a_plan(), key=old).status == status
