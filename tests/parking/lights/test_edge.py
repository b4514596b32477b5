"""Where meters call: who is let in, what is believed, what is answered."""

import json
import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parking import booking, lights, locking, meter_keys
from parking.models import CommandState, Meter, MeterCommand, MeterEvent
from parking.signatures import Key, new_nonce, sign, verify
from tests import cast
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db


@pytest.fixture
def meter(db: None) -> Meter:
    """A meter of two lamps with its first plan."""
    meter = a_street_meter(cast.a_zone())
    lights.look(now=timezone.now())
    meter.refresh_from_db()
    return meter


def call(
    meter: Meter,
    method: str,
    what: str,
    message: Any = None,
    *,
    key: Key | None = None,
    at: float | None = None,
    nonce: str | None = None,
    path: str | None = None,
    **headers: str,
) -> Any:
    """Call the site as the meter would."""
    path = path or f"/edge/v1/meters/{meter.serial}/{what}"
    body = message if isinstance(message, bytes) else b""
    if message is not None and not isinstance(message, bytes):
        body = json.dumps(message).encode()
    signature = sign(
        key=key or meter_keys.keys_of(meter.pk)[0],
        method=method,
        path=path,
        body=body,
        timestamp=int(at or time.time()),
        nonce=nonce or new_nonce(),
    )
    return Client(enforce_csrf_checks=True).generic(
        method, path, body, content_type="application/json", headers={**signature, **headers}
    )


def a_state(**changes: Any) -> dict[str, Any]:
    state = {
        "seq": 1,
        "at": "2026-03-03T08:00:00Z",
        "boot_id": "b1",
        "revision": 1,
        "firmware": "9.9",
        "battery_pct": 80,
        "clock_offset_ms": 12,
        "faults": [],
        "spots": [{"spot": 1, "light": "off", "pattern": "none", "occupied": True}],
    }
    return {**state, **changes}


def is_problem(answer: Any, status: int, code: str) -> bool:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail"} <= body.keys()
    return (answer.status_code, body["code"]) == (status, code)


# --- Who is let in ----------------------------------------------------------------------------


def test_an_unsigned_call_is_refused(meter: Meter, client: Client) -> None:
    answer = client.get(f"/edge/v1/meters/{meter.serial}/plan")
    assert is_problem(answer, 401, "bad_signature")


@pytest.mark.parametrize(
    ("method", "what"), [("GET", "plan"), ("POST", "acks"), ("POST", "state"), ("POST", "events")]
)
def test_a_wrong_key_opens_nothing(meter: Meter, method: str, what: str) -> None:
    right = meter_keys.keys_of(meter.pk)[0]
    wrong = Key(right.key_id, b"guessed")
    assert is_problem(call(meter, method, what, {}, key=wrong), 401, "bad_signature")
    unknown = Key("mk_unknown", right.secret)
    assert is_problem(call(meter, method, what, {}, key=unknown), 401, "bad_signature")


def test_a_meter_speaks_for_itself_alone(meter: Meter) -> None:
    other = a_street_meter(meter.zone, "MTR-000002")
    key = meter_keys.keys_of(other.pk)[0]
    answer = call(meter, "POST", "state", a_state(), key=key)
    assert is_problem(answer, 403, "not_yours")
    meter.refresh_from_db()
    assert meter.last_seen_at is None


def test_a_clock_that_is_off_is_told_the_time(meter: Meter) -> None:
    answer = call(meter, "POST", "state", a_state(), at=time.time() - 400)
    assert is_problem(answer, 401, "clock_skew")
    assert answer.json()["time"].endswith("Z")


def test_a_replayed_message_is_refused(meter: Meter) -> None:
    nonce, at = new_nonce(), time.time()
    assert call(meter, "POST", "state", a_state(), nonce=nonce, at=at).status_code == 200
    again = call(meter, "POST", "state", a_state(), nonce=nonce, at=at)
    assert is_problem(again, 401, "replay")


def test_the_older_key_is_good_until_the_next_rotation(meter: Meter) -> None:
    old = meter_keys.keys_of(meter.pk)[0]
    meter_keys.rotate(meter_id=meter.pk, now=timezone.now())
    assert call(meter, "GET", "plan", key=old).status_code == 200
    meter_keys.rotate(meter_id=meter.pk, now=timezone.now())
    assert is_problem(call(meter, "GET", "plan", key=old), 401, "bad_signature")


def test_a_meter_out_of_use_is_refused(meter: Meter) -> None:
    Meter.objects.update(is_active=False)
    assert is_problem(call(meter, "GET", "plan"), 403, "out_of_use")


def test_keys_of_another_installation_are_our_fault_not_the_meters(
    meter: Meter, settings: Any
) -> None:
    key = meter_keys.keys_of(meter.pk)[0]
    settings.METER_KEYS_SECRET = "the secret was changed by somebody"
    assert is_problem(call(meter, "GET", "plan", key=key), 503, "unavailable")


