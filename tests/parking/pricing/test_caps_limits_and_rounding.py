"""Caps, classes, limits, rounding, fee and tax follow each other in one order."""

import pytest

from parking.pricing import QuoteError
from tests.parking.pricing.helpers import ask, band, cost, kinds, tariff

MONDAY = "2026-05-11T09:00"


def test_a_cap_holds_for_each_local_date() -> None:
    capped = tariff(cap_per_local_day=2000)

    assert cost(capped, MONDAY, 300) == 2000
    assert cost(capped, MONDAY, 600) == 2000
    assert cost(tariff(cap_per_local_day=399), MONDAY, 60) == 399
    assert cost(capped, "2026-05-11T20:00", 720) == 1600 + 2000
    assert cost(capped, "2026-05-11T00:00", 3 * 1440) == 3 * 2000


def test_a_night_band_is_capped_by_the_dates_of_its_minutes() -> None:
    capped = tariff(band("20:00", "06:00", 400, ["mon"]), cap_per_local_day=1000)

    assert cost(capped, "2026-05-11T20:00", 600) == 1000 + 1000


def test_a_cap_of_nothing_makes_the_day_free() -> None:
    assert cost(tariff(cap_per_local_day=0), MONDAY, 600) == 0


def test_the_class_is_applied_to_what_the_cap_left() -> None:
    capped = tariff(cap_per_local_day=2000, vehicle_classes={"low_emission": {"percent": 50}})

    assert ask(capped, MONDAY, 600, "low_emission").total == 1000
    assert ask(capped, MONDAY, 600).total == 2000


def test_a_class_can_pay_nothing_or_more_than_others() -> None:
    classes = {"disabled": {"percent": 0}, "bus": {"percent": 250}, "car": {"percent": 100}}
    open_to_all = tariff(vehicle_classes=classes, min_charge=50)

    assert ask(open_to_all, MONDAY, 60, "disabled").total == 0
    assert ask(open_to_all, MONDAY, 60, "bus").total == 1000
    assert kinds(ask(open_to_all, MONDAY, 60, "car")) == ["band"]


def test_a_class_that_the_tariff_does_not_have_is_refused() -> None:
    with pytest.raises(QuoteError, match="'van'; it has: disabled") as refused:
        ask(tariff(vehicle_classes={"disabled": {"percent": 0}}), MONDAY, 60, "van")

    assert refused.value.code == "unknown_vehicle_class"


def test_the_highest_and_the_lowest_charge_come_after_the_class() -> None:
    limited = tariff(
        max_charge=1000, min_charge=300, vehicle_classes={"low_emission": {"percent": 50}}
    )

    assert ask(limited, MONDAY, 240).total == 1000
    assert ask(limited, MONDAY, 240, "low_emission").total == 800
    assert ask(limited, MONDAY, 60, "low_emission").total == 300
    assert ask(limited, MONDAY, 60).total == 400


def test_the_lowest_charge_leaves_a_free_stay_free() -> None:
    limited = tariff(band("10:00", "11:00"), min_charge=300, free_first_min=5)

    assert cost(limited, MONDAY, 60) == 0
    assert cost(limited, MONDAY, 65) == 0
    assert cost(limited, MONDAY, 66) == 300


def test_the_lowest_charge_comes_after_the_highest() -> None:
    assert cost(tariff(max_charge=100, min_charge=300), MONDAY, 240) == 300


@pytest.mark.parametrize(
    ("mode", "unit", "minutes", "total"),
    [
        # 1.00 an hour: 20 minutes are 33 1/3, 50 are 83 1/3, 30 are 50.
        ("up", 1, 20, 34),
        ("down", 1, 20, 33),
        ("nearest", 1, 20, 33),
        ("nearest", 1, 50, 83),
        ("up", 10, 20, 40),
        ("down", 10, 50, 80),
        ("nearest", 10, 50, 80),
        ("nearest", 100, 30, 100),
        ("nearest", 100, 29, 0),
        ("up", 100, 60, 100),
    ],
)
def test_the_total_is_rounded_once(mode: str, unit: int, minutes: int, total: int) -> None:
    rounded = tariff(band(per_hour=100), rounding={"unit": unit, "mode": mode})

    assert cost(rounded, MONDAY, minutes) == total


def test_fractions_are_kept_until_that_one_rounding() -> None:
    # Three times 33 1/3 is 100, though each band alone would round up.
    thirds = [band(f"{hour:02}:00", f"{hour:02}:20", 100, priority=hour) for hour in (9, 10, 11)]
    third_of_a_third = tariff(
        band(per_hour=100), vehicle_classes={"odd": {"percent": 33}}, rounding={"mode": "down"}
    )

    assert cost(tariff(*thirds), MONDAY, 180) == 100
    # 33 % of 3 minutes at 1.00 an hour is 1.65: shown as 5 − 3 − 1.
    answer = ask(third_of_a_third, MONDAY, 3, "odd")
    assert [line.exact for line in answer.lines] == [None, "-67/20", "-13/20"]
    assert [line.amount for line in answer.lines] == [5, -3, -1]


def test_the_fee_comes_after_the_rounding_and_after_the_highest_charge() -> None:
    with_fee = tariff(
        band(per_hour=100), fixed_fee=7, max_charge=80, rounding={"unit": 10, "mode": "up"}
    )

    assert cost(with_fee, MONDAY, 20) == 47
    assert cost(with_fee, MONDAY, 120) == 87


def test_an_included_tax_is_split_out_of_the_total() -> None:
    tax = {"code": "vat", "rate_bp": 2550, "included": True}
    answer = ask(tariff(tax=tax), MONDAY, 60)

    assert (answer.total, answer.tax.net, answer.tax.tax) == (400, 319, 81)
    assert kinds(answer) == ["band"]


def test_a_tax_that_is_not_included_is_put_on_top_with_a_line() -> None:
    tax = {"code": "vat", "rate_bp": 2550, "included": False}
    answer = ask(tariff(tax=tax, max_charge=400), MONDAY, 120)

    assert (answer.total, answer.tax.net, answer.tax.tax) == (502, 400, 102)
    assert answer.lines[-1].text() == "tax vat, 25.50 % on top → 1.02"


def test_without_a_tax_all_of_the_total_is_net() -> None:
    answer = ask(tariff(), MONDAY, 60)

    assert (answer.tax.code, answer.tax.net, answer.tax.tax) == ("outside_scope", 400, 0)
