"""Guards: this machine only, test keys only, and no surprises from other pages."""

import base64
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import stripe

from tests.payments.sandbox.box import KEY, ROOT, Box


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "payments.sandbox", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("key", ["sk_live_4eC39HqLyjW", "pk_test_1", "SK_TEST_1", "bad"])
def test_a_key_that_is_no_test_key_is_refused_and_not_repeated(box: Box, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refusal:
        box.client(key).customers.create({})
    assert key not in str(refusal.value)
    assert box.all("customers") == []


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic %%%", "Basic c2tfbGl2ZV8xOg=="])
def test_a_request_without_a_key_is_refused(box: Box, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = box.http.get(f"{box.base}/v1/customers", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert "data" not in answer.json()


@pytest.mark.parametrize("key", [KEY, "rk_test_restricted"])
def test_a_key_may_come_as_the_user_of_basic_authentication(box: Box, key: str) -> None:
    header = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": header}
    assert box.http.get(f"{box.base}/v1/balance", headers=headers, timeout=10).ok


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_it_does_not_listen_to_others_unless_told_so_expressly(host: str) -> None:
    ended = start("--host", host)
    assert ended.returncode == 2
    assert "--unsafe-listen" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_told_so_it_answers_under_any_name(start_box: Callable[..., Box]) -> None:
    box = start_box("--host", "127.0.0.1", "--unsafe-listen")
    headers = {"Host": "sandbox:8010"}
    assert box.http.get(f"{box.base}/_control/health", headers=headers, timeout=10).ok


@pytest.mark.parametrize("path", ["/_control/state", "/v1/customers", "/", "/c/pay/cs_test_1"])
def test_a_name_that_is_not_this_machines_is_refused(box: Box, path: str) -> None:
    headers = {"Host": "evil.example", "Authorization": f"Bearer {KEY}"}
    answer = box.http.get(box.base + path, headers=headers, timeout=10)
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_cannot_use_the_controls(box: Box, origin: str) -> None:
    url = f"{box.base}/_control/reset"
    box.client().customers.create({})
    answer = box.http.post(url, data={}, headers={"Origin": origin}, timeout=10)
    assert answer.status_code == 403
    assert len(box.all("customers")) == 1


def test_a_taken_port_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = start("--port", str(port))
    assert ended.returncode == 2
    assert f"cannot start on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--webhook-url", "http://a/"], "--webhook-secret"),
        (["--webhook-secret", "secret"], "begins with whsec_"),
        (["--webhook-secret", "whsec_a,b"], "begins with whsec_"),
        (["--webhook-url", "ftp://a/"], "is not an http address"),
        (["--minimum", "eur"], "whole number"),
        (["--minimum", "xyz=5"], "not a currency"),
        (["--fee-fixed", "-3"], "whole number"),
        (["--port", "99999"], "cannot start"),
        (["--port", "http"], "invalid int value"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str) -> None:
    ended = start(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_minimum_and_fees_follow_the_command_line(start_box: Callable[..., Box]) -> None:
    box = start_box("--minimum", "eur=1000", "--fee-basis-points", "0", "--fee-fixed", "7")
    with pytest.raises(stripe.InvalidRequestError, match=r"€10\.00"):
        box.a_session(999)
    assert box.a_paid_intent(1000).latest_charge.balance_transaction.fee == 7


def test_no_card_number_and_no_key_is_logged(start_box: Callable[..., Box]) -> None:
    box = start_box("--verbose")
    session = box.a_session()
    box.browse(f"{session.url}?card=4242424242424242")
    box.pay(session.url, "4111111111111111")
    box.pay(session.url)
    box.stop()
    assert "POST /c/pay/" in box.log
    for secret in ("4242424242424242", "4111111111111111", KEY):
        assert secret not in box.log


def test_it_says_where_it_is_and_is_quiet_about_requests(start_box: Callable[..., Box]) -> None:
    box = start_box()
    box.a_paid_intent()
    box.stop()
    assert "TEST MODE" in box.log
    assert "POST" not in box.log


def test_it_runs_alone_on_a_bare_python(tmp_path: Path) -> None:
    """The package is copied away from the site and started without any installed package."""
    (tmp_path / "payments").mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "payments/sandbox", tmp_path / "payments/sandbox", ignore=ignore)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "payments.sandbox", "--port", str(port)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "TEST MODE" in process.stderr.readline()
        health = requests.get(f"http://127.0.0.1:{port}/_control/health", timeout=10)
        assert health.json() == {"ok": True}
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()
