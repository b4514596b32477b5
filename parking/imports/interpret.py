"""From the rows of a file to zones and spots, by the mapping. Refuses rows; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from parking.imports.cells import fits, meets, needed, whole, yes_or_no, zone_code
from parking.imports.errors import RowRefused
from parking.imports.layout import Bay, bays
from parking.imports.mapping import ImportMapping, Names
from parking.imports.outlines import Outline, Outlines
from parking.imports.places import Locator, Middle
from parking.imports.policies import PolicyReader
from parking.imports.report import Kind, Report
from parking.imports.rows import Row
from parking.imports.wishes import LAMPS, WantedSpot, WantedZone, Wishes
from parking.models import Meter, Spot, Zone


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row that is in order by itself."""

    row: Row
    key: str
    bays: list[Bay]


class Interpreter:
    """Reads rows one by one, then settles what only all of them together can tell."""

    def __init__(
        self, *, mapping: ImportMapping, locator: Locator, outlines: Outlines | None, report: Report
    ) -> None:
        self._mapping = mapping
        self._locator = locator
        self._outlines = outlines
        self._report = report
        self._policies = PolicyReader(mapping)
        self._wishes = Wishes()
        self._key_rows: dict[str, int] = {}
        self._number_rows: dict[tuple[str, str], int] = {}
        self._serial_zones: dict[str, str] = {}
        self._serial_lamps: dict[str, int] = {}

    def wishes(self, rows: Iterable[Row]) -> Wishes:
        """Return everything that the rows ask for; what is wrong stands in the report."""
        candidates = []
        for row in rows:
            self._report.rows += 1
            try:
                candidate = self._candidate(row)
            except RowRefused as refused:
                self._refuse(row, refused)
            else:
                if candidate is not None:
                    candidates.append(candidate)
        if not candidates:
            return self._wishes
        middle = Middle.of(
            [(c.bays[0].longitude, c.bays[0].latitude) for c in candidates],
            within_km=self._mapping.place.within_km,
        )
        for candidate in candidates:
            try:
                middle.check(candidate.bays[0].longitude, candidate.bays[0].latitude)
                self._settle(candidate)
            except RowRefused as refused:
                self._refuse(candidate.row, refused)
        for note in (*self._locator.notes, middle.doubt()):
            if note:
                self._report.say(Kind.NOTE, None, "", note)
        for number, text in self._policies.notes():
            self._report.say(Kind.NOTE, number, "", text)
        return self._wishes

    def _refuse(self, row: Row, refused: RowRefused) -> None:
        try:
            key = "" if row.problem else self._mapping.spot.key.of(row.values)
        except RowRefused:
            key = ""
        if key:
            self._wishes.doubtful.add(f"{self._mapping.source}:{key}")
        else:
            self._wishes.keyless = True
        self._report.say(Kind.REFUSED, row.number, key, str(refused))

    def _candidate(self, row: Row) -> _Candidate | None:
        """Return what one row says by itself; None where a filter leaves it out."""
        if row.problem:
            raise RowRefused(row.problem)
        left_out = self._left_out(row)
        if left_out:
            self._report.say(Kind.SKIPPED, row.number, "", left_out)
            return None
        spot = self._mapping.spot
        key = needed(spot.key, row)
        before = self._key_rows.setdefault(key, row.number)
        if before != row.number:
            raise RowRefused(
                _("the key “%(key)s” is already that of row %(row)s") % {"key": key, "row": before}
            )
        shape = self._locator.locate(row)
        count = whole(spot.count, row) if spot.count is not None else None
        return _Candidate(row, key, bays(shape, count))

    def _left_out(self, row: Row) -> str:
        for condition in self._mapping.filters:
            if meets(condition, row.values) != condition.keep:
                return condition.reason or _("%(column)s is “%(text)s”") % {
                    "column": condition.column,
                    "text": row.values[condition.column],
                }
        return ""

    def _settle(self, candidate: _Candidate) -> None:
        """Make the wanted zone and spots of a row: all of them, or none."""
        row = candidate.row
        zone = self._zone(row, candidate.bays[0])
        made = [
            self._spot(candidate, bay, place, zone) for place, bay in enumerate(candidate.bays, 1)
        ]
        numbers: set[str] = set()
        for spot in made:
            before = self._number_rows.get((zone.code, spot.number))
            if before is not None or spot.number in numbers:
                raise RowRefused(
                    _("the number “%(number)s” is already used in zone %(zone)s by row %(row)s")
                    % {"number": spot.number, "zone": zone.code, "row": before or row.number}
                )
            numbers.add(spot.number)
        self._claim_lamps(made)
        for spot in made:
            self._number_rows[zone.code, spot.number] = row.number
        self._wishes.zones.setdefault(zone.code, zone)
        self._wishes.spots.extend(made)
        self._policies.vote(row, zone)

    def _zone(self, row: Row, bay: Bay) -> WantedZone:
        rules = self._mapping.zone
        outline: Outline | None = None
        if self._outlines is not None:
            outline = self._outlines.holding(bay.longitude, bay.latitude)
            said, name = outline.code, outline.name
        else:
            assert rules.code is not None  # noqa: S101  (the mapping was checked)
            said, name = needed(rules.code, row), ""
        code = zone_code(said)
        if rules.name is not None:
            name = rules.name.of(row.values, zone=code)
        fits(name, Zone, "name", "zone.name")
        known = self._wishes.zones.get(code)
        if known is None:
            return WantedZone(
                code=code,
                said=said,
                name=name,
                names=_names(rules.names, row),
                boundary=outline.boundary if outline else None,
                row=row.number,
            )
        if known.said != said:
            raise RowRefused(
                _("the zones “%(one)s” and “%(other)s” have the same code; use a map")
                % {"one": said, "other": known.said}
            )
        return known

    def _spot(self, candidate: _Candidate, bay: Bay, place: int, zone: WantedZone) -> WantedSpot:
        rules, row = self._mapping.spot, candidate.row
        label = f"{candidate.key}-{place}" if len(candidate.bays) > 1 else candidate.key
        number = rules.number.of(row.values, key=candidate.key, n=place, label=label)
        if not number:
            raise RowRefused(_("%(key)s is empty") % {"key": rules.number.path})
        fits(number, Spot, "number", rules.number.path)
        key = f"{self._mapping.source}:{candidate.key}"
        if rules.count is not None:
            key += f":{place}"  # also of a single spot: the next edition may count two
        fits(key, Spot, "external_id", rules.key.path)
        street = rules.street.of(row.values) if rules.street else ""
        fits(street, Spot, "street", "spot.street")
        spot = WantedSpot(
            key=key,
            row=row.number,
            zone=zone.code,
            number=number,
            street=street,
            street_names=_names(rules.street_names, row),
            longitude=bay.longitude,
            latitude=bay.latitude,
            bearing=self._bearing(row, bay),
            features=tuple(
                sorted(
                    {
                        rule.feature
                        for rule in rules.features
                        if rule.pattern.search(row.values[rule.column])
                    }
                )
            ),
            active=yes_or_no(rules.active, row),
        )
        self._add_meter(spot, row, label)
        return spot

    def _bearing(self, row: Row, bay: Bay) -> int:
        stated = self._mapping.spot.bearing
        text = stated.of(row.values) if stated is not None else ""
        if stated is None or not text:
            return bay.bearing or 0
        try:
            return round(float(text.replace(",", "."))) % 360
        except (ValueError, OverflowError) as error:
            raise RowRefused(
                _("%(key)s: “%(text)s” is no number") % {"key": stated.path, "text": text}
            ) from error

    def _add_meter(self, spot: WantedSpot, row: Row, label: str) -> None:
        rules = self._mapping.meter
        if rules is None:
            return
        spot.serial = rules.serial.of(row.values) if rules.serial else ""
        fits(spot.serial, Meter, "serial", "meter.serial")
        if not spot.serial and rules.group is not None:
            spot.group = (spot.zone, *(row.values[name] for name in rules.group.by))
            spot.size = whole(rules.group.size, row)
            if not 1 <= spot.size <= LAMPS:
                raise RowRefused(
                    _("%(key)s: a meter has 1 to 8 lamps, not %(size)s")
                    % {"key": rules.group.size.path, "size": spot.size}
                )
            words = {"key": label, "source": self._mapping.source, "zone": spot.zone}
            spot.new_serial = rules.group.serial.of(row.values, **words)
            fits(spot.new_serial, Meter, "serial", rules.group.serial.path)

    def _claim_lamps(self, made: list[WantedSpot]) -> None:
        serial = made[0].serial
        if not serial:
            return
        zone = self._serial_zones.get(serial, made[0].zone)
        if zone != made[0].zone:
            raise RowRefused(
                _("the meter %(serial)s stands in zone %(zone)s") % {"serial": serial, "zone": zone}
            )
        lamps = self._serial_lamps.get(serial, 0) + len(made)
        if lamps > LAMPS:
            raise RowRefused(_("the meter %(serial)s has 8 spots already") % {"serial": serial})
        self._serial_zones[serial], self._serial_lamps[serial] = zone, lamps


def _names(rules: Names, row: Row) -> dict[str, str] | None:
    """Return a place's names by language, None where the mapping names no column for them."""
    if not rules:
        return None
    return {code: text for code, value in rules if (text := value.of(row.values))}
