"""Can everything that a tariff sells be paid? In words, for those who propose and approve it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _

from parking import terms
from parking.formatting import duration, moment, money
from parking.models import StayRules, TariffVersion
from parking.price_words import class_words
from parking.pricing import Tariff
from parking.smallest_charge import Answer, Finding, smallest_charge
from parking.stay_rules import Rules
from parking.tariff_words import band_hours


@dataclass(frozen=True)
class Verdict:
    """What cannot be paid, a sentence each; and which stays were not looked at, or nothing."""

    wrong: list[str]
    left_out: str


def verdict(*, version: TariffVersion, since: datetime) -> Verdict:
    """Compare every stay and extension with the least that the processor charges.

    `since` is the moment from which the version would hold. The minimum is a setting.
    """
    row = StayRules.objects.filter(zone=version.zone_id).first()
    if row is None:  # nothing can be booked
        return Verdict([], "")
    rules = terms.rules_of_zone(row)
    minimum = settings.PROCESSOR_MINIMUM_CHARGE
    tariff = Tariff.parse(version.document)
    answer = _answer(tariff, rules, minimum, since)
    left_out = ""
    if answer.upto_min < answer.longest_min:
        left_out = _("Stays of up to %(length)s were compared with the processor's minimum.") % {
            "length": duration(answer.upto_min)
        }
    wrong = [_sentence(tariff, finding) for finding in answer.findings]
    if wrong:
        wrong.append(
            _(
                "The processor takes at least %(minimum)s. Make the shortest stay or the step"
                " longer, raise the price (min_charge), or round to %(minimum)s (rounding)."
            )
            % {"minimum": money(minimum)}
        )
    return Verdict(wrong, left_out)


@lru_cache(maxsize=64)
def _answer(tariff: Tariff, rules: Rules, minimum: int, since: datetime) -> Answer:
    """Remember answers: who approves asks what was asked at the proposal, zones are often alike."""
    return smallest_charge(tariff=tariff, rules=rules, minimum=minimum, since=since)


def _sentence(tariff: Tariff, finding: Finding) -> str:
    band = None if finding.band is None else tariff.bands[finding.band]
    values = {
        "hours": band_hours(band) if band else _("every day"),
        "start": moment(finding.start),
        "length": duration(finding.minutes),
        "longer": duration(finding.longer_min or 0),
        "amount": money(finding.amount, tariff.currency),
    }
    if finding.longer_min is None:
        said = _("%(hours)s: %(length)s cost %(amount)s (%(start)s).") % values
    else:
        said = (
            _("%(hours)s: extending %(length)s to %(longer)s costs %(amount)s (%(start)s).")
            % values
        )
    if finding.vehicle_class is None:
        return said
    return _("%(vehicle)s: %(said)s") % {
        "vehicle": class_words(finding.vehicle_class).capitalize(),
        "said": said,
    }
