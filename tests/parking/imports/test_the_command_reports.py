"""`manage.py import_spots`: what it prints, what it writes, how it fails."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from parking.models import Spot
from tests.parking.imports.conftest import COLUMNS, spot_rows
from tests.parking.imports.files import write_csv, write_geopackage


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """The mapping of these tests, in a file."""
    path = tmp_path / "mapping.toml"
    path.write_text(COLUMNS)
    return path


def said(*args: Any, **options: Any) -> str:
    """Run the command and return what it printed."""
    out = io.StringIO()
    call_command("import_spots", *args, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_it_counts_names_twenty_refused_rows_and_writes_all_of_them(
    tmp_path: Path, mapping: Path
) -> None:
    rows = spot_rows(30)
    for row in rows[:25]:
        row["lat"] = ""
    rows[24] |= {"id": "=1+1", "lat": "60.168", "lon": "east"}
    report = tmp_path / "report.csv"
    text = said(write_csv(tmp_path / "spots.csv", rows), mapping=mapping, report=report)
    assert "30 rows read" in text
    assert "spots                  5           0           0" in text
    assert "25 refused rows:" in text
    assert "  row 2, s1: has no position: lon / lat is empty" in text
    assert "row 21, s20" in text
    assert "row 22" not in text
    assert "… 5 more; --report has all" in text
    with report.open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 25
    assert written[-1] == {
        "row": "26",
        "kind": "refused",
        "subject": "'=1+1",  # a spreadsheet must not run what a stranger wrote
        "text": "place.longitude: “east” is no number",
    }
    assert "rows/s" not in text  # no progress bar where nobody watches


@pytest.mark.django_db
def test_it_says_what_is_left_out_missing_and_retired(tmp_path: Path, mapping: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(4))
    said(path, mapping=mapping)
    mapping.write_text(COLUMNS + '[[skip]]\ncolumn = "id"\nis = ["s4"]\nreason = "dug up"\n')
    text = said(path, mapping=mapping)
    assert "1 row left out by the mapping:" in text
    assert "     1  dug up" in text
    assert "1 spot is no longer in the file:" in text
    assert Spot.objects.filter(is_active=True).count() == 4
    assert "1 spot taken out of use" in said(path, mapping=mapping, retire_missing=True)
    assert Spot.objects.filter(is_active=True).count() == 3


@pytest.mark.django_db
def test_the_layer_is_chosen_on_the_command_line(tmp_path: Path, mapping: Path) -> None:
    mapping.write_text(COLUMNS.replace('[place]\nlongitude = "lon"\nlatitude = "lat"\n', ""))
    names = ("id", "zone", "no", "street")
    rows = [((24.935, 60.168), {name: spot_rows(1)[0][name] for name in names})]
    path = write_geopackage(tmp_path / "city.gpkg", {"trees": rows, "spots": rows})
    with pytest.raises(CommandError, match="choose one with --layer: trees, spots"):
        said(path, mapping=mapping)
    said(path, mapping=mapping, layer="spots")
    assert Spot.objects.count() == 1


@pytest.mark.django_db
def test_failures_are_one_clear_line_and_nothing_is_written(tmp_path: Path, mapping: Path) -> None:
    with pytest.raises(CommandError, match="no such file"):
        said(tmp_path / "other.csv", mapping=mapping)
    path = write_csv(tmp_path / "spots.csv", spot_rows(2))
    with pytest.raises(CommandError, match=r"other\.toml: No such file"):
        said(path, mapping=tmp_path / "other.toml")
    assert not Spot.objects.exists()
    with pytest.raises(CommandError, match=r"the import is done, but .* cannot be written"):
        said(path, mapping=mapping, report=tmp_path / "no-folder" / "report.csv")
    assert Spot.objects.count() == 2


@pytest.mark.django_db
def test_a_dry_run_says_so(tmp_path: Path, mapping: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(2))
    assert "A dry run: nothing was written." in said(path, mapping=mapping, dry_run=True)
    assert not Spot.objects.exists()
