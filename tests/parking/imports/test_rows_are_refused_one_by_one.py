"""One bad row never stops the others, and is never half written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parking.imports import Kind, Noun
from parking.models import Meter, Spot, Zone
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import box, write_csv, write_geojson

METERS = COLUMNS + '[meter]\nserial = "meter"\n'


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"lon": "", "lat": ""}, "has no position: lon / lat is empty"),
        ({"lon": "east"}, "place.longitude: “east” is no number"),
        ({"lon": "nan"}, "place.longitude: “nan” is no number"),
        ({"lon": "24.935", "lat": "600"}, "24.935, 600 is no longitude and latitude"),
        ({"lon": "-71.06", "lat": "142.36"}, "no longitude and latitude"),
        (
            {"lon": "60.168", "lat": "124.935"},
            "is no longitude and latitude; longitude and latitude seem to be swapped",
        ),
        (
            {"lon": "60.168", "lat": "24.935"},
            "from the rest of the file; longitude and latitude are swapped in this row",
        ),
        ({"lon": "0", "lat": "0"}, "km from the rest of the file"),
        ({"zone": ""}, "zone.code is empty"),
        ({"zone": "центр"}, "the zone “центр” gives no code"),
        ({"zone": "z" * 33}, "zone.code: “zzzzzzzzzzzzzzzzzzzz…” is longer than 32 signs"),
        ({"zone": "Kamppi!"}, "the zones “Kamppi!” and “kamppi” have the same code; use a map"),
        ({"no": ""}, "spot.number is empty"),
        ({"no": "1" * 17}, "spot.number: “11111111111111111…” is longer than 16 signs"),
        ({"street": "x" * 161}, "is longer than 160 signs"),
        ({"id": ""}, "spot.key is empty"),
        ({"id": "s1"}, "the key “s1” is already that of row 2"),
        ({"no": "K-1"}, "the number “K-1” is already used in zone kamppi by row 2"),
    ],
)
def test_the_reason_is_named_and_the_rest_is_imported(
    run: Import, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    rows = spot_rows(5)
    rows[3] |= change
    report = run(write_csv(tmp_path / "spots.csv", rows))
    assert [remark.row for remark in report.refused] == [5]
    assert why in report.refused[0].text
    assert report.counts[Noun.SPOTS].created == Spot.objects.count() == 4
    assert Zone.objects.get().code == "kamppi"


def test_two_wordings_of_one_zone_code_are_not_mixed(run: Import, tmp_path: Path) -> None:
    rows = [*spot_rows(1, zone="Old Town"), *spot_rows(2, zone="old-town")[1:]]
    report = run(write_csv(tmp_path / "spots.csv", rows))
    assert "have the same code; use a map" in report.refused[0].text
    assert Zone.objects.get().name == "Old Town"


def test_a_polygon_is_imported_with_all_its_spots_or_none(run: Import, tmp_path: Path) -> None:
    mapping = COLUMNS.replace('[place]\nlongitude = "lon"\nlatitude = "lat"\n', "").replace(
        'number = "no"', 'number = { template = "{no}{@n}" }\ncount = "spaces"'
    )
    kerb = box(24.935, 60.168, 24.9354, 60.16802)
    names = {"zone": "kamppi", "street": ""}
    path = write_geojson(
        tmp_path / "bays.geojson",
        [
            (kerb, {"id": "1", "no": "A", "spaces": 3, **names}),
            (kerb, {"id": "2", "no": "A", "spaces": 4, **names}),  # A1 to A3 are taken
            (kerb, {"id": "3", "no": "B", "spaces": "some", **names}),
            (kerb, {"id": "4", "no": "C", "spaces": 0, **names}),
            (kerb, {"id": "5", "no": "D", "spaces": 100_000, **names}),
            (None, {"id": "6", "no": "E", "spaces": 1, **names}),
            (kerb, {"id": "7", "no": "F", "spaces": 2.0, **names}),
        ],
    )
    report = run(path, mapping)
    assert {remark.row: remark.text for remark in report.refused} == {
        2: "the number “A1” is already used in zone kamppi by row 1",
        3: "spot.count: “some” is no whole number",
        4: "0 spots: must be 1 to 1000",
        5: "100000 spots: must be 1 to 1000",
        6: "has no geometry that can be read",
    }
    numbers = set(Spot.objects.values_list("number", flat=True))
    assert numbers == {"A1", "A2", "A3", "F1", "F2"}


def test_a_meter_has_eight_lamps_and_stands_in_one_zone(run: Import, tmp_path: Path) -> None:
    rows = [row | {"meter": "M-1"} for row in spot_rows(9)]
    rows.append(spot_rows(10)[-1] | {"meter": "M-2"})
    rows.append(spot_rows(11)[-1] | {"meter": "M-2", "zone": "toolo"})
    report = run(write_csv(tmp_path / "spots.csv", rows), METERS)
    assert {remark.row: remark.text for remark in report.refused} == {
        10: "the meter M-1 has 8 spots already",
        12: "the meter M-2 stands in zone kamppi",
    }
    meter = Meter.objects.get(serial="M-1")
    assert sorted(meter.spots.values_list("position", flat=True)) == list(range(1, 9))
    assert Zone.objects.count() == 1


def test_rows_that_the_mapping_leaves_out_are_counted_with_the_reason(
    run: Import, tmp_path: Path
) -> None:
    rows = spot_rows(4)
    rows[0]["street"] = "Closed street"
    rows[1]["street"] = ""
    mapping = (
        COLUMNS
        + '[[skip]]\ncolumn = "street"\nmatches = "(?i)^closed"\nreason = "closed for good"\n'
        + '[[only]]\ncolumn = "street"\npresent = true\n'
        + '[[only]]\ncolumn = "zone"\nis = ["kamppi", "toolo"]\n'
    )
    report = run(write_csv(tmp_path / "spots.csv", rows), mapping)
    assert {remark.row: remark.text for remark in report.of(Kind.SKIPPED)} == {
        2: "closed for good",
        3: "street is “”",
    }
    assert not report.refused
    assert Spot.objects.count() == 2


def test_yes_and_no_bearings_and_features_are_read(run: Import, tmp_path: Path) -> None:
    rows = [
        row | {"open": open_, "deg": deg, "kind": kind}
        for row, (open_, deg, kind) in zip(
            spot_rows(4),
            [("Y", "361,5", "EV+disabled"), ("no", "", "car"), ("perhaps", "1", ""), ("", "x", "")],
            strict=True,
        )
    ]
    mapping = (
        COLUMNS
        + 'active = "open"\nbearing = "deg"\n'
        + '[[spot.features]]\nfeature = "ev"\ncolumn = "kind"\nmatches = "EV"\n'
        + '[[spot.features]]\nfeature = "accessible"\ncolumn = "kind"\nmatches = "disabled"\n'
    )
    report = run(write_csv(tmp_path / "spots.csv", rows), mapping)
    assert {remark.row: remark.text for remark in report.refused} == {
        4: "spot.active: “perhaps” is neither yes nor no; use a map",
        5: "spot.bearing: “x” is no number",
    }
    first, second = Spot.objects.order_by("number")
    assert (first.is_active, first.bearing, first.features) == (True, 2, ["accessible", "ev"])
    assert (second.is_active, second.bearing, second.features) == (False, 0, [])


def test_a_file_whose_longitudes_and_latitudes_are_swapped_is_doubted(
    run: Import, tmp_path: Path
) -> None:
    rows = [row | {"lon": row["lat"], "lat": row["lon"]} for row in spot_rows(3)]
    report = run(write_csv(tmp_path / "spots.csv", rows), dry_run=True)
    assert "its longitudes and latitudes seem to be swapped" in report.of(Kind.NOTE)[0].text
    assert not run(write_csv(tmp_path / "spots.csv", spot_rows(3))).of(Kind.NOTE)
