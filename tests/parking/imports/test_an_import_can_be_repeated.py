"""New editions of a file: what changed is changed, nothing is lost, and twice is once."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from parking.imports import ImportFailed, Kind, Noun, spots
from parking.imports.copying import copy_in
from parking.models import Light, Meter, Slot, SlotState, Spot, StayRules, TariffVersion, Zone
from tests import cast
from tests.cast import NOW
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import write_csv

METERS = COLUMNS + '[meter]\nserial = "meter"\n'


def counts(report: object, noun: Noun) -> tuple[int, int, int]:
    """Return created, changed, unchanged."""
    count = report.counts[noun]  # type: ignore[attr-defined]
    return (count.created, count.changed, count.unchanged)


def test_the_second_run_changes_nothing(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(3))
    assert counts(run(path), Noun.SPOTS) == (3, 0, 0)
    before = list(Spot.objects.order_by("id").values())
    zone = Zone.objects.values().get()
    report = run(path, now=NOW + timedelta(days=1))
    assert counts(report, Noun.SPOTS) == (0, 0, 3)
    assert counts(report, Noun.ZONES) == (0, 0, 1)
    assert report.changes == 0
    assert list(Spot.objects.order_by("id").values()) == before
    assert Zone.objects.values().get() == zone


def test_only_what_differs_is_changed(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(3)
    run(write_csv(tmp_path / "spots.csv", rows))
    rows[1] |= {"street": "Kalevankatu", "lon": "24.93531"}
    later = NOW + timedelta(days=1)
    report = run(write_csv(tmp_path / "spots.csv", rows), now=later)
    assert counts(report, Noun.SPOTS) == (0, 1, 2)
    changed = Spot.objects.get(external_id="test:s2")
    assert (changed.street, changed.location.x) == ("Kalevankatu", 24.93531)
    assert set(Spot.objects.exclude(id=changed.id).values_list("street", flat=True)) == {
        "Fredrikinkatu"
    }
    assert Light.objects.count() == 3


def test_two_spots_swap_their_numbers_and_lamps(run: Import, tmp_path: Path) -> None:
    rows = [row | {"meter": f"M-{place % 2}"} for place, row in enumerate(spot_rows(2))]
    run(write_csv(tmp_path / "spots.csv", rows), METERS)
    rows[0]["no"], rows[1]["no"] = rows[1]["no"], rows[0]["no"]
    rows[0]["meter"], rows[1]["meter"] = rows[1]["meter"], rows[0]["meter"]
    report = run(write_csv(tmp_path / "spots.csv", rows), METERS)
    assert counts(report, Noun.SPOTS) == (0, 2, 0)
    assert not report.remarks
    assert list(
        Spot.objects.order_by("external_id").values_list("number", "meter__serial", "position")
    ) == [("K-2", "M-1", 1), ("K-1", "M-0", 1)]


def test_a_booking_survives_a_move_and_a_retirement(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(3)
    mapping = COLUMNS + "[tariff]\n[tariff.document]\nladder = [{upto_min = 240, total = 100}]\n"
    run(write_csv(tmp_path / "spots.csv", rows), mapping)
    booked = Spot.objects.get(external_id="test:s3")
    slot = cast.a_hold(booked)
    Slot.objects.filter(id=slot.pk).update(state=SlotState.CONFIRMED, confirmed_at=NOW)

    rows[2]["no"] = "K-3b"
    run(write_csv(tmp_path / "spots.csv", rows), mapping)
    report = run(write_csv(tmp_path / "spots.csv", rows[:2]), mapping)
    assert [(remark.subject, remark.text) for remark in report.of(Kind.MISSING)] == [
        ("kamppi K-3b (test:s3)", "is no longer in the file; 1 booking ahead")
    ]
    assert Spot.objects.get(id=booked.pk).is_active

    report = run(write_csv(tmp_path / "spots.csv", rows[:2]), mapping, retire_missing=True)
    assert report.retired == 1
    assert not Spot.objects.get(id=booked.pk).is_active
    slot.refresh_from_db()
    assert (slot.state, slot.spot_id) == (SlotState.CONFIRMED, booked.pk)
    assert not run(write_csv(tmp_path / "spots.csv", rows[:2]), mapping).of(Kind.MISSING)

    back = run(write_csv(tmp_path / "spots.csv", rows), mapping)
    assert "out of use" in back.of(Kind.NOTE)[0].text
    assert not Spot.objects.get(id=booked.pk).is_active


def test_a_row_that_is_refused_is_not_missing(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(3)
    run(write_csv(tmp_path / "spots.csv", rows))
    rows[1]["lon"] = ""
    report = run(write_csv(tmp_path / "spots.csv", rows), retire_missing=True)
    assert len(report.refused) == 1
    assert not report.of(Kind.MISSING)
    assert Spot.objects.filter(is_active=True).count() == 3


def test_nothing_is_retired_while_a_row_has_lost_its_key(run: Import, tmp_path: Path) -> None:
    rows = spot_rows(3)
    run(write_csv(tmp_path / "spots.csv", rows))
    rows[1]["id"] = ""
    report = run(write_csv(tmp_path / "spots.csv", rows), retire_missing=True)
    assert report.retired == 0
    assert "nothing was retired" in report.of(Kind.NOTE)[0].text
    assert Spot.objects.filter(is_active=True).count() == 3


def test_an_empty_file_retires_nothing(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(3))
    run(path)
    path.write_text(path.read_text().splitlines()[0])
    report = run(path, retire_missing=True)
    assert (report.rows, report.retired, len(report.of(Kind.MISSING))) == (0, 0, 3)
    assert "it may be cut short" in report.of(Kind.NOTE)[0].text
    assert Spot.objects.filter(is_active=True).count() == 3


def test_a_number_that_another_spot_of_the_zone_has_is_refused(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(2))
    run(path)
    cast.a_spot(Zone.objects.get(), "K-3")
    cast.a_spot(Zone.objects.get(), "K-9")
    rows = spot_rows(4)
    rows[0]["no"] = "K-9"  # taken by hand; so s1 keeps K-1 …
    rows[1]["no"] = "K-1"  # … and s2 cannot have it
    report = run(write_csv(tmp_path / "spots.csv", rows))
    assert [remark.row for remark in report.refused] == [2, 3, 4]
    assert "belongs to a spot that is not in the file (made by hand)" in report.refused[0].text
    assert "(test:s1)" in report.refused[1].text
    assert counts(report, Noun.SPOTS) == (1, 0, 0)
    assert set(
        Spot.objects.filter(external_id__startswith="test:").values_list("external_id", "number")
    ) == {("test:s1", "K-1"), ("test:s2", "K-2"), ("test:s4", "K-4")}


def test_two_sources_share_a_zone_and_leave_each_other_alone(run: Import, tmp_path: Path) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(2)))
    other = COLUMNS.replace('source = "test"', 'source = "test-2"')
    rows = spot_rows(2, street="Kalevankatu")
    for row in rows:
        row["no"] += "b"
    report = run(write_csv(tmp_path / "more.csv", rows), other, retire_missing=True)
    assert counts(report, Noun.SPOTS) == (2, 0, 0)
    assert counts(report, Noun.ZONES) == (0, 0, 1)
    assert not report.of(Kind.MISSING)
    assert Spot.objects.filter(is_active=True).count() == 4


def test_meters_that_an_operator_wired_stay_when_the_mapping_names_none(
    run: Import, tmp_path: Path
) -> None:
    rows = spot_rows(2)
    run(write_csv(tmp_path / "spots.csv", rows))
    meter = cast.a_meter(Zone.objects.get())
    Spot.objects.filter(external_id="test:s1").update(meter=meter, position=5)
    rows[0]["street"] = "Kalevankatu"
    run(write_csv(tmp_path / "spots.csv", rows))
    spot = Spot.objects.get(external_id="test:s1")
    assert (spot.street, spot.meter_id, spot.position) == ("Kalevankatu", meter.pk, 5)


def test_a_dry_run_reports_what_would_happen_and_writes_nothing(
    run: Import, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "spots.csv", [row | {"meter": "M-1"} for row in spot_rows(3)])
    report = run(path, METERS, dry_run=True)
    assert counts(report, Noun.SPOTS) == (3, 0, 0)
    for model in (Zone, Meter, Spot, Light, StayRules, TariffVersion):
        assert not model.objects.exists()


def test_a_failure_in_the_middle_leaves_nothing_behind_and_the_next_run_completes(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "spots.csv", [row | {"meter": "M-1"} for row in spot_rows(3)])

    def fails(objects: list[object]) -> None:
        if objects and isinstance(objects[0], Light):
            raise RuntimeError("the power is gone")
        copy_in(objects)

    with monkeypatch.context() as patched:
        patched.setattr(spots, "copy_in", fails)
        with pytest.raises(RuntimeError):
            run(path, METERS)
    assert not Spot.objects.exists()
    assert not Zone.objects.exists()
    assert counts(run(path, METERS), Noun.SPOTS) == (3, 0, 0)


def test_a_change_by_somebody_else_in_between_is_told_and_nothing_is_written(
    run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(1)))

    def meanwhile(ids: object) -> None:
        cast.a_spot(Zone.objects.get(), "K-2")

    monkeypatch.setattr("parking.imports.run.lock", meanwhile)
    with pytest.raises(ImportFailed, match="run it again"):
        run(write_csv(tmp_path / "spots.csv", spot_rows(2)))
    assert Spot.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_each_spot_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows(200))
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(COLUMNS)
    connection.close()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    both = [context.Process(target=_import, args=(path, mapping, results)) for _process in range(2)]
    for process in both:
        process.start()
    made = sorted(results.get(timeout=60) for _process in both)
    for process in both:
        process.join(timeout=60)
    assert made == [0, 200]
    assert Spot.objects.count() == Light.objects.count() == 200


def _import(path: Path, mapping: Path, results: multiprocessing.Queue[int]) -> None:
    from parking.imports import import_file, read_mapping

    connection.close()
    report = import_file(path=path, mapping=read_mapping(mapping), now=NOW)
    results.put(report.counts[Noun.SPOTS].created)


def test_names_by_language_are_taken_and_otherwise_left_alone(run: Import, tmp_path: Path) -> None:
    rows = [row | {"street_ru": "улица Фредрика", "zone_fa": "کامپی"} for row in spot_rows(2)]
    named = COLUMNS.replace("[spot]", '[spot]\nstreet_names.ru = "street_ru"', 1)
    named = named.replace("[zone]", '[zone]\nnames.fa = "zone_fa"', 1)
    run(write_csv(tmp_path / "spots.csv", rows), named)
    assert [spot.street_names for spot in Spot.objects.all()] == [{"ru": "улица Фредрика"}] * 2
    assert Zone.objects.get().names == {"fa": "کامپی"}
    rows[0]["street_ru"] = ""
    report = run(write_csv(tmp_path / "spots.csv", rows), named)
    assert counts(report, Noun.SPOTS) == (0, 1, 1)
    report = run(write_csv(tmp_path / "spots.csv", rows))
    assert counts(report, Noun.SPOTS) == (0, 0, 2)
    assert [spot.street_names for spot in Spot.objects.order_by("id")] == [
        {},
        {"ru": "улица Фредрика"},
    ]
    with pytest.raises(ImportFailed, match=r"zone\.names\.xx"):
        run(write_csv(tmp_path / "spots.csv", rows), named.replace("names.fa", "names.xx"))