def test_other_methods_are_not_allowed(meter: Meter) -> None:
    assert call(meter, "POST", "plan", {}).status_code == 405
    assert call(meter, "GET", "state").status_code == 405


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["acks", "state", "events"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_400(meter: Meter, what: str, body: bytes) -> None:
    assert is_problem(call(meter, "POST", what, body), 400, "malformed")


@pytest.mark.parametrize("what", ["acks", "state"])
@pytest.mark.parametrize("body", [[], "text", None, 7, {}])
def test_what_is_no_message_is_422(meter: Meter, what: str, body: Any) -> None:
    answer = call(meter, "POST", what, json.dumps(body).encode())
    assert is_problem(answer, 422, "malformed")
    assert answer.json()["errors"]


def test_a_message_that_is_too_long_is_413(meter: Meter) -> None:
    assert is_problem(call(meter, "POST", "state", b" " * 300_000), 413, "too_large")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"seq": -1}, "/seq"),
        ({"seq": "1"}, "/seq"),
        ({"seq": True}, "/seq"),
        ({"seq": 2**60}, "/seq"),
        ({"at": "yesterday"}, "/at"),
        ({"at": "2026-03-03T08:00:00"}, "/at"),
        ({"at": "0001-01-01T00:00:00Z"}, "/at"),
        ({"boot_id": ""}, "/boot_id"),
        ({"boot_id": "x" * 65}, "/boot_id"),
        ({"boot_id": "nul\0"}, "/boot_id"),
        ({"boot_id": "\ud800"}, "/boot_id"),
        ({"battery_pct": 101}, "/battery_pct"),
        ({"faults": "none"}, "/faults"),
        ({"faults": ["\0"]}, "/faults"),
        ({"spots": {}}, "/spots"),
        ({"spots": ["1"]}, "/spots/0"),
        ({"spots": [{"spot": 9, "light": "off", "pattern": "none"}]}, "/spots/0/spot"),
        ({"spots": [{"spot": 1, "light": "blue", "pattern": "none"}]}, "/spots/0/light"),
        ({"spots": [{"spot": 1, "light": "off", "pattern": "wild"}]}, "/spots/0/pattern"),
        ({"spots": [{"spot": 1, "light": ["off"], "pattern": "none"}]}, "/spots/0/light"),
        ({"spots": [{"spot": 1, "light": "off", "pattern": "none"}] * 2}, "/spots/1/spot"),
        ({"spots": [{"spot": 1, "light": "off", "pattern": "none"}] * 9}, "/spots"),
    ],
)
def test_each_mistake_in_a_state_is_named(
    meter: Meter, change: dict[str, Any], pointer: str
) -> None:
    answer = call(meter, "POST", "state", a_state(**change))
    assert is_problem(answer, 422, "malformed")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    meter.refresh_from_db()
    assert meter.last_seen_at is None


