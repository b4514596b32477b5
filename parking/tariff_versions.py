"""How a tariff becomes law: draft → proposed → approved by a second person → in force.

An approved document never changes: the database refuses it (`tariff_frozen`). A new price is a new
version, and the moment from which it holds ends the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from parking import formatting, payable
from parking.models import (
    SHORTEST_PAUSE_DAYS,
    DemandRule,
    TariffOrigin,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.pricing import Tariff, TariffError


class TariffRefused(Exception):
    """The step is not allowed; the text is for people."""


def problems(document: object) -> list[str]:
    """Return what is wrong with a document, each with the path of its key; empty when it is fine.

    Besides the engine's own rules it must name this city's currency and time zone.
    """
    if not isinstance(document, Mapping):
        return [_("The document must be one JSON object.")]
    try:
        tariff = Tariff.parse(document)
    except TariffError as error:
        return [f"{path}: {message}" if path else message for path, message in error.errors]
    return [
        f"{key}: " + _("this city has %(value)s") % {"value": wanted}
        for key, said, wanted in (
            ("currency", tariff.currency, settings.CITY_CURRENCY),
            ("time_zone", str(tariff.time_zone), settings.CITY_TIME_ZONE),
        )
        if said != wanted
    ]


def draft(
    *,
    zone_id: int,
    document: Mapping[str, Any],
    in_force: DateTimeTZRange | None,
    origin: TariffOrigin = TariffOrigin.PEOPLE,
) -> TariffVersion:
    """Write the next version of the zone's tariff as a draft.

    Raises:
        TariffRefused: the document has problems.
    """
    _check(document)
    with transaction.atomic():
        _lock_zone(zone_id)
        last = TariffVersion.objects.filter(zone=zone_id).aggregate(last=Max("version"))["last"]
        return TariffVersion.objects.create(
            zone_id=zone_id,
            version=(last or 0) + 1,
            document=document,
            sha256=Tariff.parse(document).sha256,
            in_force=in_force,
            origin=origin,
        )


def redraft(
    *, version_id: int, document: Mapping[str, Any], in_force: DateTimeTZRange | None
) -> None:
    """Change a draft.

    Raises:
        TariffRefused: the document has problems, or it is no draft any more.
    """
    _check(document)
    with transaction.atomic():
        version = _locked(version_id, TariffState.DRAFT)
        version.document, version.in_force = dict(document), in_force
        version.sha256 = Tariff.parse(document).sha256
        version.save(update_fields=["document", "sha256", "in_force"])


def propose(*, version_id: int, by: User, now: datetime) -> str:
    """Put a draft before a second person; it cannot be edited until it is taken back.

    Return which stays were too many to compare with the processor's minimum, in words.

    Raises:
        TariffRefused: it is no draft, has problems, says no moment to come from which it holds,
            follows demand too soon, or sells what cannot be paid.
    """
    with transaction.atomic():
        version = _locked(version_id, TariffState.DRAFT)
        _check(version.document)
        start = _starts_after(version, now)
        _rested(version, start)
        left_out = _payable(version, start)
        version.state, version.proposed_by = TariffState.PROPOSED, by
        version.save(update_fields=["state", "proposed_by"])
    return left_out


def take_back(*, version_id: int) -> None:
    """Make a proposed version a draft again.

    Raises:
        TariffRefused: it is not proposed.
    """
    with transaction.atomic():
        version = _locked(version_id, TariffState.PROPOSED)
        version.state, version.proposed_by = TariffState.DRAFT, None
        version.save(update_fields=["state", "proposed_by"])


def approve(*, version_id: int, by: User, now: datetime) -> str:
    """Let a proposed version hold from its moment on, and end the one before it there.

    Where a later version is approved already, this one holds until then. Return what `propose`
    returns.

    Raises:
        TariffRefused: not proposed; proposed by the same person; its moment has passed; another
            version begins at that same moment; it follows demand too soon; it sells what cannot be
            paid.
    """
    with transaction.atomic():
        zone_id = TariffVersion.objects.values_list("zone_id", flat=True).get(pk=version_id)
        _lock_zone(zone_id)
        version = _locked(version_id, TariffState.PROPOSED)
        if version.proposed_by_id == by.pk:
            raise TariffRefused(_("A second person must approve a tariff."))
        _check(version.document)
        start = _starts_after(version, now)
        # Others may have changed prices or stay rules since it was proposed.
        _rested(version, start)
        left_out = _payable(version, start)
        approved = TariffVersion.objects.filter(zone=zone_id, state=TariffState.APPROVED)
        if same := approved.filter(in_force__startswith=start).first():
            raise TariffRefused(
                _("Version %(n)s begins at that moment already.") % {"n": same.version}
            )
        for before in approved.filter(in_force__contains=start):
            before.in_force = DateTimeTZRange(before.in_force.lower, start)
            before.save(update_fields=["in_force"])
        later = approved.filter(in_force__startswith__gt=start).order_by("in_force").first()
        ends = [end for end in (version.in_force.upper, later and later.in_force.lower) if end]
        version.in_force = DateTimeTZRange(start, min(ends, default=None))
        version.state, version.approved_by = TariffState.APPROVED, by
        version.save(update_fields=["in_force", "state", "approved_by"])
    return left_out


def rests_until(*, zone_id: int, at: datetime) -> datetime | None:
    """Return from when on prices may follow demand again after the change that holds at `at`.

    None where no tariff holds then. The pause is counted in local days.
    """
    law = TariffVersion.objects.filter(
        zone=zone_id, state=TariffState.APPROVED, in_force__contains=at
    ).first()
    if law is None or law.in_force.lower is None:
        return None
    rule = DemandRule.objects.filter(zone=zone_id).first()
    days = rule.days if rule else SHORTEST_PAUSE_DAYS
    return timezone.localtime(law.in_force.lower) + timedelta(days=days)


def _check(document: object) -> None:
    if wrong := problems(document):
        raise TariffRefused(" ".join(wrong))


def _rested(version: TariffVersion, start: datetime) -> None:
    """Refuse prices that follow demand before those in force have held for the pause."""
    if version.origin != TariffOrigin.DEMAND:
        return
    rest = rests_until(zone_id=version.zone_id, at=start)
    if rest is not None and start < rest:
        raise TariffRefused(
            _("Prices may follow demand again from %(moment)s; this version holds sooner.")
            % {"moment": formatting.moment(rest)}
        )


def _payable(version: TariffVersion, start: datetime) -> str:
    """Refuse prices below the processor's minimum; return which stays were not looked at."""
    found = payable.verdict(version=version, since=start)
    if found.wrong:
        raise TariffRefused(" ".join(found.wrong))
    return found.left_out


def _lock_zone(zone_id: int) -> None:
    Zone.objects.select_for_update(no_key=True).only("pk").get(pk=zone_id)


def _locked(version_id: int, wanted: TariffState) -> TariffVersion:
    version = TariffVersion.objects.select_for_update(no_key=True, of=("self",)).get(pk=version_id)
    if version.state != wanted:
        raise TariffRefused(
            _("Version %(n)s is %(state)s.")
            % {"n": version.version, "state": version.get_state_display()}
        )
    return version


def _starts_after(version: TariffVersion, now: datetime) -> datetime:
    start: datetime | None = version.in_force.lower if version.in_force else None
    if start is None:
        raise TariffRefused(_("Say from which moment the tariff shall hold."))
    if start <= now:
        raise TariffRefused(
            _("A tariff cannot hold from %(moment)s: that has passed. Choose a moment to come.")
            % {"moment": formatting.moment(start)}
        )
    return start
