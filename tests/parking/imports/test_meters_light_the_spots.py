"""Meters by name, or shared by neighbours on a street; an edition of the file moves no wires."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from parking.imports import Kind, Noun
from parking.models import Meter, Spot, Zone
from tests import cast
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import write_csv

NAMED = COLUMNS + '[meter]\nserial = "meter"\nedge_url = "gateway"\n'
GROUPED = COLUMNS + '[meter.group]\nby = ["street"]\nsize = 4\nmax_gap_m = 20\n'


def lamps() -> dict[str, tuple[str, int | None]]:
    """Return key → serial and lamp."""
    return {
        key.partition(":")[2]: (serial, position)
        for key, serial, position in Spot.objects.filter(
            external_id__startswith="test:"
        ).values_list("external_id", "meter__serial", "position")
    }


def test_spots_that_name_a_meter_share_it(run: Import, tmp_path: Path) -> None:
    rows = [row | {"meter": m} for row, m in zip(spot_rows(3), ["M-1", "M-1", ""], strict=True)]
    report = run(write_csv(tmp_path / "spots.csv", rows), NAMED)
    assert lamps() == {"s1": ("M-1", 1), "s2": ("M-1", 2), "s3": (None, None)}
    meter = Meter.objects.get()
    assert (meter.zone.code, meter.edge_url) == ("kamppi", "gateway")
    assert 24.935 < meter.location.x < 24.9354
    assert report.counts[Noun.METERS].created == 1


def test_neighbours_are_grouped_along_the_street_as_even_as_can_be(
    run: Import, tmp_path: Path
) -> None:
    rows = spot_rows(9)
    rows[8] |= {"lon": "24.940"}  # 200 m further down
    mixed = [rows[place] for place in (4, 0, 7, 2, 8, 6, 1, 3, 5)]
    run(write_csv(tmp_path / "spots.csv", mixed), GROUPED)
    found = lamps()
    ends = {found["s1"][0], found["s8"][0]}
    assert len(ends) == 2
    assert {found[f"s{place}"][0] for place in (1, 2, 3, 4)} == {found["s1"][0]}
    assert {found[f"s{place}"][0] for place in (5, 6, 7, 8)} == {found["s8"][0]}
    assert found["s9"][0] not in ends
    assert [found[f"s{place}"][1] for place in range(1, 9)] in (
        [1, 2, 3, 4, 1, 2, 3, 4],
        [4, 3, 2, 1, 4, 3, 2, 1],
    )
    assert set(Meter.objects.values_list("serial", flat=True)) <= {
        f"test-s{place}" for place in range(1, 10)
    }


def test_five_spots_for_meters_of_four_are_three_and_two(run: Import, tmp_path: Path) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(5)), GROUPED)
    sizes = sorted(meter.spots.count() for meter in Meter.objects.all())
    assert sizes == [2, 3]


def test_another_street_is_another_group(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(4)
    rows[1]["street"] = rows[3]["street"] = "Kalevankatu"
    run(write_csv(tmp_path / "spots.csv", rows), GROUPED)
    found = lamps()
    assert found["s1"][0] == found["s3"][0] != found["s2"][0] == found["s4"][0]


def test_the_size_of_a_meter_may_come_from_the_row(run: Import, tmp_path: Path) -> None:
    rows = [
        row | {"kind": "single" if place < 2 else "multi"} for place, row in enumerate(spot_rows(6))
    ]
    rows.append(spot_rows(7)[-1] | {"kind": "double"})
    mapping = GROUPED.replace(
        "size = 4", 'size = { column = "kind", map = { "single" = 1, "multi" = 8 } }'
    )
    report = run(write_csv(tmp_path / "spots.csv", rows), mapping)
    assert report.refused[0].text == "meter.group.size: “double” is not in the map"
    assert sorted(meter.spots.count() for meter in Meter.objects.all()) == [1, 1, 4]


def test_new_spots_between_old_ones_move_no_wires(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(8)
    run(write_csv(tmp_path / "spots.csv", rows[::2]), GROUPED.replace("20", "30"))
    before = lamps()
    report = run(write_csv(tmp_path / "spots.csv", rows), GROUPED.replace("20", "30"))
    after = lamps()
    assert {key: after[key] for key in before} == before
    assert report.counts[Noun.SPOTS].unchanged == 4
    assert {after[f"s{place}"][0] for place in (2, 4, 6, 8)}.isdisjoint(
        {serial for serial, _lamp in before.values()}
    )
    assert run(write_csv(tmp_path / "spots.csv", rows), GROUPED.replace("20", "30")).changes == 0


def test_a_spot_in_another_zone_gets_another_meter(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(2)
    run(write_csv(tmp_path / "spots.csv", rows), GROUPED)
    rows[0]["zone"] = "toolo"
    run(write_csv(tmp_path / "spots.csv", rows), GROUPED)
    moved = Spot.objects.get(external_id="test:s1")
    assert moved.meter is not None
    assert moved.meter.zone.code == moved.zone.code == "toolo"
    assert moved.meter.serial == "test-s1-2"  # the first name is that of the meter it left
    assert lamps()["s2"] == ("test-s1", 2)


def test_a_lamp_that_another_spot_uses_is_left_to_it(run: Import, tmp_path: Path) -> None:
    rows = [row | {"meter": "M-1"} for row in spot_rows(8)]
    run(write_csv(tmp_path / "spots.csv", rows[:7]), NAMED)
    by_hand = cast.a_spot(Zone.objects.get(), "H-1", meter=Meter.objects.get(), position=8)
    report = run(write_csv(tmp_path / "spots.csv", rows), NAMED)
    assert "has no lamp left: the spot stays without a light" in report.of(Kind.NOTE)[0].text
    assert lamps()["s8"] == (None, None)
    by_hand.refresh_from_db()
    assert by_hand.position == 8


def test_meters_whose_lamps_moved_are_planned_again_and_no_others(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row | {"meter": m} for row, m in zip(spot_rows(3), ["M-1", "M-2", "M-3"], strict=True)]
    planned: list[int] = []
    replan: Callable[..., None] = lambda *, meter_ids, now: planned.extend(meter_ids)  # noqa: E731
    monkeypatch.setattr("parking.imports.run.lights.replan", replan)
    run(write_csv(tmp_path / "spots.csv", rows), NAMED)
    assert planned == []  # new meters have nothing to forget
    rows[0]["meter"] = "M-2"
    run(write_csv(tmp_path / "spots.csv", rows), NAMED)
    by_serial = dict(Meter.objects.values_list("serial", "id"))
    assert sorted(planned) == sorted([by_serial["M-1"], by_serial["M-2"]])
