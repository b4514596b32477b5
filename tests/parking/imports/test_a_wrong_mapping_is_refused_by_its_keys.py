"""Every mistake in a mapping is named with its key, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from parking.imports import ImportFailed, MappingError, read_mapping
from tests.parking.imports.conftest import COLUMNS


def problems(folder: Path, text: str) -> tuple[str, ...]:
    """Return what is wrong with a mapping."""
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as failed:
        read_mapping(path)
    assert str(failed.value).startswith(f"{path}: ")
    return failed.value.problems


def test_the_mapping_of_these_tests_is_right(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(COLUMNS)
    assert set(read_mapping(path).columns()) == {"lon", "lat", "zone", "id", "no", "street"}


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        sauce = "test"
        [place]
        longitude = "lon"
        [zone]
        code = { colum = "zone" }
        [spot]
        numbr = "no"
        """,
    )
    assert "source: is missing" in found
    assert "sauce: unknown key; did you mean “source”?" in found
    assert "place.latitude: longitude and latitude go together" in found
    assert "zone.code: give exactly one of column, constant, template" in found
    assert "zone.code.colum: unknown key; did you mean “column”?" in found
    assert "spot.key: is missing" in found
    assert "spot.numbr: unknown key; did you mean “number”?" in found


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("[file]\nencoding = 'klingon'", "file.encoding: no such encoding: klingon"),
        ("[file]\ndelimiter = ';;'", "file.delimiter: must be one sign"),
        ("[file]\ncrs = '/etc/passwd'", "file.crs: must be a code such as EPSG:25832"),
        ("[file]\ncrs = 'http://127.0.0.1/crs'", "file.crs: must be a code such as EPSG:25832"),
        (
            "[file]\ncrs = 'EPSG:3067'",
            "place.longitude: are degrees; with file.crs name them x and y",
        ),
        ("[[only]]\ncolumn = 'zone'", "only[0].column: give exactly one of is, matches, present"),
        (
            "[[skip]]\ncolumn = 'zone'\nis = 'a'",
            'skip[0].is: must be a list of texts, such as ["a", "b"]',
        ),
        (
            "[[skip]]\ncolumn = 'zone'\nmatches = '*'",
            "skip[0].matches: is no regular expression: nothing to repeat at position 0",
        ),
        ("[skip]\ncolumn = 'zone'", "skip: must be a list of tables: [[skip]]"),
        ("[meter]", "meter.serial: is missing"),
        ("[meter.group]\nsize = 9", "meter.group.size: a meter has 1 to 8 lamps"),
        (
            "[[spot.features]]\nfeature = 'sunny'\ncolumn = 'zone'\nmatches = 'x'",
            "spot.features[0].feature: unknown; known: accessible, ev, motorcycle, loading",
        ),
        ("[tariff]\nhours = 'zone'", "tariff.pattern: is missing"),
        (
            "[tariff]\nhours = 'zone'\npattern = '(?P<from>x)'\nrate = 'zone'",
            "tariff.pattern: must name a group (?P<to>…)",
        ),
        (
            "[tariff]\nhours = 'zone'\npattern = '(?P<from>x)(?P<to>y)'",
            "tariff.rate: is missing, and the pattern has no group (?P<rate>…)",
        ),
        ("[tariff]", "tariff.hours: is missing, and document has neither bands nor ladder"),
        (
            "[tariff]\ncurrency = 'Euro'\ndocument = {bands = []}",
            "tariff.currency: is no currency of ISO 4217, such as EUR",
        ),
        (
            "[tariff]\nin_force = '2026'\ndocument = {bands = []}",
            "tariff.in_force: must be a date without quotes, such as 2026-01-01",
        ),
        (
            "[tariff]\ndocument = {bands = []}\ndays = {Mo = 'montag'}",
            "tariff.days.Mo: must be days of mon, tue, wed, thu, fri, sat, sun",
        ),
        ("[stay_rules]\nslot_step_min = 7", "stay_rules.slot_step_min: must divide an hour"),
        (
            "[stay_rules]\nlongest_stay_min = 0",
            "stay_rules.longest_stay_min: must lie between 1 and 527040",
        ),
        (
            "[stay_rules]\ngrace_min = 9",
            "stay_rules.grace_min: must lie between 10 and 1440",
        ),
        (
            "[stay_rules]\nrelease_after_min = 3",
            "stay_rules.release_after_min: must lie between 5 and 120",
        ),
        (
            "[stay_rules]\nbookable_from = 08:00:00",
            "stay_rules.bookable_to: bookable_from and bookable_to go together",
        ),
    ],
)
def test_each_mistake_has_its_words(tmp_path: Path, wrong: str, problem: str) -> None:
    assert problem in problems(tmp_path, f"{COLUMNS}\n{wrong}\n")


def test_a_word_that_the_importer_does_not_know_is_a_column(tmp_path: Path) -> None:
    """Exports of OpenStreetMap have a column “@id”."""
    path = tmp_path / "mapping.toml"
    path.write_text(COLUMNS.replace('number = "no"', 'number = { template = "{@id}-{@n}" }'))
    columns = read_mapping(path).columns()
    assert columns["@id"] == "spot.number"
    assert "@n" not in columns


def test_polygons_stand_beside_the_mapping(tmp_path: Path) -> None:
    text = COLUMNS.replace(
        'code = "zone"', '[zone.polygons]\nfile = "../zones.geojson"\ncode = "c"'
    )
    assert problems(tmp_path, text) == (
        "zone.polygons.file: must stand beside the mapping or in a folder there",
    )


def test_toml_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('source = "test"\n[zone\n')
    with pytest.raises(ImportFailed, match=r"mapping\.toml: .*line 2"):
        read_mapping(path)
    path.write_bytes(b'source = "\xe4"')
    with pytest.raises(ImportFailed, match="is not UTF-8"):
        read_mapping(path)
    with pytest.raises(ImportFailed, match="No such file"):
        read_mapping(tmp_path / "other.toml")
