"""A quote says how its total came about, and survives being stored."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from parking.pricing import Quote
from tests.parking.pricing.helpers import ask, band, kinds, tariff

MONDAY = "2026-05-11T09:00"
FULL = tariff(
    band("09:00", "12:00", 400),
    band("12:00", "17:00", 610),
    window_flats=[{"from": "17:00", "to": "08:00", "amount": 500, "applies_if": "touches"}],
    free_first_min=15,
    increment={"minutes": 10, "mode": "started"},
    cap_per_local_day=2000,
    vehicle_classes={"low_emission": {"percent": 55}},
    max_charge=1050,
    fixed_fee=30,
    tax={"code": "vat", "rate_bp": 1000, "included": False},
    rounding={"unit": 100, "mode": "up"},
)


def test_every_step_has_a_line_in_the_order_of_the_rules() -> None:
    answer = ask(FULL, "2026-05-11T08:30", "2026-05-11T18:00", "low_emission")

    assert answer.texts() == [
        "08:30–09:00, 30 min free: no charge at this time → 0.00",
        "09:00–09:15, 15 min free: the first 15 min cost nothing → 0.00",
        "09:15–12:00, 2 h 45 min at 4.00 → 11.00",
        "12:00–17:00, 5 h at 6.10 → 30.50",
        "2026-05-11 17:00 – 2026-05-12 08:00, one price for these hours, 1 h of them → 5.00",
        "no more than 20.00 on 2026-05-11 → −26.50",
        "low_emission pays 55 % → −9.00",
        "no stay costs more than 10.50 → −0.50",
        "rounded to 1.00 (up) → 0.50",
        "fee for each stay → 0.30",
        "tax vat, 10.00 % on top → 1.13",
    ]
    assert sum(line.amount for line in answer.lines) == answer.total == 1243


def test_a_line_reads_as_a_person_would_say_it() -> None:
    answer = ask(tariff(), "2026-05-11T10:00", "2026-05-11T12:00")

    assert answer.texts() == ["10:00–12:00, 2 h at 4.00 → 8.00"]


def test_a_stay_over_several_days_tells_the_dates() -> None:
    answer = ask(tariff(band("09:00", "24:00")), "2026-05-11T22:00", "2026-05-12T10:00")

    assert answer.texts() == [
        "2026-05-11 22:00–24:00, 2 h at 4.00 → 8.00",
        "2026-05-12 00:00–09:00, 9 h free: no charge at this time → 0.00",
        "2026-05-12 09:00–10:00, 1 h at 4.00 → 4.00",
    ]


def test_minutes_on_end_at_one_price_are_one_line_even_over_midnight_and_clock_changes() -> None:
    answer = ask(tariff(), "2026-10-24T22:00", "2026-10-26T04:00")

    assert kinds(answer) == ["band"]
    line = answer.lines[0]
    assert (line.begins, line.ends) == ("2026-10-24T22:00+02:00", "2026-10-26T04:00+01:00")
    assert (line.minutes, line.per_hour, line.data) == (31 * 60, 400, {"band": 0, "tier": 0})


def test_days_stay_apart_where_the_tariff_caps_them() -> None:
    answer = ask(tariff(cap_per_local_day=900), "2026-05-11T22:00", "2026-05-12T02:00")

    assert kinds(answer) == ["band", "band"]


def test_added_and_given_up_minutes_are_told() -> None:
    added = ask(tariff(increment={"minutes": 15, "mode": "started"}), MONDAY, 20)
    given_up = ask(tariff(increment={"minutes": 15, "mode": "completed"}), MONDAY, 20)

    assert added.texts()[-1] == "10 min added at 4.00: sold in lots of 15 min → 0.67"
    assert given_up.texts()[-1] == "5 min not charged: sold in lots of 15 min → 0.00"
    assert (added.total, given_up.total) == (200, 100)


def test_a_ladder_tells_the_step_that_was_reached() -> None:
    answer = ask(tariff(ladder=[{"upto_min": 90, "total": 300}]), MONDAY, 75)

    assert answer.texts() == ["1 h 15 min counted, up to 1 h 30 min → 3.00"]


def test_lines_sum_to_the_total_without_a_line_for_sums_that_come_out_even() -> None:
    thirds = tariff(
        band("09:00", "09:20", 100), band("09:20", "09:40", 101), band("09:40", "10:00", 102)
    )
    answer = ask(thirds, MONDAY, 60)

    assert kinds(answer) == ["band", "band", "band"]
    assert [line.exact for line in answer.lines] == ["100/3", "101/3", None]
    assert [line.amount for line in answer.lines] == [33, 34, 34]
    assert answer.total == 101


def test_a_currency_without_decimals_is_written_without_them() -> None:
    tehran = tariff(band(per_hour=150000), currency="IRR", time_zone="Asia/Tehran")

    assert ask(tehran, MONDAY, 60).texts() == ["09:00–10:00, 1 h at 150000 → 150000"]


def test_a_quote_survives_being_stored() -> None:
    answer = ask(FULL, "2026-05-11T08:30", "2026-05-12T18:07", "low_emission")

    stored = json.loads(json.dumps(answer.as_json()))

    assert Quote.from_json(stored) == answer
    assert Quote.from_json(stored).texts() == answer.texts()
    assert answer.start == datetime(2026, 5, 11, 6, 30, tzinfo=UTC)
    assert stored["tariff_sha256"] == FULL.sha256


@pytest.mark.parametrize("change", [{"total": 1}, {"lines": None}, {"tax": {}}, {"start": "soon"}])
def test_a_stored_quote_that_was_tampered_with_is_not_read(change: dict[str, object]) -> None:
    stored = ask(FULL, MONDAY, 60).as_json()

    with pytest.raises(ValueError, match=r"."):
        Quote.from_json(stored | change)
    del stored["currency"]
    with pytest.raises(ValueError, match="Not a quote"):
        Quote.from_json(stored)


def test_the_engine_needs_no_django() -> None:
    program = (
        "import sys, parking.pricing, parking.pricing.cases;"
        "sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
