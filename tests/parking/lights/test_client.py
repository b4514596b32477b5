"""The door to the meters: what each answer means, and what is never done."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from parking import courier, meter_client
from parking.meter_client import Answer, MeterError
from parking.signatures import Key, verify

KEYS = [Key("mk_new", b"new"), Key("mk_old", b"old")]
Script = Callable[["Endpoint", bytes], None]


class Endpoint(BaseHTTPRequestHandler):
    """Answers as the test says, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    script: Script
    asked: list[dict[str, str]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append({**self.headers, "path": self.path, "body": body.decode()})
        type(self).script(self, body)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        data = json.dumps(body or {}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Meter:
    """A server on a free port."""

    def __init__(self) -> None:
        self.handler: type[Endpoint] = type("Handler", (Endpoint,), {"asked": []})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def asked(self) -> list[dict[str, str]]:
        return self.handler.asked

    def answers(self, script: Script) -> None:
        self.handler.script = script


@pytest.fixture
def meter() -> Iterator[Meter]:
    running = Meter()
    yield running
    running.server.shutdown()
    running.server.server_close()


def put(url: str, *, keys: list[Key] = KEYS, now: float | None = None) -> Answer:
    done = courier.carry(
        edge_url=url,
        serial="MTR-1",
        message={"revision": 1},
        keys=keys,
        now=time.time() if now is None else now,
    ).result(20)
    if isinstance(done, MeterError):
        raise done
    return done


def failure(url: str, **options: Any) -> MeterError:
    with pytest.raises(MeterError) as caught:
        put(url, **options)
    return caught.value


def test_a_plan_is_put_signed_at_the_meters_own_path(meter: Meter) -> None:
    meter.answers(lambda it, _body: it.answer(202))
    assert put(meter.url + "/gateway/") is Answer.ACCEPTED
    (asked,) = meter.asked
    assert asked["path"] == "/gateway/v1/meters/MTR-1/plan"
    assert asked["Content-Type"] == "application/json"
    verify(
        header=asked.get,
        method="PUT",
        path=asked["path"],
        body=asked["body"].encode(),
        key_of={key.key_id: key for key in KEYS}.get,
        now=time.time(),
    )


def test_200_says_applied(meter: Meter) -> None:
    meter.answers(lambda it, _body: it.answer(200))
    assert put(meter.url) is Answer.APPLIED


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "malformed", False),
        (403, "not_yours", False),
        (404, "unknown_meter", False),
        (409, "stale_revision", False),
        (410, "expired", False),
        (418, "unavailable", False),
        (422, "malformed", False),
        (423, "maintenance", False),
        (424, "light_fault", False),
        (429, "busy", True),
        (500, "unavailable", True),
        (502, "unavailable", True),
        (503, "unavailable", True),
        (504, "unavailable", True),
    ],
)
def test_every_status_means_what_the_protocol_says(
    meter: Meter, status: int, code: str, retryable: bool
) -> None:
    meter.answers(lambda it, _body: it.answer(status, {"detail": "because"}))
    error = failure(meter.url)
    assert (error.code, error.retryable) == (code, retryable)
    assert str(error) == f"{code}: {status} because"
    assert len(meter.asked) == 1


def test_retry_after_is_read_and_nonsense_in_it_is_not(meter: Meter) -> None:
    meter.answers(lambda it, _body: it.answer(429, Retry_After="7"))
    assert failure(meter.url).retry_after == 7
    meter.answers(lambda it, _body: it.answer(429, Retry_After="999999999"))
    assert failure(meter.url).retry_after == 3600
    meter.answers(lambda it, _body: it.answer(503, Retry_After="-5 soon"))
    assert failure(meter.url).retry_after is None


def test_a_redirect_is_not_followed(meter: Meter) -> None:
    meter.answers(lambda it, _body: it.answer(307, Location=f"{meter.url}/elsewhere"))
    error = failure(meter.url)
    assert not error.retryable
    assert [asked["path"] for asked in meter.asked] == ["/v1/meters/MTR-1/plan"]


def test_a_clock_that_is_off_is_signed_for_once(meter: Meter) -> None:
    def wants_1980(it: Endpoint, body: bytes) -> None:
        if it.headers["X-Timestamp"] == "315532800":
            it.answer(200)
        else:
            it.answer(401, {"code": "clock_skew", "time": "1980-01-01T00:00:00Z"})

    meter.answers(wants_1980)
    assert put(meter.url) is Answer.APPLIED
    assert len({asked["X-Nonce"] for asked in meter.asked}) == len(meter.asked) == 2


