"""The engine charges what cities publish."""

import json
from pathlib import Path
from typing import Any

import pytest

from parking.pricing import Tariff
from parking.pricing.cases import Tariffs, answers
from tests.parking.pricing.cities import STAYS, TARIFFS
from tests.parking.pricing.helpers import ask

GOLDEN = Path(__file__).resolve().parents[3] / "../shared/tariffs/golden.json"


@pytest.mark.parametrize(("city", "start", "minutes", "chargeable", "total"), STAYS)
def test_a_stay_costs_what_the_city_says(
    city: str, start: str, minutes: int, chargeable: int, total: int
) -> None:
    answer = ask(Tariff.parse(TARIFFS[city]), start, minutes)

    assert (answer.chargeable_min, answer.total) == (chargeable, total)
    assert sum(line.amount for line in answer.lines) == total


def test_every_golden_case_is_met() -> None:
    if not GOLDEN.exists():
        pytest.skip("golden.json is not beside this checkout (../shared/tariffs)")
    golden: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))

    given = list(answers(Tariffs(golden), golden["cases"]))

    assert len(given) == len(golden["cases"]) > 0
    wanted = ("id", "chargeable_min", "total")
    assert [{key: answer.get(key) for key in wanted} for answer in given] == [
        {key: case[key] for key in wanted} for case in golden["cases"]
    ]
