"""A restart, wanted or not, loses nothing that was answered for."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.payments.sandbox.box import ROOT, Box, wait_for
from tests.payments.sandbox.receiver import SECRET, Receiver

Start = Callable[..., Box]


@pytest.mark.parametrize("end", [Box.kill, Box.stop], ids=["killed", "stopped"])
def test_everything_is_there_again(
    end: Callable[[Box], object], tmp_path: Path, start_box: Start
) -> None:
    state = str(tmp_path / "state.db")
    first = start_box("--state", state)
    first.control("clock", now=1_700_000_000, frozen=True)
    intent = first.a_paid_intent(card="4000000000007726")
    first.client().refunds.create({"payment_intent": intent.id}, {"idempotency_key": "refund-1"})
    open_session = first.a_session(expires_at=1_700_000_000 + 1800)
    first.control("faults", kind="error", path="/v1/payouts")
    first.control("webhooks", duplicate=3)
    kinds = ("payment_intents", "charges", "refunds", "balance_transactions", "events")
    before = {kind: first.all(kind) for kind in kinds}
    end(first)

    second = start_box("--state", state)
    assert {kind: second.all(kind) for kind in kinds} == before
    assert second.now() == 1_700_000_000
    now = second.control("state", "GET")
    assert [rule["path"] for rule in now["faults"]] == ["/v1/payouts"]
    assert now["webhooks"]["duplicate"] == 3
    again = second.client().refunds.create(
        {"payment_intent": intent.id}, {"idempotency_key": "refund-1"}
    )
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    second.advance(1800)
    assert second.client().refunds.retrieve(again.id).status == "succeeded"
    assert second.client().checkout.sessions.retrieve(open_session.id).status == "expired"


def test_a_webhook_that_was_being_sent_is_sent_again(
    tmp_path: Path, start_box: Start, receiver: Receiver
) -> None:
    options = ("--state", str(tmp_path / "state.db"), "--webhook-url", receiver.url)
    first = start_box(*options, "--webhook-secret", SECRET)
    receiver.hangs_s = 2
    first.client().customers.create({})
    wait_for(lambda: first.control("state", "GET")["webhooks"]["deliveries"].get("sending"))
    first.kill()
    receiver.hangs_s = 0
    second = start_box(*options, "--webhook-secret", SECRET)
    wait_for(lambda: second.control("state", "GET")["webhooks"]["deliveries"] == {"sent": 1})
    wait_for(lambda: len(receiver.received) == 2)
    assert len({event.id for event in receiver.events()}) == 1


def test_it_stops_in_time_although_a_receiver_hangs(start_box: Start, receiver: Receiver) -> None:
    box = start_box("--webhook-url", receiver.url, "--webhook-secret", SECRET)
    receiver.hangs_s = 6
    box.client().customers.create({})
    wait_for(lambda: box.control("state", "GET")["webhooks"]["deliveries"].get("sending"))
    begun = time.monotonic()
    assert box.stop() == 0
    assert time.monotonic() - begun < 5
    assert "Traceback" not in box.log
    wait_for(lambda: receiver.received)


def test_the_address_and_secret_of_the_new_command_line_count(
    tmp_path: Path, start_box: Start
) -> None:
    state = str(tmp_path / "state.db")
    first = start_box("--state", state, "--webhook-url", "http://a/", "--webhook-secret", SECRET)
    first.stop()
    second = start_box("--state", state, "--webhook-url", "http://b/", "--webhook-secret", SECRET)
    assert [row["url"] for row in second.all("webhook_endpoints")] == ["http://b"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "payments.sandbox", "--port", "0", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_two_sandboxes_cannot_share_a_file(tmp_path: Path, start_box: Start) -> None:
    state = str(tmp_path / "state.db")
    first = start_box("--state", state)
    second = run("--state", state)
    assert second.returncode == 2
    assert "in use by another sandbox" in second.stderr
    assert "Traceback" not in second.stderr
    assert first.all("customers") == []


@pytest.mark.parametrize("content", ["text", "another database", "a folder", "nowhere"])
def test_a_file_that_is_not_its_own_is_left_alone(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    if content == "text":
        path.write_text("Dear diary,\n" * 200)
    elif content == "another database":
        sqlite3.connect(path).execute("CREATE TABLE theirs (id)").connection.close()
    elif content == "a folder":
        path.mkdir()
    else:
        path = tmp_path / "missing" / "state.db"
    before = path.read_bytes() if path.is_file() else None
    ended = run("--state", str(path))
    assert ended.returncode == 2
    assert str(path) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (path.read_bytes() if path.is_file() else None) == before
