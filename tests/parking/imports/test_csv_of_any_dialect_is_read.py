"""Encodings, delimiters, and rows that are not in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from parking.imports import ImportFailed, Noun
from parking.models import Spot
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import write_csv

HEAD = "id,zone,no,street,lon,lat\n"
GOOD = "s1,kamppi,1,Fredrikinkatu,24.935,60.168\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(
    run: Import, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = write_csv(
        tmp_path / "spots.csv",
        spot_rows(2, street="Äänekosken, “tie”; 1|2"),
        delimiter=delimiter,
        encoding=encoding,
    )
    assert run(path).counts[Noun.SPOTS].created == 2
    assert set(Spot.objects.values_list("street", flat=True)) == {"Äänekosken, “tie”; 1|2"}


def test_an_old_encoding_is_taken_from_the_mapping(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(1, street="Улица Ленина"), encoding="cp1251")
    run(path, COLUMNS + '[file]\nencoding = "cp1251"\n')
    assert Spot.objects.get().street == "Улица Ленина"


def test_a_row_in_another_encoding_is_refused_and_the_others_stay(
    run: Import, tmp_path: Path
) -> None:
    path = tmp_path / "spots.csv"
    path.write_bytes(
        HEAD.encode() + GOOD.encode() + "s2,kamppi,2,Käsityö,24.935,60.168\n".encode("cp1252")
    )
    report = run(path)
    assert [(remark.row, remark.text) for remark in report.refused] == [
        (3, "holds bytes that are not utf-8; set file.encoding")
    ]
    assert Spot.objects.get().number == "1"


def test_short_long_and_ill_quoted_rows_are_refused_one_by_one(run: Import, tmp_path: Path) -> None:
    path = tmp_path / "spots.csv"
    path.write_text(
        HEAD
        + "s0,kamppi,0\n"
        + "s8,kamppi,8,Fredrikinkatu,24.935,60.168,more\n"
        + 's9,kamppi,9,"Fred"rik,24.935,60.168\n'
        + "\n"
        + GOOD
    )
    report = run(path)
    assert [(remark.row, remark.text) for remark in report.refused][:2] == [
        (2, "has 3 fields, the header has 6"),
        (3, "has 7 fields, the header has 6"),
    ]
    assert report.refused[2].row == 4
    assert report.refused[2].text.startswith("is not CSV")
    assert Spot.objects.get().external_id == "test:s1"


def test_a_decimal_comma_is_understood(run: Import, tmp_path: Path) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(1, lon="24,935", lat="60,168"), delimiter=";"))
    assert Spot.objects.get().location.coords == (24.935, 60.168)


def test_a_field_may_run_over_lines_and_rows_are_counted_as_a_spreadsheet_does(
    run: Import, tmp_path: Path
) -> None:
    path = tmp_path / "spots.csv"
    path.write_text(HEAD + 's1,kamppi,1,"Fredrikin\nkatu",24.935,60.168\n' + "s2,kamppi,2,,,60\n")
    report = run(path)
    assert report.refused[0].row == 3
    assert Spot.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the first line must name the columns"),
        ("\n\n", "the first line must name the columns"),
        (HEAD.replace("street", "zone") + GOOD, "two columns have the name zone"),
        (HEAD + 's1,kamppi,1,"Fredrikinkatu,24.935,60.168\n' + GOOD, "never closed"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_refused_whole(
    run: Import, tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "spots.csv"
    path.write_text(content)
    with pytest.raises(ImportFailed, match=why):
        run(path)
    assert not Spot.objects.exists()


def test_a_file_that_is_not_in_the_encoding_of_the_mapping_is_refused(
    run: Import, tmp_path: Path
) -> None:
    path = tmp_path / "spots.csv"
    path.write_bytes(b"\xff\xfe" + HEAD.encode())  # half of the last sign is missing
    with pytest.raises(ImportFailed, match=r"file\.encoding"):
        run(path, COLUMNS + '[file]\nencoding = "utf-32"\n')
