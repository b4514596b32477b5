"""`manage.py simulate_tariff` answers in words, CSV and JSON, and refuses in words."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from parking.management.commands import simulate_tariff
from parking.models import Booking, Slot, Spot, TariffSimulation, TariffVersion, Zone
from parking.what_if.crew import WorkerDied
from tests import cast
from tests.parking.what_if.situations import a_past_stay

START = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)  # a Tuesday, 10:00 in Helsinki
THREE_EURO_UP_TO_TWO_HOURS = {
    "currency": "EUR",
    "time_zone": "Europe/Helsinki",
    "bands": cast.TWO_EURO_AN_HOUR["bands"],
    "ladder": [{"upto_min": 30, "total": 50}, {"upto_min": 120, "total": 300}],
    "vehicle_classes": {"=cmd()": {"percent": 100}},
}
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command on a document; two days in March unless said otherwise."""

    def run(content: Any = THREE_EURO_UP_TO_TWO_HOURS, **options: Any) -> str:
        path = tmp_path / "new.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        out = StringIO()
        words = {"zone": "kamppi", "from": "2026-03-03", "to": "2026-03-05", **options}
        flags = [f"--{name}={value}" for name, value in words.items() if value is not True]
        flags += [f"--{name}" for name, value in words.items() if value is True]
        call_command("simulate_tariff", str(path), *flags, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def stays(spot: Spot) -> None:
    """One that gets cheaper, one dearer, one as dear, one not sold, one cancelled."""
    a_past_stay(spot, START, 30, paid=100)
    a_past_stay(spot, START + timedelta(hours=1), 60, paid=200, vehicle_class="=cmd()")
    a_past_stay(spot, START + timedelta(hours=3), 90, paid=300)
    a_past_stay(spot, START + timedelta(hours=5), 240, paid=800)
    a_past_stay(spot, START + timedelta(days=1), 60, state="cancelled")


@pytest.mark.usefixtures("stays")
def test_it_prints_revenue_winners_and_losers(run: Run) -> None:
    said = run()

    lines = {" ".join(line.split()) for line in said.splitlines()}
    assert "stays compared 3" in lines
    assert "revenue then 6.00 €" in lines
    assert "revenue under the draft 6.50 €" in lines
    assert "difference +0.50 € (+8.3 %)" in lines
    assert "pay less 1 (−0.50 €)" in lines
    assert "pay more 1 (+1.00 €)" in lines
    assert "pay the same 1" in lines
    assert "not sold by the draft 1 (8.00 €)" in lines
    assert "1 longer than the longest stay that the draft sells" in lines
    assert "1 left out: cancelled" in lines
    assert "10:00 1 1.00 € 0.50 € 1 0 ---------------|" in lines
    assert "11:00 1 2.00 € 3.00 € 0 1 |+++++++++++++++" in lines
    assert not any(line.startswith("12:00") for line in lines)


@pytest.mark.usefixtures("stays")
def test_it_writes_csv_that_a_spreadsheet_takes_for_text_and_numbers(
    run: Run, tmp_path: Path
) -> None:
    run(csv=tmp_path / "figures.csv")

    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = {(row["table"], row["group"]): row for row in csv.DictReader(file)}
    assert rows["all", ""]["revenue_new"] == "6.50"
    assert rows["hour", "10"]["difference"] == "-0.50"
    assert rows["length", "<=60min"]["losers"] == "1"
    assert rows["weekday", "tue"]["stays"] == "3"
    assert rows["vehicle_class", "'=cmd()"]["winners_save"] == "0.00"
    assert rows["unsold", "ladder_exceeded"]["revenue_old"] == "8.00"
    assert rows["left_out", "cancelled"]["stays"] == "1"
    assert len([key for key in rows if key[0] == "hour"]) == 24


@pytest.mark.usefixtures("stays")
def test_it_answers_programs_in_minor_units(run: Run) -> None:
    answer = json.loads(run(json=True))

    assert answer["total"] == {
        "stays": 3,
        "old": 600,
        "new": 650,
        "difference": 50,
        "winners": 1,
        "losers": 1,
        "same": 1,
        "saved": 50,
        "extra": 100,
    }
    assert answer["by_hour"]["11"]["new"] == 300
    assert answer["unsold"] == {"ladder_exceeded": {"stays": 1, "paid": 800}}


@pytest.mark.usefixtures("stays")
def test_it_writes_nothing_to_the_database(run: Run, django_assert_num_queries: Any) -> None:
    models = (Booking, Slot, TariffVersion, TariffSimulation)
    before = [list(model.objects.values()) for model in models]

    with django_assert_num_queries(2):  # the zone, and the stays in one statement
        run()

    assert [list(model.objects.values()) for model in models] == before


@pytest.mark.usefixtures("stays")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"zone": "kampi"}, "There is no zone kampi; there is: kamppi."),
        ({"from": "2026-03-05", "to": "2026-03-05"}, "--to 2026-03-05 is not after --from 2026-"),
        ({"from": "2026-04-05"}, "--to 2026-03-05 is not after --from 2026-04-05."),
        ({"from": "2026-01-01", "to": "2026-02-01"}, "Zone kamppi has no stays that begin from"),
        ({"from": "last week"}, "“last week” is not a date such as 2026-10-01"),
        ({"processes": "0"}, "“0” is not a number from 1 to 64"),
        ({"csv": "/nowhere/figures.csv"}, "/nowhere/figures.csv cannot be written: No such file"),
        ({"content": "{"}, "line 1 column 2"),
        ({"content": "[1]"}, "The document must be one JSON object."),
        ({"content": {**cast.TWO_EURO_AN_HOUR, "currency": "USD"}}, "currency: this city has EUR"),
        (
            {"content": {**cast.TWO_EURO_AN_HOUR, "bands": [{"from": "9 o'clock"}]}},
            "bands[0].from",
        ),
    ],
)
def test_a_wrong_question_is_refused_in_words(
    run: Run, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError) as refused:
        run(**options)

    assert words in str(refused.value)


def test_a_missing_file_is_refused_by_its_name() -> None:
    with pytest.raises(CommandError, match=r"gone\.json: No such file"):
        call_command(
            *("simulate_tariff", "gone.json", "--zone=x", "--from=2026-01-01", "--to=2026-01-02")
        )


@pytest.mark.usefixtures("stays")
def test_where_nobody_watches_it_says_now_and_then_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(simulate_tariff, "_LINE_EVERY_S", 0.0)
    run()

    assert "5 of 5 stays priced." in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("trouble", "words", "status"),
    [
        (KeyboardInterrupt(), "Stopped. Nothing was written.", 130),
        (WorkerDied("exit status -9"), r"ended from outside \(exit status -9\)", 1),
    ],
)
def test_what_ends_it_in_the_middle_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    zone: Zone,
    trouble: BaseException,
    words: str,
    status: int,
) -> None:
    def broken(**question: Any) -> None:
        raise trouble

    monkeypatch.setattr(simulate_tariff, "simulate", broken)
    with pytest.raises(CommandError, match=words) as refused:
        run()

    assert refused.value.returncode == status