def test_the_older_key_is_tried_while_keys_are_rotated(meter: Meter) -> None:
    meter.answers(lambda it, _body: it.answer(200 if it.headers["X-Key-Id"] == "mk_old" else 401))
    assert put(meter.url) is Answer.APPLIED
    assert [asked["X-Key-Id"] for asked in meter.asked] == ["mk_new", "mk_old"]


@pytest.mark.parametrize("code", ["bad_signature", "clock_skew", "replay"])
def test_a_signature_that_is_refused_twice_is_given_up(meter: Meter, code: str) -> None:
    meter.answers(lambda it, _body: it.answer(401, {"code": code}))
    error = failure(meter.url)
    assert (error.code, error.retryable) == (code, False)
    assert len(meter.asked) == 2


def test_a_meter_without_a_key_is_not_called(meter: Meter) -> None:
    assert failure(meter.url, keys=[]).code == "no_key"
    assert meter.asked == []


def test_an_endless_answer_is_cut_off(meter: Meter) -> None:
    def endless(it: Endpoint, body: bytes) -> None:
        it.send_response(200)
        it.end_headers()
        it.close_connection = True
        with contextlib.suppress(OSError):  # until they hang up
            for _block in range(100_000):
                it.wfile.write(b"x" * 65_536)

    meter.answers(endless)
    error = failure(meter.url)
    assert error.retryable
    assert "too long" in str(error)


def test_a_meter_that_never_answers_is_given_up_in_time(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = httpx.AsyncClient(timeout=0.2, trust_env=False)
    monkeypatch.setattr(meter_client, "_http", lambda: client)
    meter.answers(lambda it, _body: time.sleep(1))
    error = failure(meter.url)
    assert (error.code, error.retryable) == ("unreachable", True)


def test_a_meter_that_breaks_off_may_be_tried_again(meter: Meter) -> None:
    def half(it: Endpoint, body: bytes) -> None:
        it.send_response(202)
        it.send_header("Content-Length", "1000")
        it.end_headers()
        it.wfile.write(b"{")
        it.close_connection = True

    meter.answers(half)
    error = failure(meter.url)
    assert (error.code, error.retryable) == ("unreachable", True)


def test_nobody_at_home_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}")
    assert (error.code, error.retryable) == ("unreachable", True)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254",
        "http://10.0.0.7:8000",
        "http://[fd00::1]:80",
        "http://0.0.0.0:8000",
        "http://[::ffff:10.0.0.7]",
        "ftp://127.0.0.1",
        "http://user@127.0.0.1",
        "http://127.0.0.1:99999",
        "http://",
        "127.0.0.1:8020",
        "http://[::1",
    ],
)
def test_an_address_outside_the_allowed_networks_is_not_called(address: str) -> None:
    error = failure(address)
    assert (error.code, error.retryable) == ("forbidden_address", False)


def test_a_name_is_resolved_once_checked_and_called_at_that_very_address(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(meter.url.rpartition(":")[2])
    addresses = {"meter.example": ["127.0.0.1"], "inside.example": ["127.0.0.1", "10.0.0.7"]}
    resolved: list[str] = []

    def resolve(host: str, to: int, **_options: Any) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, 1, 6, "", (address, to)) for address in addresses[host]]

    names = SimpleNamespace(getaddrinfo=resolve, SOCK_STREAM=socket.SOCK_STREAM)
    monkeypatch.setattr(meter_client, "socket", names)
    meter.answers(lambda it, _body: it.answer(200))
    assert failure(f"http://inside.example:{port}").code == "forbidden_address"
    assert meter.asked == []
    assert put(f"http://meter.example:{port}") is Answer.APPLIED
    assert meter.asked[0]["Host"] == f"meter.example:{port}"
    assert resolved == ["inside.example", "meter.example"]


def test_the_gateway_is_where_the_settings_say(meter: Meter, settings: Any) -> None:
    settings.METER_GATEWAY_URL = meter.url
    meter.answers(lambda it, _body: it.answer(200))
    assert put("gateway") is Answer.APPLIED
