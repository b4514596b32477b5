"""`manage.py check_meter` as a vendor starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from parking.conformance.rules import RULES
from parking.management.commands.check_meter import KEYS as VARIABLE
from tests.parking.conformance.conftest import KEYS, SPEC
from tests.parking.street import RunningStreet

SECRETS = "\n".join(f"{key.key_id}:{key.secret.hex()}" for key in KEYS)


@pytest.fixture
def port() -> int:
    """A port for the kit to listen on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def street(port: int) -> Iterator[RunningStreet]:
    """A meter that calls there."""
    running = RunningStreet(f"http://127.0.0.1:{port}", heartbeat_s=1).start()
    running.put_up([SPEC])
    yield running
    running.stop()


def started(street: RunningStreet, port: int, *options: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "check_meter", street.url, "--serial", "MTR-1"),
            *("--lamps", "1", "2", "--listen", f"127.0.0.1:{port}", "--heartbeat", "1"),
            *("--patience", "5", *options),
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_a_sound_meter_ends_with_0_and_a_faulty_one_with_1_and_a_report(
    street: RunningStreet, port: int, tmp_path: Path
) -> None:
    some = ["--only", "expired", "replay"]
    status, said = started(street, port, *some, **{VARIABLE: SECRETS})
    assert (status, "3 kept, 0 broken, 0 not tried" in said) == (0, True), said
    keys, report = tmp_path / "keys", tmp_path / "report.xml"
    keys.write_text(SECRETS)
    street.faults({"kind": "ignores_not_after"})
    files = ["--keys-file", str(keys), "--junit", str(report)]
    status, said = started(street, port, *some, *files)
    assert status == 1
    assert "the meter breaks the protocol" in said
    assert "<failure" in report.read_text()
    assert KEYS[0].secret.hex() not in said + report.read_text()


@pytest.mark.parametrize(
    ("url", "options", "keys", "said"),
    [
        ("ftp://127.0.0.1", [], SECRETS, "must begin with http"),
        ("http://127.0.0.1", ["--only", "manners"], SECRETS, "no such rule: manners"),
        ("http://127.0.0.1", ["--lamps", "9"], SECRETS, "1 to 8"),
        ("http://127.0.0.1", ["--listen", "here"], SECRETS, "like 127.0.0.1:8021"),
        ("http://127.0.0.1", [], "", "give the keys"),
        ("http://127.0.0.1", [], "mk_1:deadbee", "key 1 is not like"),
        ("http://127.0.0.1", [], "mk_1", "key 1 is not like"),
        ("http://127.0.0.1", ["--keys-file", "/nowhere/keys"], "", "cannot be read"),
    ],
)
def test_a_wrong_option_is_refused_in_words_and_no_secret_is_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str, options: list[str], keys: str, said: str
) -> None:
    monkeypatch.setenv(VARIABLE, keys)
    with pytest.raises(CommandError, match=said) as refused:
        call_command("check_meter", url, "--serial", "MTR-1", *options)
    assert "deadbee" not in str(refused.value)


def test_the_page_for_vendors_names_every_rule() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "conformance.md").read_text()
    for rule in RULES:
        assert f"`{rule.name}`" in page
        assert rule.says in page
