"""What a meter must refuse, how, and that it changes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from parking.conformance.bench import Bench, Broken, NotTried
from parking.meter_protocol import PROBLEM, Show, parse_stamp, stamp
from parking.signatures import Key, new_nonce

GREEN = Show("green", "steady")
FAR_OFF_S, NEAR_S = 400, 200
TIME_RIGHT_S = 30


def takes_plans(bench: Bench) -> None:
    """Give it a plan as patiently as the city does, and another one only once."""
    bench.give()
    body = bench.message(bench.show(GREEN, lamp=bench.lamps[0]))
    answer = bench.put(body)
    if answer.status not in {200, 202}:
        raise Broken(f"answered {answer.status} {answer.code}")
    bench.revision = body["revision"]
    if answer.status == 202:
        bench.taken.append(body["command_id"])


def wrong_signature(bench: Bench) -> None:
    """Sign with a guess."""
    guess = Key(bench.keys[0].key_id, b"a guess, thirty-two bytes long..")
    bench.refused(bench.put(bench.message(), key=guess), 401, "bad_signature")


def no_signature(bench: Bench) -> None:
    """Leave out each header in turn."""
    for name in ("X-Key-Id", "X-Timestamp", "X-Nonce", "X-Signature"):
        try:
            bench.refused(bench.put(bench.message(), headers={name: None}), 401, "bad_signature")
        except Broken as error:
            raise Broken(f"without {name}: {error}") from error


def unknown_key(bench: Bench) -> None:
    """Sign with a key that nobody gave it."""
    stranger = Key("mk_nobody", bench.keys[0].secret)
    bench.refused(bench.put(bench.message(), key=stranger), 401, "bad_signature")


def changed_body(bench: Bench) -> None:
    """Send another body than was signed."""
    signed = json.dumps(bench.message()).encode()
    bench.refused(bench.put(bench.message(), sign_as=signed), 401, "bad_signature")


def both_keys(bench: Bench) -> None:
    """Sign with the older key."""
    if len(bench.keys) < 2:
        raise NotTried("only one key was given")
    for key in (bench.keys[1], bench.keys[0]):
        body = bench.message()
        answer = bench.put(body, key=key)
        if answer.status not in {200, 202}:
            raise Broken(f"key {key.key_id}: answered {answer.status} {answer.code}")
        bench.revision = body["revision"]


def clock_skew(bench: Bench) -> None:
    """Sign far from its time, both ways, and near it."""
    for ahead in (FAR_OFF_S, -FAR_OFF_S):
        try:
            bench.refused(bench.put(bench.message(), ahead_s=ahead), 401, "clock_skew")
        except Broken as error:
            raise Broken(f"signed {ahead:+d} s off: {error}") from error
    for ahead in (NEAR_S, -NEAR_S):
        body = bench.message()
        answer = bench.put(body, ahead_s=ahead)
        if answer.status not in {200, 202}:
            raise Broken(f"signed {ahead:+d} s off: answered {answer.status} {answer.code}")
        bench.revision = body["revision"]


def says_its_time(bench: Bench) -> None:
    """Read the time out of the refusal."""
    _must_answer(bench)
    answer = bench.put(bench.message(), ahead_s=FAR_OFF_S)
    try:
        said = parse_stamp(answer.body.get("time")).timestamp()
    except ValueError as error:
        raise Broken(f'"time" is {answer.body.get("time")!r}: {error}') from error
    if abs(said - bench.clock()) > TIME_RIGHT_S:
        raise Broken(f"its time is {said - bench.clock():+.0f} s off")


def replay(bench: Bench) -> None:
    """Use a nonce again, for the same message and for another."""
    nonce = new_nonce()
    body = bench.message()
    if bench.put(body, nonce=nonce).status in {200, 202}:
        bench.revision = body["revision"]
    bench.refused(bench.put(body, nonce=nonce), 401, "replay")
    bench.refused(bench.put(bench.message(), nonce=nonce), 401, "replay")


def malformed(bench: Bench) -> None:
    """Send what nobody can read."""
    for data in (b"", b"{", b"[]", b"\xff\xfe"):
        bench.refused(bench.put(data), 400, "malformed")
    for change in (
        {"schema": 2},
        {"revision": -1},
        {"revision": "7"},
        {"not_after": "soon"},
        {"spots": None},
    ):
        _refuses(bench, change, (400, 422))


def unknown_light(bench: Bench) -> None:
    """Ask for lights, patterns and spots that do not exist."""
    now = bench.now
    entry = {
        "from": stamp(now),
        "to": stamp(now + timedelta(hours=1)),
        "light": "green",
        "pattern": "steady",
    }
    stranger = next(lamp for lamp in range(1, 10) if lamp not in bench.lamps)
    first = bench.lamps[0]
    for spot, changed in (
        (first, {"light": "blue"}),
        (first, {"pattern": "disco"}),
        (first, {"to": entry["from"]}),
        (stranger, {}),
    ):
        show = {"light": "off", "pattern": "none"}
        spots = [{"spot": spot, "now": show, "plan": [{**entry, **changed}]}]
        _refuses(bench, {"spots": spots}, (422,))


def not_yours(bench: Bench) -> None:
    """Give it the plan of another meter, and ask for another meter at its address."""
    bench.refused(bench.put(bench.message(meter="MTR-OF-NOBODY")), 403, "not_yours")
    answer = bench.put(bench.message(meter="MTR-OF-NOBODY"), serial="MTR-OF-NOBODY")
    if answer.status not in {403, 404}:
        raise Broken(f"another address: answered {answer.status} instead of 404 or 403")


def problem_documents(bench: Bench) -> None:
    """Look at the form of two refusals."""
    _must_answer(bench)
    guess = Key(bench.keys[0].key_id, b"another guess, of the same size.")
    for answer in (bench.put(bench.message(), key=guess), bench.put(b"{")):
        if answer.content_type != PROBLEM:
            raise Broken(f"a refusal is {answer.content_type or 'without a type'}, not {PROBLEM}")
        if answer.body.get("status") != answer.status:
            raise Broken(f'"status" is {answer.body.get("status")!r}, not {answer.status}')
        for member in ("code", "detail"):
            if not answer.body.get(member):
                raise Broken(f'"{member}" is missing')


def same_revision(bench: Bench) -> None:
    """Say it again, the same and with other lights."""
    lamp = bench.lamps[0]
    bench.give(bench.show(GREEN, lamp=lamp))
    bench.report_of(bench.revision)
    again = bench.message(bench.show(GREEN, lamp=lamp), revision=bench.revision)
    for body in (again, bench.message(revision=bench.revision)):
        answer = bench.put(body)
        if answer.status != 200:
            raise Broken(f"answered {answer.status} {answer.code} instead of 200")
    _still_green(bench, lamp)


def stale_revision(bench: Bench) -> None:
    """Send an older plan with other lights."""
    lamp = bench.lamps[0]
    bench.give(bench.show(GREEN, lamp=lamp))
    bench.give(bench.show(GREEN, lamp=lamp))
    answer = bench.put(bench.message(revision=bench.revision - 1))
    bench.refused(answer, 409, "stale_revision")
    _still_green(bench, lamp)


def expired(bench: Bench) -> None:
    """Send a plan that is too late by its own word."""
    lamp = bench.lamps[0]
    bench.give(bench.show(GREEN, lamp=lamp))
    # By the meter's clock, and beyond what two clocks may differ.
    late = bench.now + timedelta(seconds=bench.offset_s - 90)
    bench.refused(bench.put(bench.message(not_after=stamp(late))), 410, "expired")
    _still_green(bench, lamp)


def _must_answer(bench: Bench) -> None:
    if not bench.is_called:
        raise NotTried("nobody calls this meter, so it answers nothing")


def _refuses(bench: Bench, change: dict[str, Any], status: tuple[int, ...]) -> None:
    try:
        bench.refused(bench.put(bench.message(**change)), status, "malformed")
    except Broken as error:
        raise Broken(f"{json.dumps(change)[:120]}: {error}") from error


def _still_green(bench: Bench, lamp: int) -> None:
    """Check by a plan that changes another thing, or by the last report, that nothing changed."""
    state = bench.report_of(bench.revision)
    shown = {one.lamp: one.show for one in state.lamps}.get(lamp)
    if shown != GREEN:
        raise Broken(f"lamp {lamp} then shows {shown}, not what the last true plan asks")
