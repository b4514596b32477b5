"""One import from the file to the database: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from parking import lights
from parking.imports.errors import ImportFailed
from parking.imports.files import open_rows
from parking.imports.interpret import Interpreter
from parking.imports.mapping import ImportMapping
from parking.imports.meters import Lamp, allot, lamps_of_others, meters_called, write_meters
from parking.imports.missing import doubt_of, missing_spots, report_missing, retire
from parking.imports.outlines import Outlines
from parking.imports.places import Locator
from parking.imports.prices import write_terms
from parking.imports.report import Kind, Report
from parking.imports.rows import Row, check_columns
from parking.imports.spots import (
    Standing,
    compare,
    lock,
    refuse_taken_numbers,
    standing_spots,
    write_spots,
)
from parking.imports.wishes import Wishes
from parking.imports.zones import write_zones
from parking.models import Meter

_LOCK = 0x6375_7262  # one import at a time; the number means “curb” and nothing else
Progress = Callable[[Iterable[Row], int | None], Iterable[Row]]


def import_file(
    *,
    path: Path,
    mapping: ImportMapping,
    now: datetime,
    dry_run: bool = False,
    replace_terms: bool = False,
    retire_missing: bool = False,
    progress: Progress = lambda rows, _total: rows,
) -> Report:
    """Bring zones, meters, spots, prices and stay rules up to a city's file.

    1. Read every row; what cannot be used is refused with its number and the reason.
    2. In one transaction: compare with the database and write the difference.

    A dry run does the same and takes it back: what it reports is what would happen. A second run
    changes nothing. Nothing is ever deleted.

    Raises:
        ImportFailed: the file or the mapping cannot be used; nothing was written.
    """
    report = Report(dry_run=dry_run)
    wishes = _read(path, mapping, report, progress)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            moved = _write(wishes, mapping, report, now, replace_terms, retire_missing)
            lights.replan(meter_ids=moved, now=now)
            transaction.set_rollback(dry_run)
    except (IntegrityError, OperationalError) as error:
        # Every rule of the database is checked before; only a change in between can break one.
        if isinstance(error, IntegrityError) or isinstance(error.__cause__, DeadlockDetected):
            raise ImportFailed(
                _("the city's data changed during the import; nothing was written, run it again")
            ) from error
        raise
    return report


def _read(path: Path, mapping: ImportMapping, report: Report, progress: Progress) -> Wishes:
    outlines = Outlines(mapping.zone.outlines) if mapping.zone.outlines else None
    for number, text in outlines.refused if outlines else ():
        report.say(Kind.NOTE, None, _("polygon %(number)d") % {"number": number}, text)
    with open_rows(path, mapping.file) as source:
        check_columns(mapping.columns(), source, mapping.path)
        locator = Locator(place=mapping.place, file=mapping.file, source=source, path=path)
        interpreter = Interpreter(
            mapping=mapping, locator=locator, outlines=outlines, report=report
        )
        return interpreter.wishes(progress(source.rows, source.total))


def _write(
    wishes: Wishes,
    mapping: ImportMapping,
    report: Report,
    now: datetime,
    replace_terms: bool,
    retire_missing: bool,
) -> set[int]:
    """Write everything; return the meters whose lamps changed.

    Spots are locked before meters, as everywhere (see parking/booking.py).
    """
    standing = standing_spots(mapping.source)
    refuse_taken_numbers(wishes=wishes, standing=standing, report=report)
    zones = write_zones(wishes=wishes, rules=mapping.zone, report=report)
    lamps = _lamps(wishes, mapping, standing, report)
    difference = compare(spots=wishes.spots, lamps=lamps, standing=standing, report=report)
    gone = missing_spots(wishes=wishes, standing=standing)
    report_missing(gone=gone, now=now, report=report)
    retired: dict[str, Standing] = {}
    if retire_missing and (doubt := doubt_of(wishes)) and gone:
        report.say(Kind.NOTE, None, "", doubt)
    elif retire_missing:
        retired = gone
    lock([*(standing[s.key].id for s in difference.changed), *(s.id for s in retired.values())])
    if mapping.meter is None:
        meters = meters_called(lamp.serial for lamp in lamps.values() if lamp is not None)
    else:
        meters = write_meters(
            spots=wishes.spots,
            lamps=lamps,
            zones=zones,
            rules=mapping.meter,
            source=mapping.source,
            report=report,
        )
    moved = write_spots(
        difference=difference,
        lamps=lamps,
        zones=zones,
        meters=meters,
        standing=standing,
        now=now,
    )
    write_terms(
        wishes=wishes,
        mapping=mapping,
        zones=zones,
        now=now,
        replace=replace_terms,
        report=report,
    )
    return moved | retire(gone=retired, now=now, report=report)


def _lamps(
    wishes: Wishes,
    mapping: ImportMapping,
    standing: Mapping[str, Standing],
    report: Report,
) -> dict[str, Lamp | None]:
    """Return the lamp of each spot: as the mapping says, or, where it says nothing, as it is."""
    if mapping.meter is None:
        now = {key: spot.lamp for key, spot in standing.items()}
        return {spot.key: now.get(spot.key) for spot in wishes.spots}
    serials = {spot.serial for spot in wishes.spots if spot.serial}
    serials |= {spot.lamp.serial for spot in standing.values() if spot.lamp is not None}
    return allot(
        spots=wishes.spots,
        rules=mapping.meter,
        lit={key: spot.lit for key, spot in standing.items() if spot.lit is not None},
        occupied=lamps_of_others(serials, {spot.key for spot in wishes.spots}),
        serials=set(Meter.objects.values_list("serial", flat=True)),
        report=report,
    )
