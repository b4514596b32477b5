"""What demand would make of a zone's prices: a proposal, never a change by itself.

The rule of San Francisco, for each band by itself: where at least the upper share of its time was
taken its prices rise by one step, where less than the lower share was taken they fall by one, and
in between they stay. No price leaves its floor and ceiling, none that is free becomes a charge,
and prices hold for the pause of the zone's rule, which is at least 28 days.

A proposal can be made into a draft. Whoever has that done counts neither as the one who proposes
it nor as the one who approves it: two people have to, as the database demands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from parking import occupancy, tariff_versions
from parking.formatting import moment, money, number
from parking.models import DemandRule, TariffOrigin, TariffState, TariffVersion, Zone
from parking.money import exponent
from parking.occupancy import Share
from parking.price_words import percent
from parking.pricing import Tariff
from parking.pricing.parts import Band
from parking.tariff_words import band_hours

NOTICE_DAYS = (
    7  # from the draft to its first day: for two people to look, and a city to announce it
)


class DemandRefused(Exception):
    """There is no draft to make; `reasons` say why, in words."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, kw_only=True)
class BandProposal:
    """One band: how much of its time was taken, its prices an hour (old, new), and why.

    A price holds after so many minutes as `after_min` says.
    """

    hours: str
    share: Share
    prices: tuple[tuple[int, int], ...]
    after_min: tuple[int, ...]
    reason: str

    @property
    def changes(self) -> bool:
        """Say whether any price of the band would change."""
        return any(old != new for old, new in self.prices)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What `[since, until)` says about each band, and why no draft may be made, if so.

    `document` is the tariff with the new prices; None where nothing can be worked out.
    """

    zone: Zone
    rule: DemandRule | None
    since: datetime
    until: datetime
    bands: tuple[BandProposal, ...]
    refusals: tuple[str, ...]
    document: dict[str, Any] | None


def default_step() -> int | None:
    """Return a quarter of the city's currency in minor units; None where it has no such part."""
    return 10 ** exponent(settings.CITY_CURRENCY) // 4 or None


def proposal(*, zone_id: int, now: datetime) -> Proposal:
    """Work out what demand makes of the prices in force; writes nothing.

    Raises:
        Zone.DoesNotExist: no such zone.
    """
    zone = Zone.objects.get(pk=zone_id)
    rule = DemandRule.objects.filter(zone=zone).first()
    law = TariffVersion.objects.filter(
        zone=zone, state=TariffState.APPROVED, in_force__contains=now
    ).first()
    until = now.replace(second=0, microsecond=0)
    since = until - timedelta(days=rule.days if rule else 0)
    tariff = Tariff.parse(law.document) if law else None
    nothing = _nothing_to_work_with(rule, tariff)
    if rule is None or tariff is None or nothing:
        return Proposal(
            zone=zone,
            rule=rule,
            since=since,
            until=until,
            bands=(),
            refusals=(nothing,),
            document=None,
        )
    shares = occupancy.shares(zone_id=zone_id, tariff=tariff, since=since, until=until)
    unseen = Share(Decimal(0), Decimal(0))
    bands = tuple(
        _band(rule, band, shares.get(index, unseen), tariff.currency)
        for index, band in enumerate(tariff.bands)
    )
    return Proposal(
        zone=zone,
        rule=rule,
        since=since,
        until=until,
        bands=bands,
        refusals=tuple(_refusals(zone_id, bands, now)),
        document=_document(tariff, bands),
    )


def make_draft(*, zone_id: int, now: datetime) -> TariffVersion:
    """Write the proposal as a draft that holds from midnight in a week; two people decide on it.

    Raises:
        DemandRefused: with every reason.
    """
    with transaction.atomic():
        # Two who press at once shall not both find that there is no proposal yet.
        Zone.objects.select_for_update(no_key=True).only("pk").get(pk=zone_id)
        made = proposal(zone_id=zone_id, now=now)
        if made.refusals or made.document is None:
            raise DemandRefused(made.refusals)
        local = timezone.localtime(now) + timedelta(days=NOTICE_DAYS)
        start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return tariff_versions.draft(
            zone_id=zone_id,
            document=made.document,
            in_force=DateTimeTZRange(start, None),
            origin=TariffOrigin.DEMAND,
        )


