"""`manage.py quote` answers every case of a file with one JSON line."""

import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.parking.pricing.helpers import band, document

TUESDAY = {"start": "2026-03-03T10:00", "minutes": 60}
Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command on a tariff file and a cases file of such content."""

    def run(tariffs: Any, cases: Any) -> list[dict[str, Any]]:
        files = {"tariff": tariffs, "cases": cases}
        paths = {}
        for name, content in files.items():
            path = tmp_path / f"{name}.json"
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            path.write_text(text, encoding="utf-8")
            paths[name] = str(path)
        out = StringIO()
        call_command("quote", stdout=out, **paths)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return run


def lines(*cases: Any) -> str:
    return "".join(f"{json.dumps(case)}\n" for case in cases)


def test_a_case_is_answered_with_minutes_total_and_lines(run: Run) -> None:
    (answer,) = run(document(), lines({"id": "a", **TUESDAY}))

    assert list(answer) == ["id", "chargeable_min", "total", "lines"]
    assert (answer["id"], answer["chargeable_min"], answer["total"]) == ("a", 60, 400)
    assert answer["lines"] == [
        {
            "kind": "band",
            "amount": 400,
            "minutes": 60,
            "from": "2026-03-03T10:00+01:00",
            "to": "2026-03-03T11:00+01:00",
            "per_hour": 400,
            "band": 0,
            "tier": 0,
            "text": "10:00–11:00, 1 h at 4.00 → 4.00",
        }
    ]


def test_an_end_or_minutes_may_be_given_and_a_class(run: Run) -> None:
    half = document(vehicle_classes={"low_emission": {"percent": 50}})
    start = {"start": "2026-03-03T10:00"}

    answers = run(
        half,
        lines(
            {"id": 1, **start, "end": "2026-03-03T12:00"},
            {"id": 2, **start, "minutes": 120, "vehicle_class": "low_emission"},
            {"id": 3, **start, "minutes": 120, "vehicle_class": None, "total": "ignored"},
        ),
    )

    assert [answer["total"] for answer in answers] == [800, 400, 800]


def test_a_broken_case_has_its_own_error_and_the_run_goes_on(run: Run) -> None:
    good = lines({"id": "good", **TUESDAY})
    broken = [
        "{broken}\n",
        lines("a text"),
        lines({"id": "s", "minutes": 5}),
        lines({"id": "m", "start": "2026-03-03T10:00"}),
        lines({"id": "b", **TUESDAY, "end": "2026-03-03T12:00"}),
        lines({"id": "f", "start": "2026-03-03T10:00", "minutes": 1.5}),
        lines({"id": "t", "start": "10:00", "minutes": 5}),
        lines({"id": "n", "start": "2026-03-29T02:30", "minutes": 5}),
        lines({"id": "e", "start": "2026-03-03T10:00", "minutes": -(10**30)}),
        lines({"id": "l", "start": "2026-03-03T10:00", "minutes": 10**30}),
        lines({"id": "v", **TUESDAY, "vehicle_class": "van"}),
        lines({"id": "w", **TUESDAY, "vehicle_class": ["van"]}),
    ]

    answers = run(document(), good + "\n" + "".join(broken) + good)

    assert [answer["total"] for answer in (answers[0], answers[-1])] == [400, 400]
    assert [answer["error"]["code"] for answer in answers[1:-1]] == [
        "bad_case",
        "bad_case",
        "bad_case",
        "bad_case",
        "bad_case",
        "bad_case",
        "bad_time",
        "nonexistent_start",
        "end_before_start",
        "stay_too_long",
        "unknown_vehicle_class",
        "bad_case",
    ]
    assert "line 3 column 2" in answers[1]["error"]["detail"]
    assert answers[3] == {"id": "s", "error": {"code": "bad_case", "detail": "start: is missing."}}


@pytest.mark.parametrize("indent", [None, 1])
def test_one_file_may_hold_named_tariffs_and_cases(run: Run, indent: int | None) -> None:
    tariffs = {"cheap": document(band(per_hour=100)), "dear": document(), "bad": {"currency": 1}}
    cases = [
        {"id": 1, "tariff": "cheap", **TUESDAY},
        {"id": 2, "tariff": "dear", **TUESDAY},
        {"id": 3, "tariff": "bad", **TUESDAY},
        {"id": 4, "tariff": "none", **TUESDAY},
        {"id": 5, **TUESDAY},
    ]
    whole = json.dumps({"tariffs": tariffs, "cases": cases}, indent=indent)

    answers = run(whole, whole)

    assert [answer.get("total") for answer in answers] == [100, 400, None, None, None]
    assert [answer["error"]["code"] for answer in answers[2:]] == [
        "bad_tariff",
        "unknown_tariff",
        "unknown_tariff",
    ]
    assert "currency: " in answers[2]["error"]["detail"]
    assert "time_zone: is missing" in answers[2]["error"]["detail"]


def test_the_only_named_tariff_needs_no_name(run: Run) -> None:
    assert run({"tariffs": {"one": document()}}, [{"id": 1, **TUESDAY}])[0]["total"] == 400


def test_cases_may_come_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tariff.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", StringIO(lines({"id": 1, **TUESDAY})))
    out = StringIO()

    call_command("quote", tariff=str(path), cases="-", stdout=out)

    assert json.loads(out.getvalue())["total"] == 400


def test_an_empty_file_of_cases_has_no_answers(run: Run) -> None:
    assert run(document(), "\n\n") == []


@pytest.mark.parametrize(
    ("tariffs", "cases", "told"),
    [
        ("{", "", r"tariff\.json, line 1 column 2"),
        ('{"currency": "EUR", "currency": "CHF"}', "", "'currency' stands twice"),
        ({"currency": "EUR"}, "", r"bands: is missing.*\ntime_zone: is missing"),
        ({"tariffs": {}}, "", "tariffs: must be an object"),
        (document(), "[1, 2", r"cases\.json, line 1 column"),
        (document(), '{"cases": 5}', "must hold a list of cases"),
        (document(), "[]\n[]\n", "text after the end"),
        (document(), "[" * 100_000, "recursion"),
    ],
)
def test_a_broken_file_stops_with_what_and_where(
    run: Run, tariffs: Any, cases: Any, told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        run(tariffs, cases)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.json: No such file"):
        call_command("quote", tariff=str(tmp_path / "nowhere.json"), cases="-")


def test_thousands_of_cases_are_answered_in_their_order(run: Run) -> None:
    cases = lines(*({"id": number, **TUESDAY} for number in range(5000)))

    answers = run(document(), cases)

    assert [answer["id"] for answer in answers] == list(range(5000))
