"""`manage.py simulate_meters` as people start and stop it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from parking.management.commands.simulate_meters import meters
from parking.models import Meter
from tests import cast
from tests.parking.street import a_street_meter


@pytest.mark.django_db
def test_the_city_s_meters_are_played_with_their_keys_and_spots() -> None:
    zone = cast.a_zone()
    for number in (1, 2, 3):
        a_street_meter(zone, f"MTR-00000{number}", edge_url="" if number == 2 else "gateway")
    Meter.objects.filter(serial="MTR-000003").update(is_active=False)
    played = meters(10)
    assert [(spec.serial, spec.is_called) for spec in played] == [
        ("MTR-000001", True),
        ("MTR-000002", False),
    ]
    assert [(spot.lamp, spot.number) for spot in played[0].spots] == [(1, "001-1"), (2, "001-2")]
    assert len(played[0].keys) == 1
    assert (played[0].zone, played[0].street) == ("Kamppi", "Fredrikinkatu")
    assert len(meters(1)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--count", "0"], "1 to 10000"),
        (["--count", "10001"], "1 to 10000"),
        (["--port", "high"], "invalid int"),
    ],
)
def test_a_wrong_option_is_refused_in_words(options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("simulate_meters", *options)


def test_a_wrong_faults_file_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "faults.toml"
    wrong.write_text('[[fault]]\nkind = "gremlins"\n')
    with pytest.raises(CommandError, match=r"faults.toml: fault\[0\].kind: 'gremlins'"):
        call_command("simulate_meters", "--faults", str(wrong))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port}"):
            call_command("simulate_meters", "--port", str(port))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_the_street_is_and_stops_when_asked(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "simulate_meters", "--port", "0"],
        cwd=settings.BASE_DIR,
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert re.fullmatch(r"The street is at http://127\.0\.0\.1:\d+/\n", said)
        process.send_signal(number)
        _out, complaints = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Traceback" not in complaints