def _nothing_to_work_with(rule: DemandRule | None, tariff: Tariff | None) -> str:
    if rule is None:
        return _("Demand pricing is off in this zone: it has no rule.")
    if tariff is None:
        return _("The zone has no tariff in force.")
    if tariff.ladder or not tariff.bands:
        return _(
            "The prices stand in a ladder, which has no price an hour that could follow demand."
        )
    return ""


def _refusals(zone_id: int, bands: tuple[BandProposal, ...], now: datetime) -> list[str]:
    """Say everything that stands in the way of a draft."""
    said = []
    rest = tariff_versions.rests_until(zone_id=zone_id, at=now)
    if rest is not None and now < rest:
        said.append(
            _("Prices changed too short a time ago: they may follow demand again from %(moment)s.")
            % {"moment": moment(rest)}
        )
    versions = TariffVersion.objects.filter(zone=zone_id)
    coming = versions.filter(state=TariffState.APPROVED, in_force__startswith__gt=now)
    said += [
        _("Version %(n)s is approved and holds from %(moment)s: wait for what it does.")
        % {"n": version.version, "moment": moment(version.in_force.lower)}
        for version in coming.order_by("in_force")
    ]
    waiting = versions.filter(origin=TariffOrigin.DEMAND).exclude(state=TariffState.APPROVED)
    said += [
        _("Version %(n)s is such a proposal and waits: it is %(state)s.")
        % {"n": version.version, "state": version.get_state_display()}
        for version in waiting.order_by("version")
    ]
    if not any(band.changes for band in bands):
        said.append(_("No price would change."))
    return said


def _band(rule: DemandRule, band: Band, share: Share, currency: str) -> BandProposal:
    move = _move(rule, share)
    old = [tier.per_hour for tier in band.tiers]
    new = [_moved(rule, price, move) for price in old]
    return BandProposal(
        hours=band_hours(band),
        share=share,
        prices=tuple(zip(old, new, strict=True)),
        after_min=(0, *(tier.upto_min or 0 for tier in band.tiers[:-1])),
        reason=_reason(rule, share, move, old, new, currency),
    )


def _move(rule: DemandRule, share: Share) -> int:
    """Return by how much prices move for such a share, before floor and ceiling."""
    if not share.open:
        return 0
    if share.taken * 100 >= rule.upper_pct * share.open:
        return rule.step_amount
    if share.taken * 100 < rule.lower_pct * share.open:
        return -rule.step_amount
    return 0


def _moved(rule: DemandRule, price: int, move: int) -> int:
    """Move a price, within floor and ceiling; one beyond them is not moved the other way."""
    if not price:
        return 0
    if move > 0:
        return max(price, min(price + move, rule.ceiling))
    if move < 0:
        return min(price, max(price + move, rule.floor))
    return price


def _reason(
    rule: DemandRule, share: Share, move: int, old: list[int], new: list[int], currency: str
) -> str:
    bp = share.basis_points
    if bp is None:
        return _("No time of it could be booked.")
    values = {
        "share": percent(bp - bp % 10),
        "upper": number(rule.upper_pct),
        "lower": number(rule.lower_pct),
        "floor": money(rule.floor, currency),
        "ceiling": money(rule.ceiling, currency),
    }
    if not any(old):
        return _("%(share)s %% was taken. It is free, and stays so.") % values
    if move > 0 and old == new:
        return _("%(share)s %% was taken. No price rises above %(ceiling)s.") % values
    if move > 0:
        return _("%(share)s %% was taken. From %(upper)s %% on, prices rise.") % values
    if move < 0 and old == new:
        return _("%(share)s %% was taken. No price falls below %(floor)s.") % values
    if move < 0:
        return _("%(share)s %% was taken. Below %(lower)s %%, prices fall.") % values
    return _("%(share)s %% was taken. Between %(lower)s and %(upper)s %%, prices stay.") % values


def _document(tariff: Tariff, bands: tuple[BandProposal, ...]) -> dict[str, Any]:
    document = tariff.document  # a fresh copy
    for band, made in zip(document["bands"], bands, strict=True):
        for tier, (_old, new) in zip(band["tiers"], made.prices, strict=True):
            tier["per_hour"] = new
    return document
