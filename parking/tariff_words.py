"""Say a tariff and a zone's stay rules in words, as printed on a sign. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking import stay_words
from parking.formatting import clock, day, duration, listed, money, number
from parking.models import StayRules
from parking.price_words import class_words, percent
from parking.pricing import Tariff
from parking.pricing.parts import Band, Tier

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class BandRow:
    """Hours with a price: on which days, from when to when, how much."""

    days: str
    hours: str
    prices: list[str]


def bands(tariff: Tariff) -> list[BandRow]:
    """Return a row for each band; with a ladder, bands only say when there is a charge."""
    return [
        BandRow(
            days=days_words(band.days),
            hours=f"{_clock(band.begin)}–{_clock(band.end)}",
            prices=[] if tariff.ladder else rate_words(band.tiers, tariff.currency),
        )
        for band in sorted(tariff.bands, key=lambda band: (min(band.days), band.begin))
    ]


def band_hours(band: Band) -> str:
    """Name a band by its days and hours, such as "Mon–Fri 09:00–21:00"."""
    return f"{days_words(band.days)} {_clock(band.begin)}–{_clock(band.end)}"


def ladder(tariff: Tariff) -> list[tuple[str, str]]:
    """Return (up to how long, what it costs in all) for each step."""
    return [(duration(step.upto_min), money(step.total, tariff.currency)) for step in tariff.ladder]


def notes(tariff: Tariff) -> list[str]:
    """Return everything else that moves the price, a sentence each."""
    said = [*_free(tariff), *_flats(tariff), *_bounds(tariff), *_classes(tariff), *_tax(tariff)]
    if tariff.increment.minutes > 1:
        said.append(
            _("Time is sold in steps of %(length)s.")
            % {"length": duration(tariff.increment.minutes)}
        )
    if tariff.rounding.unit > 1:
        said.append(
            _("Prices are rounded to %(unit)s.")
            % {"unit": money(tariff.rounding.unit, tariff.currency)}
        )
    if tariff.holiday_behaves_like is not None and tariff.holidays:
        said.append(
            _("Public holidays are priced like a %(weekday)s.")
            % {"weekday": WEEKDAYS[tariff.holiday_behaves_like]}
        )
    return said


def holidays(tariff: Tariff, *, since: date) -> list[str]:
    """Return the public holidays from a day on, at most a year of them."""
    days = sorted(_EPOCH + timedelta(days=number) for number in tariff.holidays)
    return [day(one) for one in days if since <= one < since + timedelta(days=365)]


def stay(rules: StayRules) -> list[str]:
    """Return how a spot of the zone may be booked, a sentence each."""
    said = [
        _("Stays last from %(shortest)s to %(longest)s.")
        % {
            "shortest": duration(rules.shortest_stay_min),
            "longest": duration(rules.longest_stay_min),
        },
        _("Starts and ends lie on steps of %(step)s.") % {"step": duration(rules.slot_step_min)},
        ngettext(
            "You can book %(days)s day ahead.",
            "You can book %(days)s days ahead.",
            rules.book_ahead_days,
        )
        % {"days": number(rules.book_ahead_days)},
    ]
    if rules.bookable_from is not None and rules.bookable_to is not None:
        said.append(
            _("Bookable from %(opens)s to %(closes)s.")
            % {"opens": clock(rules.bookable_from), "closes": clock(rules.bookable_to)}
        )
    said.extend(_shared_fairly(rules))
    said.append(corrections(rules))
    return [*said, *refunds(rules)]


def refunds(rules: StayRules) -> list[str]:
    """Return what comes back to whoever cancels or ends early, a sentence each."""
    return [
        _("Whoever cancels within %(length)s of paying, or before the start, gets all of it back.")
        % {"length": duration(rules.grace_min)},
        _("Later, unused time is refunded to the minute.")
        if rules.refund_unused
        else _("Later, unused time is not refunded."),
    ]


def corrections(rules: StayRules) -> str:
    """Say how often a person may change bookings here."""
    if not rules.corrections:
        return _("A booking stays as it is: plate, spot and time cannot be changed.")
    text = ngettext(
        "Plate, spot and time of bookings can be changed %(n)s time in 30 days.",
        "Plate, spot and time of bookings can be changed %(n)s times in 30 days.",
        rules.corrections,
    )
    return text % {"n": number(rules.corrections)}


def unless_parked(rules: StayRules, deadline: datetime) -> str:
    """Say until when a spot waits for a stay, and what becomes of its price after that."""
    values = {"time": clock(deadline)}
    if rules.refund_unused:
        return (
            _(
                "If nobody has parked by %(time)s, the spot is given to others; unused time is "
                "refunded."
            )
            % values
        )
    return (
        _(
            "If nobody has parked by %(time)s, the spot is given to others; unused time is not "
            "refunded."
        )
        % values
    )


def limits(rules: StayRules) -> list[tuple[str, str]]:
    """Return (name, in short) of each rule that not every zone has, as beside a spot."""
    said = []
    if rules.lead_time_min:
        length = {"length": duration(rules.lead_time_min)}
        said.append((_("Book ahead"), _("at least %(length)s") % length))
    if rules.no_return_min:
        length = {"length": duration(rules.no_return_min)}
        said.append((_("Coming back"), _("after %(length)s") % length))
    if rules.most_stays_ahead is not None:
        said.append((_("Stays per vehicle"), number(rules.most_stays_ahead)))
    if rules.buffer_min:
        said.append((_("Free between bookings"), duration(rules.buffer_min)))
    if rules.reservable_percent is not None:
        share = {"percent": number(rules.reservable_percent)}
        said.append((_("To be reserved in advance"), _("%(percent)s %% of the street") % share))
    return said


def _shared_fairly(rules: StayRules) -> list[str]:
    said = []
    if rules.lead_time_min:
        said.append(
            _("Book at least %(length)s before you come.")
            % {"length": duration(rules.lead_time_min)}
        )
    if rules.no_return_min:
        said.append(
            _("Between two stays, a vehicle leaves this zone for at least %(length)s.")
            % {"length": duration(rules.no_return_min)}
        )
    if rules.most_stays_ahead is not None:
        said.append(stay_words.too_many(rules.most_stays_ahead))
    if rules.buffer_min:
        said.append(
            _("Between two bookings, a spot stays free for %(length)s.")
            % {"length": duration(rules.buffer_min)}
        )
    if rules.reservable_percent is not None:
        said.append(
            _(
                "At most %(percent)s %% of a street can be reserved in advance; the rest is for "
                "those who start within %(length)s of booking."
            )
            % {
                "percent": number(rules.reservable_percent),
                "length": duration(rules.walk_up_min),
            }
        )
    if rules.release_after_min is not None:
        said.append(
            _(
                "Where a spot's sensor has seen nobody %(length)s after the start, the spot is "
                "given to others."
            )
            % {"length": duration(rules.release_after_min)}
        )
    return said


def _free(tariff: Tariff) -> list[str]:
    said = []
    if tariff.free_first_min:
        said.append(
            _("The first %(length)s cost nothing.") % {"length": duration(tariff.free_first_min)}
        )
    if tariff.free_if_leq_min:
        said.append(
            _("Stays of up to %(length)s cost nothing.")
            % {"length": duration(tariff.free_if_leq_min)}
        )
    return said


def _flats(tariff: Tariff) -> list[str]:
    said = []
    for flat in tariff.window_flats:
        values = {
            "hours": f"{_clock(flat.begin)}–{_clock(flat.end)}",
            "amount": money(flat.amount, tariff.currency),
        }
        if flat.applies_if == "covers_whole":
            said.append(_("Staying for all of %(hours)s costs %(amount)s in one.") % values)
        else:
            said.append(_("Any stay within %(hours)s costs %(amount)s in one.") % values)
    return said


def _bounds(tariff: Tariff) -> list[str]:
    bounds = (
        (tariff.cap_per_local_day, _("No day costs more than %(amount)s.")),
        (tariff.max_charge, _("No stay costs more than %(amount)s.")),
        (tariff.min_charge, _("No stay with a charge costs less than %(amount)s.")),
        (tariff.fixed_fee, _("Each stay with a charge bears a fee of %(amount)s.")),
    )
    return [text % {"amount": money(amount, tariff.currency)} for amount, text in bounds if amount]


def _classes(tariff: Tariff) -> list[str]:
    said = []
    for name, share in sorted(tariff.vehicle_classes.items()):
        values = {"vehicle": class_words(name).capitalize(), "percent": number(share)}
        if share == 0:
            said.append(_("%(vehicle)s: no charge.") % values)
        else:
            said.append(_("%(vehicle)s: %(percent)s %% of the price.") % values)
    return said


def _tax(tariff: Tariff) -> list[str]:
    if not tariff.tax.rate_bp:
        return []
    rate = {"percent": percent(tariff.tax.rate_bp)}
    if tariff.tax.included:
        return [_("Prices include %(percent)s %% tax.") % rate]
    return [_("%(percent)s %% tax comes on top.") % rate]


def rate_words(tiers: tuple[Tier, ...], currency: str) -> list[str]:
    """Say rates per hour; after the first, from which length of stay on they hold."""
    said, since = [], 0
    for tier in tiers:
        rate = money(tier.per_hour, currency)
        if not since:
            said.append(_("%(rate)s an hour") % {"rate": rate})
        else:
            said.append(
                _("after %(length)s: %(rate)s an hour") % {"length": duration(since), "rate": rate}
            )
        since = tier.upto_min or since
    return said


def days_words(days: frozenset[int]) -> str:
    """Name runs of weekdays: "Mon–Fri", "Sat, Sun", "every day"."""
    if len(days) == len(WEEKDAYS):
        return _("every day")
    ordered = sorted(days)
    runs: list[list[int]] = []
    for one in ordered:
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    names = []
    for run in runs:
        first, last = str(WEEKDAYS_ABBR[run[0]]), str(WEEKDAYS_ABBR[run[-1]])
        if len(run) > 2:
            names.append(f"{first}–{last}")
        else:
            names.extend([first] if first == last else [first, last])
    return listed(names)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
