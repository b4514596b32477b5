"""What a zone costs and how long one may stay, where its rows do not agree: the most common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.formatting import number
from parking.imports.hours import Policy
from parking.imports.mapping import ImportMapping, TariffRules
from parking.imports.wishes import WantedZone
from parking.models import StayRules
from parking.pricing import Tariff, TariffError


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is chosen for one zone. `tariff` None: the zone gets no price.

    `notes`: row or None, and what somebody should look at.
    """

    tariff: Tariff | None
    document: dict[str, Any]
    stay: dict[str, Any]
    notes: tuple[tuple[int | None, str], ...]


def choose(zone: WantedZone, mapping: ImportMapping) -> Terms:
    """Choose what most rows say and the price engine takes; note all that say something else."""
    notes: list[tuple[int | None, str]] = []
    tariff: Tariff | None = None
    document: dict[str, Any] = {}
    policy: Policy | None = None
    if mapping.tariff is not None and _in_our_currency(mapping.tariff):
        tariff, document, policy = _tariff(zone, mapping.tariff, notes)
    elif zone.policies:
        policy = zone.by_votes()[0]
    if policy is not None:
        notes.extend(_others(zone, policy))
    stay = _stay(zone, policy, mapping, notes)
    return Terms(tariff=tariff, document=document, stay=stay, notes=tuple(notes))


def wrong_currency(mapping: ImportMapping) -> str:
    """Say that the mapping's prices are not in the city's currency; nothing where they are."""
    if mapping.tariff is None or _in_our_currency(mapping.tariff):
        return ""
    return _(
        "no tariff was made: the mapping's prices are in %(theirs)s, the city's in %(ours)s"
    ) % {
        "theirs": mapping.tariff.currency,
        "ours": settings.CITY_CURRENCY,
    }


def _in_our_currency(rules: TariffRules) -> bool:
    return rules.currency in {"", settings.CITY_CURRENCY}


def _tariff(
    zone: WantedZone, rules: TariffRules, notes: list[tuple[int | None, str]]
) -> tuple[Tariff | None, dict[str, Any], Policy | None]:
    policies: list[Policy | None] = [*zone.by_votes()] if rules.hours is not None else [None]
    for policy in policies:
        document = document_of(policy, rules)
        try:
            return Tariff.parse(document), document, policy
        except TariffError as error:
            row = None if policy is None else zone.first_rows[policy]
            words = "" if policy is None else policy.in_words(settings.CITY_CURRENCY)
            text = _("“%(policy)s” is no tariff: %(why)s")
            notes.append((row, text % {"policy": words, "why": error}))
    notes.append(
        (
            None,
            _("has no tariff and is not on sale: no row says its hours so that they can be read"),
        )
    )
    return None, {}, None


def document_of(policy: Policy | None, rules: TariffRules) -> dict[str, Any]:
    """Return a tariff document: the mapping's own, with the bands of the policy."""
    document = {
        "currency": settings.CITY_CURRENCY,
        "time_zone": settings.CITY_TIME_ZONE,
        **rules.document,
    }
    if policy is not None:
        document["bands"] = [band.as_json() for band in policy.bands]
    return document


def _others(zone: WantedZone, chosen: Policy) -> Iterator[tuple[int, str]]:
    for policy in sorted(zone.policies, key=zone.first_rows.__getitem__):
        if policy == chosen:
            continue
        rows = zone.policies[policy]
        text = ngettext(
            "%(n)s row says “%(other)s”; taken is the most common, “%(chosen)s” (%(most)s)",
            "%(n)s rows say “%(other)s”; taken is the most common, “%(chosen)s” (%(most)s)",
            rows,
        )
        yield (
            zone.first_rows[policy],
            text
            % {
                "n": number(rows),
                "other": policy.in_words(settings.CITY_CURRENCY),
                "chosen": chosen.in_words(settings.CITY_CURRENCY),
                "most": number(zone.policies[chosen]),
            },
        )


def _stay(
    zone: WantedZone,
    policy: Policy | None,
    mapping: ImportMapping,
    notes: list[tuple[int | None, str]],
) -> dict[str, Any]:
    stay = dict(mapping.stay_rules.constants)
    if zone.stays:
        stay["longest_stay_min"] = zone.stays.most_common(1)[0][0]
        if len(zone.stays) > 1:
            said = ", ".join(f"{minutes} min ×{n}" for minutes, n in zone.stays.most_common())
            notes.append(
                (None, _("its rows differ on the longest stay: %(said)s") % {"said": said})
            )
    elif policy is not None and policy.longest_min is not None:
        stay["longest_stay_min"] = policy.longest_min
    usual = StayRules()
    longest = stay.get("longest_stay_min", usual.longest_stay_min)
    if longest < stay.get("shortest_stay_min", usual.shortest_stay_min):
        stay["shortest_stay_min"] = longest
        text = _("its longest stay is %(longest)d min, and so its shortest is no longer")
        notes.append((None, text % {"longest": longest}))
    return stay
