"""The street over HTTP: its answers, its page's data, its controls, its misbehaviour."""

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from parking.signatures import Key
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.parking.street import RunningStreet, eventually


def spec(serial: str, street: str = "Fredrikinkatu") -> MeterSpec:
    return MeterSpec(
        serial=serial,
        keys=(Key(f"mk_{serial}", b"secret"),),
        is_called=True,
        zone="Kamppi",
        street=street,
        longitude=24.9,
        latitude=60.1,
        spots=(SpotSpec(lamp=1, number="K-1"), SpotSpec(lamp=2, number="K-2")),
    )


@pytest.fixture
def street() -> Iterator[RunningStreet]:
    """A street of two meters that call a site where nobody is."""
    running = RunningStreet("http://127.0.0.1:9").start()
    running.put_up([spec("MTR-1"), spec("MTR-2", "Annankatu")])
    yield running
    running.stop()


@pytest.fixture
def client(street: RunningStreet) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=street.url, trust_env=False) as opened:
        yield opened


def test_the_page_and_its_parts_are_served_under_a_strict_policy(client: httpx.Client) -> None:
    for path, kind in [
        ("/", "text/html"),
        ("/street.css", "text/css"),
        ("/street.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ]:
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert client.head("/").content == b""


def test_the_street_tells_all_lamps_and_then_only_what_changed(
    street: RunningStreet, client: httpx.Client
) -> None:
    first = client.get("/street.json").json()
    assert [meter["serial"] for meter in first["meters"]] == ["MTR-1", "MTR-2"]
    assert first["meters"][0]["lamps"][0] == {
        "lamp": 1,
        "number": "K-1",
        "light": "amber",
        "pattern": "double_blink",
        "occupied": False,
    }
    client.post("/_control/meters/MTR-2/reboot", json={})
    later = client.get("/street.json", params={"since": first["version"]}).json()
    assert "MTR-2" in [meter["serial"] for meter in later["meters"]]
    street.put_up([spec("MTR-1")])
    gone = client.get("/street.json", params={"since": later["version"]}).json()
    assert gone["gone"] == ["MTR-2"]
    assert client.get("/street.json", params={"since": "what?"}).status_code == 200


def test_a_meter_tells_its_plan_and_last_messages(client: httpx.Client) -> None:
    body = client.get("/meters/MTR-1.json").json()
    assert body["serial"] == "MTR-1"
    assert body["plan"] == []
    assert "boot" in body["log"][-1]
    assert "secret" not in client.get("/meters/MTR-1.json").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/meters/MTR-9.json", 404),
        ("GET", "/../secrets", 404),
        ("POST", "/", 405),
        ("GET", "/v1/meters/MTR-1/plan", 405),
        ("PUT", "/v1/meters/MTR-9/plan", 404),
        ("PUT", "/v1/meters/MTR-1/plan", 401),
        ("PUT", "/some/gateway/v1/meters/MTR-1/plan", 401),
        ("DELETE", "/_control/state", 415),
        ("GET", "/_control/nothing", 404),
    ],
)
def test_every_mistake_is_a_problem(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_faults_are_set_added_listed_and_ended(client: httpx.Client) -> None:
    one = {"fault": [{"kind": "offline", "meters": "MTR-1"}]}
    assert client.put("/_control/faults", json=one).status_code == 200
    assert client.post("/_control/faults", json={"fault": [{"kind": "busy"}]}).status_code == 200
    listed = client.get("/_control/faults").json()["fault"]
    assert [fault["kind"] for fault in listed] == ["offline", "busy"]
    shown = {m["serial"]: m["online"] for m in client.get("/street.json").json()["meters"]}
    assert shown == {"MTR-1": False, "MTR-2": True}
    client.request("DELETE", "/_control/faults", json={})
    assert client.get("/_control/faults").json()["fault"] == []


def test_cars_are_put_on_spots_and_taken_away(client: httpx.Client) -> None:
    def seen() -> list[bool]:
        meters = client.get("/street.json").json()["meters"]
        return [lamp["occupied"] for lamp in meters[0]["lamps"]]

    page = "/_control/meters/MTR-1/cars"
    assert client.put(page, json={"cars": {"2": True}}).json() == {"cars": {"2": True}}
    assert seen() == [False, True]
    assert client.get(page).json() == {"cars": {"2": True}}
    assert client.request("DELETE", page, json={}).json() == {"cars": {}}
    assert seen() == [False, False]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"cars": {"3": True}}, "cars.3"),
        ({"cars": {"1": "yes"}}, "cars.1 must be true or false"),
        ({"cars": []}, "cars must be an object"),
        ({"cars": {}, "bikes": {}}, "nothing else"),
    ],
)
def test_cars_that_make_no_sense_are_refused(
    client: httpx.Client, body: dict[str, object], words: str
) -> None:
    page = "/_control/meters/MTR-1/cars"
    client.put(page, json={"cars": {"1": True}})
    answer = client.put(page, json=body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert client.get(page).json() == {"cars": {"1": True}}
    assert client.put(page.replace("MTR-1", "MTR-9"), json=body).status_code == 404
    assert client.post(page, json=body).status_code == 405


def test_a_wrong_fault_is_refused_and_changes_nothing(client: httpx.Client) -> None:
    answer = client.put("/_control/faults", json={"fault": [{"kind": "ofline"}]})
    assert answer.status_code == 422
    assert "ofline" in answer.json()["detail"]
    assert client.get("/_control/faults").json()["fault"] == []


def test_a_page_of_another_site_cannot_set_faults_unasked(client: httpx.Client) -> None:
    answer = client.post(
        "/_control/faults", content='{"fault": []}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


def plan(client: httpx.Client) -> Any:
    return client.put("/v1/meters/MTR-1/plan", content=b"{}", timeout=2)


def test_an_offline_meter_hangs_up_and_a_dropped_request_stays_unanswered(
    street: RunningStreet, client: httpx.Client
) -> None:
    street.faults({"kind": "offline"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        plan(client)
    street.faults({"kind": "drop", "hold_s": 30.0})
    with pytest.raises(httpx.ReadTimeout):
        client.put("/v1/meters/MTR-1/plan", content=b"{}", timeout=0.3)
    street.faults({"kind": "reset"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        plan(client)
    street.faults()
    assert plan(client).status_code == 401


def test_busy_and_error_answers_say_so(street: RunningStreet, client: httpx.Client) -> None:
    street.faults({"kind": "busy", "retry_after_s": 7})
    answer = plan(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    street.faults({"kind": "error", "status": 504})
    assert plan(client).status_code == 504


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_500_000,
    ],
)
def test_rubbish_is_hung_up_on_and_the_next_one_is_served(
    street: RunningStreet, client: httpx.Client, rubbish: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", street.port), timeout=5) as connection:
        try:
            connection.sendall(rubbish)
            connection.shutdown(socket.SHUT_WR)
            first = connection.recv(200)
        except OSError:
            first = b""
    assert first == b"" or first.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 431"))
    assert client.get("/street.json").status_code == 200


def test_reports_that_nobody_takes_are_tried_again(
    street: RunningStreet, client: httpx.Client
) -> None:
    def undelivered() -> bool:
        return client.get("/_control/state").json()["reports"].get("undelivered", 0) > 3

    eventually(undelivered)
    assert client.get("/_control/state").json()["meters"] == 2