@pytest.mark.django_db(transaction=True)
def test_a_meter_whose_row_is_held_for_long_is_asked_to_come_back() -> None:
    meter = a_street_meter(cast.a_zone())
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Meter.objects.select_for_update().get(pk=meter.pk)
            held.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        answer = call(meter, "POST", "state", a_state())
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert is_problem(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "1"
    assert call(meter, "POST", "state", a_state()).status_code == 200


# --- What is believed --------------------------------------------------------------------------


def test_a_state_is_stored_and_answered_with_the_wanted_revision(meter: Meter) -> None:
    answer = call(meter, "POST", "state", a_state())
    assert answer.status_code == 200
    assert answer.json()["revision"] == 1
    assert answer.json()["news"] is True
    meter.refresh_from_db()
    assert (meter.firmware, meter.battery_pct, meter.reported_revision) == ("9.9", 80, 1)
    assert meter.last_seen_at is not None
    seen = lamp(meter, 1).light
    assert (seen.reported_light, seen.occupied, seen.converged) == ("off", True, True)
    assert lamp(meter, 2).light.reported_at is None


def test_a_lamp_that_we_do_not_know_does_not_silence_the_others(meter: Meter) -> None:
    spots = [{"spot": n, "light": "off", "pattern": "none"} for n in (1, 7)]
    assert call(meter, "POST", "state", a_state(spots=spots)).status_code == 200
    assert lamp(meter, 1).light.reported_light == "off"


def test_a_sequence_that_goes_back_is_answered_but_not_believed(meter: Meter) -> None:
    call(meter, "POST", "state", a_state(seq=5))
    red = [{"spot": 1, "light": "red", "pattern": "steady"}]
    answer = call(meter, "POST", "state", a_state(seq=4, spots=red))
    assert (answer.status_code, answer.json()["news"]) == (200, False)
    assert lamp(meter, 1).light.reported_light == "off"


def test_the_worse_of_two_opinions_on_a_clock_counts(meter: Meter) -> None:
    call(meter, "POST", "state", a_state(), at=time.time() - 120)
    meter.refresh_from_db()
    assert -125_000 < meter.clock_offset_ms < -115_000
    call(meter, "POST", "state", a_state(seq=2, clock_offset_ms=45_000))
    meter.refresh_from_db()
    assert meter.clock_offset_ms == 45_000


def test_a_plan_is_fetched_once_and_then_304(meter: Meter) -> None:
    first = call(meter, "GET", "plan")
    assert first.status_code == 200
    assert first.headers["ETag"] == '"1"'
    body = first.json()
    assert (body["meter"], body["revision"]) == (meter.serial, 1)
    assert [spot["spot"] for spot in body["spots"]] == [1, 2]
    command = MeterCommand.objects.get(meter=meter)
    assert body["command_id"] == str(command.pk)
    again = call(meter, "GET", "plan", **{"If-None-Match": '"1"'})
    assert (again.status_code, again.content) == (304, b"")
    assert call(meter, "GET", "plan", **{"If-None-Match": '"11"'}).status_code == 200


def test_an_ack_ends_the_command_and_says_no_more(meter: Meter) -> None:
    command = MeterCommand.objects.get(meter=meter)
    ack = {
        "command_id": str(command.pk),
        "revision": 1,
        "stage": "applied",
        "at": "2026-03-03T08:00:00Z",
    }
    for _time in range(2):
        assert call(meter, "POST", "acks", ack).status_code == 200
    command.refresh_from_db()
    assert command.state == CommandState.APPLIED
    assert lamp(meter, 1).light.reported_at is None  # that is for its state to say


def test_an_ack_of_nothing_is_404(meter: Meter) -> None:
    ack = {
        "command_id": "01890000-0000-7000-8000-000000000000",
        "revision": 1,
        "stage": "applied",
        "at": "2026-03-03T08:00:00Z",
    }
    assert is_problem(call(meter, "POST", "acks", ack), 404, "unknown_command")
    answer = call(meter, "POST", "acks", {**ack, "command_id": "7", "stage": "maybe"})
    assert is_problem(answer, 422, "malformed")
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/command_id", "/stage"}


def test_events_are_kept_once_however_often_they_come(meter: Meter) -> None:
    door = {"event_id": "e1", "kind": "door_open", "at": "2026-03-03T08:00:00Z", "spot": 1}
    blow = {"event_id": "e2", "kind": "shock", "at": "1970-01-01T00:00:09Z", "data": {"g": 2.5}}
    assert call(meter, "POST", "events", {"events": [door]}).json() == {"received": 1, "new": 1}
    answer = call(meter, "POST", "events", {"events": [door, blow, blow]})
    assert answer.json() == {"received": 3, "new": 1}
    assert sorted(MeterEvent.objects.values_list("kind", flat=True)) == ["door_open", "shock"]


@pytest.mark.parametrize(
    "data", [b'{"x": NaN}', b'{"x": 1e999}', b'{"x": "\\u0000"}', b'{"x": "\\ud800"}', b"[]"]
)
def test_an_event_that_the_database_cannot_keep_is_422(meter: Meter, data: bytes) -> None:
    body = (
        b'{"events": [{"event_id": "e1", "kind": "k", "at": "2026-03-03T08:00:00Z", "data": '
        + data
        + b"}]}"
    )
    assert is_problem(call(meter, "POST", "events", body), 422, "malformed")
    assert not MeterEvent.objects.exists()


def test_the_time_is_told_to_a_clock_that_is_off_and_signed_for_this_question(
    meter: Meter,
) -> None:
    key, nonce = meter_keys.keys_of(meter.pk)[0], new_nonce()
    answer = call(meter, "GET", "", path="/edge/v1/time", key=key, nonce=nonce, at=315_532_800)
    assert answer.status_code == 200
    signed = verify(
        header=answer.headers.get,
        method="GET",
        path="/edge/v1/time",
        body=answer.content,
        key_of={key.key_id: key}.get,
        now=time.time(),
    )
    assert signed.nonce == nonce
    assert abs(answer.json()["unix_ms"] / 1000 - time.time()) < 5
    assert is_problem(Client().get("/edge/v1/time"), 401, "bad_signature")


def test_a_plan_in_the_answer_names_nobody(meter: Meter) -> None:
    slot = cast.a_hold(lamp(meter, 1), plate="SECRET1", email="who@example.org")
    booking.confirm(slot=locking.lock_slot(slot.pk), now=cast.NOW, actor="processor")
    text = call(meter, "GET", "plan").content.decode()
    assert slot.booking.reference in text
    assert "SECRET1" not in text
    assert "who@" not in text


def test_a_heartbeat_takes_four_statements(meter: Meter) -> None:
    key = meter_keys.keys_of(meter.pk)[0]
    assert call(meter, "POST", "state", a_state(), key=key).status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert call(meter, "POST", "state", a_state(seq=2), key=key).json()["news"]
    told = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(told) == 4, told
