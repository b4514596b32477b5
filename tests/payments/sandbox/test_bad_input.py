"""Whatever is sent, the answer is a reason, never a failure of the sandbox."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.payments.sandbox.box import KEY, Box

FORM = "application/x-www-form-urlencoded"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": FORM}
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _never_a_failure(box: Box) -> Any:
    yield
    assert "Traceback" not in box.log
    assert box.control("health", "GET") == {"ok": True}


def raw(box: Box, sent: bytes) -> bytes:
    """Send bytes as they are; return everything that comes back."""
    address = urlsplit(box.base)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        came = b""
        while piece := connection.recv(65_536):
            came += piece
    return came


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b"%ff=1",
        b"a=%ff",
        b"[]=1",
        b"a]b=1",
        b"a[b=1",
        b"mode=1&mode[x]=2",
        b"mode[x]=2&mode=1",
        b"line_items[0][0][0][0][0][0][0][0][0]=1",
        b"line_items[" + b"9" * 5000 + b"]=1",
        b"line_items[first]=1",
        b"line_items=1",
        b"&".join(b"k%d=1" % number for number in range(1001)),
        b"metadata=text&mode=payment",
        b"\x00=\x00",
        b"amount=" + b"9" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/v1/checkout/sessions", "/v1/refunds", "/v1/customers"])
def test_a_garbled_form_is_a_400(box: Box, path: str, body: bytes) -> None:
    answer = box.http.post(box.base + path, data=body, headers=HEADERS, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert box.all(path.removeprefix("/v1/")) == []


@pytest.mark.parametrize("path", ["/v1/customers", "/_control/clock", "/c/pay/cs_test_1", "/x"])
@pytest.mark.parametrize("size", [MEGABYTE, 5 * MEGABYTE])
def test_a_large_body_is_refused_before_it_is_read(box: Box, path: str, size: int) -> None:
    answer = box.http.post(box.base + path, data=b"a" * size, headers=HEADERS, timeout=20)
    assert answer.status_code == 413
    assert "262144 bytes" in answer.json()["error"]["message"]


def test_a_client_that_sends_it_all_first_still_sees_why(box: Box) -> None:
    """Closed with bytes unread, the connection would be reset under the answer."""
    size = 8 * MEGABYTE
    head = f"POST /v1/refunds HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n"
    came = raw(box, head.encode() + b"a" * size)
    assert came.startswith(b"HTTP/1.1 413")
    assert b"262144 bytes" in came


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"now": NaN}',
        b'{"now": 1e999}',
        b'{"now": ' + b"9" * 5000 + b"}",
        b'{"now": {"x": 1}}',
        b'{"now": "\\ud800"}',
        b'{"events": ["\\ud800"]}',
        b'{"card": 4242424242424242}',
        b"\xff",
    ],
)
@pytest.mark.parametrize(
    "path",
    ["clock", "faults", "deliver", "webhooks", "sessions/cs_test_1/pay", "payouts", "disputes"],
)
def test_garbled_json_for_a_control_is_refused(box: Box, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = box.http.post(f"{box.base}/_control/{path}", data=body, headers=headers, timeout=10)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


def test_json_is_not_what_the_api_takes(box: Box) -> None:
    answer = box.http.post(
        f"{box.base}/v1/customers",
        data=json.dumps({"name": "A"}),
        headers={**HEADERS, "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert FORM in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/v1/"),
        ("GET", "/v1/subscriptions"),
        ("POST", "/v1/payouts"),
        ("DELETE", "/v1/customers"),
        ("PUT", "/v1/customers"),
        ("PATCH", "/v1/customers/cus_1"),
        ("GET", "/v1/customers/../../etc/passwd"),
        ("GET", "/assets/../server.py"),
        ("POST", "/_control/nothing"),
        ("GET", "/_control/reset"),
        ("DELETE", "/v1/events/evt_1"),
        ("POST", "/v1/refunds/re_1/nothing"),
        ("POST", "/"),
    ],
)
def test_an_unknown_address_is_not_found(box: Box, method: str, path: str) -> None:
    line = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    came = raw(box, f"{line}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
    assert came.split(b"\r\n")[0].split()[1] == b"404"
    assert json.loads(came.partition(b"\r\n\r\n")[2])["error"]["message"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ten\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab",
        b"POST /v1/refunds HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ],
)
def test_what_is_hardly_http_is_answered_or_dropped(box: Box, sent: bytes) -> None:
    came = raw(box, sent)
    assert b" 500 " not in came
    assert b" 200 " not in came
    assert b"Traceback" not in came
    assert b"<" not in came


def test_a_folded_header_cannot_write_headers_of_its_own(box: Box) -> None:
    came = raw(
        box,
        b"GET /v1/balance HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Authorization: Bearer sk_test_box\r\nStripe-Version: 1\r\n X-Own: 2\r\n\r\n",
    )
    assert came.startswith(b"HTTP/1.1 200")
    assert b"\n X-Own" not in came
    assert b"Stripe-Version: 1 X-Own: 2\r\n" in came


def test_a_connection_serves_many_requests(box: Box) -> None:
    one = b"GET /_control/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert raw(box, one * 3).count(b"HTTP/1.1 200") == 3
