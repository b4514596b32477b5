"""Say in the reader's language which rule of a zone a stay would break."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.formatting import number


def starts_on_steps(step: int) -> str:
    """Say on which minutes a stay can start."""
    text = ngettext(
        "Starts lie on steps of %(step)s minute.", "Starts lie on steps of %(step)s minutes.", step
    )
    return text % {"step": number(step)}


def ends_on_steps(step: int) -> str:
    """Say on which minutes a stay can end."""
    text = ngettext(
        "Ends lie on steps of %(step)s minute.", "Ends lie on steps of %(step)s minutes.", step
    )
    return text % {"step": number(step)}


def too_soon(minutes: int, first: str) -> str:
    """Say how long before its start a stay must be booked, and the first start."""
    text = ngettext(
        "Book at least %(minutes)s minute ahead: the first start is %(time)s.",
        "Book at least %(minutes)s minutes ahead: the first start is %(time)s.",
        minutes,
    )
    return text % {"minutes": number(minutes), "time": first}


def too_far_ahead(days: int) -> str:
    """Say how far ahead the zone can be booked."""
    text = ngettext(
        "This zone can be booked %(days)s day ahead.",
        "This zone can be booked %(days)s days ahead.",
        days,
    )
    return text % {"days": number(days)}


def too_short(minutes: int) -> str:
    """Say how long a stay must be."""
    text = ngettext(
        "The shortest stay here is %(minutes)s minute.",
        "The shortest stay here is %(minutes)s minutes.",
        minutes,
    )
    return text % {"minutes": number(minutes)}


def too_long(minutes: int) -> str:
    """Say how long a stay can be."""
    text = ngettext(
        "The longest stay here is %(minutes)s minute.",
        "The longest stay here is %(minutes)s minutes.",
        minutes,
    )
    return text % {"minutes": number(minutes)}


def too_long_for_event(event: str, minutes: int) -> str:
    """Say how long a stay can be while an event is on."""
    text = ngettext(
        "%(event)s: no stay is longer than %(minutes)s minute then.",
        "%(event)s: no stay is longer than %(minutes)s minutes then.",
        minutes,
    )
    return text % {"event": event, "minutes": number(minutes)}


def too_near_the_next(minutes: int, next_start: str) -> str:
    """Say when the vehicle's next stay begins, and how long it must be away before."""
    text = ngettext(
        "This vehicle has its next stay in this zone at %(time)s, and %(minutes)s minute must "
        "lie between.",
        "This vehicle has its next stay in this zone at %(time)s, and %(minutes)s minutes must "
        "lie between.",
        minutes,
    )
    return text % {"time": next_start, "minutes": number(minutes)}


def too_many(most: int) -> str:
    """Say how many stays a vehicle may have ahead."""
    text = ngettext(
        "A vehicle may have %(n)s stay running or to come in this zone.",
        "A vehicle may have %(n)s stays running or to come in this zone.",
        most,
    )
    return text % {"n": number(most)}


def share_is_taken(percent: int, minutes: int) -> str:
    """Say that no more of a street can be reserved, and what can still be had."""
    taken = _(
        "Only %(percent)s %% of this street can be reserved in advance, and that is taken then."
    )
    instead = ngettext(
        "Choose a start within %(minutes)s minute from now, or another street.",
        "Choose a start within %(minutes)s minutes from now, or another street.",
        minutes,
    )
    return f"{taken % {'percent': number(percent)}} {instead % {'minutes': number(minutes)}}"
