"""Write what the zones of a file cost, and how long one may stay there.

What a zone has already is kept, since an operator may have changed it; `replace` takes the file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max
from django.utils.translation import gettext as _

from parking import payable
from parking.imports.choosing import Terms, choose, wrong_currency
from parking.imports.mapping import ImportMapping
from parking.imports.report import Kind, Noun, Report
from parking.imports.wishes import Wishes
from parking.models import StayRules, TariffState, TariffVersion, Zone


def write_terms(
    *,
    wishes: Wishes,
    mapping: ImportMapping,
    zones: Mapping[str, Zone],
    now: datetime,
    replace: bool,
    report: Report,
) -> None:
    """Write the stay rules and tariffs of the file's zones."""
    if text := wrong_currency(mapping):
        report.say(Kind.NOTE, None, "", text)
    terms = {code: choose(wishes.zones[code], mapping) for code in sorted(zones)}
    for code, chosen in terms.items():
        for row, text in chosen.notes:
            _note(report, code, text, row)
    _write_stay_rules(terms, zones, replace, report)
    start = mapping.tariff.in_force if mapping.tariff else None
    _write_tariffs(terms, zones, start, now, replace, report)


def _note(report: Report, code: str, text: str, row: int | None = None) -> None:
    report.say(Kind.NOTE, row, _("zone %(code)s") % {"code": code}, text)


def _write_stay_rules(
    terms: Mapping[str, Terms], zones: Mapping[str, Zone], replace: bool, report: Report
) -> None:
    counted = report.counts[Noun.STAY_RULES]
    by_zone = {rules.zone_id: rules for rules in StayRules.objects.filter(zone__in=zones.values())}
    new = []
    for code, chosen in terms.items():
        rules = by_zone.get(zones[code].pk)
        if rules is None:
            new.append(StayRules(zone=zones[code], **chosen.stay))
            continue
        different = {key for key, value in chosen.stay.items() if getattr(rules, key) != value}
        if not different:
            counted.unchanged += 1
        elif replace:
            for key in different:
                setattr(rules, key, chosen.stay[key])
            rules.save(update_fields=different)
            counted.changed += 1
        else:
            counted.unchanged += 1
            text = _("its stay rules differ from the file's and were kept: %(keys)s")
            _note(report, code, text % {"keys": ", ".join(sorted(different))})
    StayRules.objects.bulk_create(new)
    counted.created += len(new)


def _write_tariffs(
    terms: Mapping[str, Terms],
    zones: Mapping[str, Zone],
    start: datetime | None,
    now: datetime,
    replace: bool,
    report: Report,
) -> None:
    ids = [zones[code].pk for code in terms]
    approved: dict[int, list[TariffVersion]] = {pk: [] for pk in ids}
    for version in TariffVersion.objects.select_for_update().filter(
        zone__in=ids, state=TariffState.APPROVED
    ):
        approved[version.zone_id].append(version)
    newest: dict[int, int] = dict(
        TariffVersion.objects.filter(zone__in=ids)
        .order_by()
        .values_list("zone")
        .annotate(newest=Max("version"))
    )
    new = []
    for code, chosen in terms.items():
        if chosen.tariff is None:
            continue
        pk = zones[code].pk
        version = TariffVersion(
            zone_id=pk,
            version=newest.get(pk, 0) + 1,
            document=chosen.document,
            sha256=chosen.tariff.sha256,
            state=TariffState.APPROVED,
        )
        if _put_in_force(version, code, approved[pk], start, now, replace, report):
            new.append(version)
            found = payable.verdict(version=version, since=version.in_force.lower)
            if found.wrong:
                _note(report, code, " ".join(found.wrong))
    TariffVersion.objects.bulk_create(new)


def _put_in_force(
    version: TariffVersion,
    code: str,
    approved: list[TariffVersion],
    start: datetime | None,
    now: datetime,
    replace: bool,
    report: Report,
) -> bool:
    """Give a version the time in which it holds, and end the one before; say if it is needed."""
    counted = report.counts[Noun.TARIFFS]
    if not approved:
        version.in_force = DateTimeTZRange(start or now, None)
        counted.created += 1
        return True
    begin = max(start or now, now)  # what is past was sold at its own prices
    current = next((other for other in approved if begin in other.in_force), None)
    if current is not None and current.sha256 == version.sha256:
        counted.unchanged += 1
        return False
    if not replace:
        counted.unchanged += 1
        _note(report, code, _("its tariff differs from the file's and was kept (--tariffs keep)"))
        return False
    if current is None:
        begins = (other.in_force.lower for other in approved)
        later = [moment for moment in begins if moment is not None and moment > begin]
        version.in_force = DateTimeTZRange(begin, min(later, default=None))
        counted.created += 1
        return True
    if current.in_force.lower == begin:
        counted.unchanged += 1
        _note(report, code, _("another tariff begins at the very same moment, and was kept"))
        return False
    version.in_force = DateTimeTZRange(begin, current.in_force.upper)
    current.in_force = DateTimeTZRange(current.in_force.lower, begin)
    current.save(update_fields=["in_force"])
    counted.changed += 1
    return True
