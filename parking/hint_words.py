"""Say what is worth knowing beside a quote, a sentence each, in the reader's language."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from parking.formatting import clock, day, duration, money
from parking.numerals import shown
from parking.pricing import Quote, Tariff


def same_until(price: Quote, end: datetime) -> str:
    """Say how long the stay could last for the same money."""
    values = {"time": _moment(price, end)}
    if not price.total:
        return _("Until %(time)s it costs nothing either.") % values
    return _("Until %(time)s it costs the same.") % values


def shorter(price: Quote, end: datetime, saving: int) -> str:
    """Say how much a stay that is a little shorter saves."""
    return _("%(length)s shorter costs %(amount)s less.") % {
        "length": duration((price.end - end) // timedelta(minutes=1)),
        "amount": money(saving, price.currency),
    }


def free_from(price: Quote, moment: datetime) -> str:
    """Say from when on there is no charge."""
    return _("From %(time)s there is no charge.") % {"time": _moment(price, moment)}


def stay_until(price: Quote, end: datetime) -> str:
    """Invite to choose another end."""
    return _("Stay until %(time)s") % {"time": _moment(price, end)}


def promises(tariff: Tariff, price: Quote) -> list[str]:
    """Return what the tariff gives that the lines of the quote do not show.

    Free minutes that this stay is too long for, or has none to use of; and a highest price, as
    soon as half of it is reached.
    """
    shown = {line.data.get("reason") for line in price.lines if line.kind == "free"}
    kinds = {line.kind for line in price.lines}
    said = []
    for reason, minutes, text in (
        ("free_first", tariff.free_first_min, _first(tariff)),
        ("free_if_leq", tariff.free_if_leq_min, _("Stays of up to %(length)s cost nothing.")),
    ):
        if minutes and price.total and reason not in shown:
            said.append(text % {"length": duration(minutes)})
    for kind, limit, text in (
        ("cap", tariff.cap_per_local_day, _("You pay at most %(amount)s a day here.")),
        ("max", tariff.max_charge, _("You pay at most %(amount)s for a stay here.")),
    ):
        if limit and kind not in kinds and price.total * 2 >= limit:
            said.append(text % {"amount": money(limit, price.currency)})
    return said


def _first(tariff: Tariff) -> str:
    """Under a ladder, only a stay that is no longer is free."""
    if tariff.ladder:
        return _("Stays of up to %(length)s cost nothing.")
    return _("The first %(length)s with a charge cost nothing.")


def _moment(price: Quote, moment: datetime) -> str:
    """Write the time at the spot, with its day where that is not the day of the start.

    Midnight at the end of the day of the start is 24:00.
    """
    zone = ZoneInfo(price.time_zone)
    local, began = moment.astimezone(zone), price.start.astimezone(zone)
    time_said = clock(local.time())
    if local.date() == began.date():
        return time_said
    if local.time() == time() and local.date() - began.date() == timedelta(days=1):
        return shown("24:00")
    return _("%(day)s, %(time)s") % {"day": day(local.date()), "time": time_said}
