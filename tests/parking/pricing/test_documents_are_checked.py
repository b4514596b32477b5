"""A document is taken whole, or refused with the path of every wrong key."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking.pricing import Tariff, TariffError
from tests.parking.pricing.helpers import WORKDAYS, band, document
from tests.parking.pricing.strategies import Example, examples

FLAT = {"from": "18:00", "to": "06:00", "amount": 100, "applies_if": "touches"}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in document().items() if name != key}


def tiers(*limits: int | None) -> dict[str, Any]:
    steps = [
        {"per_hour": 100} if limit is None else {"per_hour": 100, "upto_min": limit}
        for limit in limits
    ]
    return document({**band(), "tiers": steps})


def steps(*pairs: tuple[int, int]) -> dict[str, Any]:
    return document(ladder=[{"upto_min": upto, "total": total} for upto, total in pairs])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (without("currency"), "currency"),
        (document(currency="XYZ"), "currency"),
        (document(currency=978), "currency"),
        (document(currency=["EUR"]), "currency"),
        (without("time_zone"), "time_zone"),
        (document(time_zone="Europe/Atlantis"), "time_zone"),
        (document(time_zone="../secret"), "time_zone"),
        (document(time_zone="Europe"), "time_zone"),
        (document(time_zone=""), "time_zone"),
        (document(time_zone=2), "time_zone"),
        (without("bands"), "bands"),
        (document() | {"bands": []}, "bands"),
        (document() | {"bands": {}}, "bands"),
        (document() | {"bands": ["all day"]}, "bands[0]"),
        (document(colour="red"), "colour"),
        (document(band() | {"colour": "red"}), "bands[0].colour"),
        (document({**band(), "tiers": []}), "bands[0].tiers"),
        (document({**band(), "tiers": [{"per_hour": -1}]}), "bands[0].tiers[0].per_hour"),
        (document({**band(), "tiers": [{"per_hour": 1.5}]}), "bands[0].tiers[0].per_hour"),
        (document({**band(), "tiers": [{"per_hour": True}]}), "bands[0].tiers[0].per_hour"),
        (document({**band(), "tiers": [{"per_hour": "4"}]}), "bands[0].tiers[0].per_hour"),
        (document({**band(), "tiers": [{}]}), "bands[0].tiers[0].per_hour"),
        (document({key: band()[key] for key in ("days", "from", "to")}), "bands[0].tiers"),
        (document({key: band()[key] for key in ("from", "to", "tiers")}), "bands[0].days"),
        (document(band(days=["monday"])), "bands[0].days[0]"),
        (document(band(days=["mon", "mon"])), "bands[0].days"),
        (document(band("9:00")), "bands[0].from"),
        (document(band("24:00", "06:00")), "bands[0].from"),
        (document(band("09:00", "24:30")), "bands[0].to"),
        (document(band("09:00", "09:00")), "bands[0].to"),
        (document(band(priority="high")), "bands[0].priority"),
        (tiers(60, 60, None), "bands[0].tiers[1].upto_min"),
        (tiers(60, 30, None), "bands[0].tiers[1].upto_min"),
        (tiers(0, None), "bands[0].tiers[0].upto_min"),
        (tiers(60, 120), "bands[0].tiers[1].upto_min"),
        (tiers(None, None), "bands[0].tiers[0].upto_min"),
        (document(ladder=[]), "ladder"),
        (steps((30, 100), (30, 200)), "ladder[1].upto_min"),
        (steps((60, 100), (30, 200)), "ladder[1].upto_min"),
        (steps((30, 100), (60, 99)), "ladder[1].total"),
        (steps((30, -1)), "ladder[0].total"),
        (document(ladder=[{"upto_min": 30}]), "ladder[0].total"),
        (document(holidays=["2026-12-25"]), "holidays"),
        (document(holidays={"25.12.2026": "x"}), "holidays.25.12.2026"),
        (document(holidays={"2026-02-30": "x"}), "holidays.2026-02-30"),
        (document(holidays={"2026-12-25": ""}), "holidays.2026-12-25"),
        (document(holiday_behaves_like="holiday"), "holiday_behaves_like"),
        (document(window_flats=[FLAT | {"amount": -5}]), "window_flats[0].amount"),
        (document(window_flats=[FLAT | {"applies_if": "often"}]), "window_flats[0].applies_if"),
        (document(window_flats=[FLAT | {"days": ["mon"]}]), "window_flats[0].days"),
        (document(window_flats=[FLAT | {"to": "18:00"}]), "window_flats[0].to"),
        (document(progression_reset="weekly"), "progression_reset"),
        (document(free_first_min=-1), "free_first_min"),
        (document(free_if_leq_min="ten"), "free_if_leq_min"),
        (document(increment={"minutes": 0}), "increment.minutes"),
        (document(increment={"mode": "up"}), "increment.mode"),
        (document(increment=15), "increment"),
        (document(min_charge=-1), "min_charge"),
        (document(max_charge=2.0), "max_charge"),
        (document(cap_per_local_day=-1), "cap_per_local_day"),
        (document(fixed_fee=10**13), "fixed_fee"),
        (document(vehicle_classes={"van": {"percent": -1}}), "vehicle_classes.van.percent"),
        (document(vehicle_classes={"van": {}}), "vehicle_classes.van.percent"),
        (document(vehicle_classes={"van": 50}), "vehicle_classes.van"),
        (document(vehicle_classes=["van"]), "vehicle_classes"),
        (document(tax={"included": "yes"}), "tax.included"),
        (document(tax={"rate_bp": 10_001}), "tax.rate_bp"),
        (document(tax={"code": "a\ud800"}), "tax.code"),
        (document(rounding={"unit": 0}), "rounding.unit"),
        (document(rounding={"mode": "half"}), "rounding.mode"),
        ([], "document"),
        (None, "document"),
    ],
)
def test_a_wrong_key_is_refused_by_its_path(wrong: Any, path: str) -> None:
    with pytest.raises(TariffError) as refused:
        Tariff.parse(wrong)

    assert [where for where, _ in refused.value.errors] == [path]
    assert str(refused.value).startswith(f"{path}: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["mon"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(examples(), st.data())
def test_a_document_with_anything_anywhere_is_taken_or_refused(
    example: Example, data: st.DataObject
) -> None:
    changed = json.loads(json.dumps(example.document))
    place = changed
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)

    with suppress(TariffError):
        assert Tariff.parse(changed).document == changed


def test_every_wrong_key_is_told_at_once() -> None:
    with pytest.raises(TariffError) as refused:
        Tariff.parse(document(currency="XYZ", min_charge=-1, colour="red"))

    assert {path for path, _ in refused.value.errors} == {"currency", "min_charge", "colour"}


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        ([band("09:00", "12:00"), band("11:59", "15:00")], "mon 11:59–12:00"),
        ([band("20:00", "06:00", days=["fri"]), band("05:00", "09:00", days=["sat"])], "sat 05:00"),
        ([band("20:00", "06:00", days=["sun"]), band("00:00", "01:00", days=["mon"])], "mon 00:00"),
        ([band(), band("09:00", "10:00", priority=-1), band("12:00", "13:00")], "bands[2]"),
    ],
)
def test_bands_of_one_priority_that_overlap_are_refused(
    bands: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(TariffError, match="overlaps bands") as refused:
        Tariff.parse(document(*bands))

    assert len(refused.value.errors) == 1
    assert told in str(refused.value)


def test_bands_that_overlap_only_beside_a_holiday_are_refused() -> None:
    night = band("20:00", "06:00", days=["thu"])
    sunday = band("00:00", "10:00", days=["sun"])
    holiday = {"holidays": {"2026-05-01": "a Friday"}, "holiday_behaves_like": "sun"}

    assert Tariff.parse(document(night, sunday))
    assert Tariff.parse(document(night, sunday, **holiday | {"holiday_behaves_like": "sat"}))
    with pytest.raises(TariffError, match=r"overlaps bands\[0\] on sun 00:00–06:00"):
        Tariff.parse(document(night, sunday, **holiday))


def test_bands_that_overlap_only_on_the_morning_after_a_holiday_are_refused() -> None:
    night = band("20:00", "06:00", days=["sun"])
    saturday = band("00:00", "10:00", days=["sat"])
    holiday = {"holidays": {"2026-05-01": "a Friday"}, "holiday_behaves_like": "sun"}

    assert Tariff.parse(document(night, saturday))
    with pytest.raises(TariffError, match=r"overlaps bands\[0\] on sat 00:00–06:00"):
        Tariff.parse(document(night, saturday, **holiday))


def test_bands_that_only_touch_or_differ_in_priority_are_taken() -> None:
    touching = [band("09:00", "12:00"), band("12:00", "15:00")]
    past_midnight = [band("20:00", "06:00", days=["fri"]), band("06:00", "09:00", days=["sat"])]
    ranked = [band(), band("09:00", "12:00", priority=1), band("09:00", "12:00", priority=-1)]

    for bands in (touching, past_midnight, ranked):
        assert Tariff.parse(document(*bands)).bands


def test_left_out_keys_and_null_mean_the_same_price_but_another_document() -> None:
    given = document() | {"max_charge": None, "ladder": None, "min_charge": None}

    assert Tariff.parse(given).min_charge == Tariff.parse(document()).min_charge == 0
    assert Tariff.parse(given) != Tariff.parse(document())


def test_a_band_under_a_ladder_needs_no_rates() -> None:
    bare = {"days": WORKDAYS, "from": "09:00", "to": "20:00"}

    assert Tariff.parse(document(bare, ladder=[{"upto_min": 30, "total": 100}])).ladder


def test_the_same_document_has_the_same_hash_whatever_the_order_of_its_keys() -> None:
    plain = document(holidays={"2026-12-25": "Joulupäivä", "2026-12-26": "Tapaninpäivä"})
    turned = json.loads(json.dumps(plain), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    assert list(turned) != list(plain)

    assert Tariff.parse(turned).sha256 == Tariff.parse(plain).sha256
    assert hash(Tariff.parse(turned)) == hash(Tariff.parse(plain))
    assert Tariff.parse(turned) == Tariff.parse(plain)
    assert len(Tariff.parse(plain).sha256) == 64


def test_another_price_is_another_hash() -> None:
    assert Tariff.parse(document(fixed_fee=1)).sha256 != Tariff.parse(document()).sha256


def test_the_document_comes_back_as_it_was_and_cannot_be_changed_through_it() -> None:
    given = document(holidays={"2026-12-25": "Noël"})
    parsed = Tariff.parse(given)

    parsed.document["currency"] = "USD"
    given["holidays"]["2026-12-26"] = "added later"

    assert parsed.document == document(holidays={"2026-12-25": "Noël"})
    assert list(parsed.holidays.values()) == ["Noël"]
