"""Forgetting a person who asks: account, vehicles, addresses and plates, at once or not at all.

What the law wants kept stays, without the person: stays, payments, receipts, the books. It is
refused while a booking runs or is to come, while money is on its way or a case is open, and to
those who work for the city: their names stand under decisions.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet
from django.utils.translation import gettext as _

from parking import formatting, refusals
from parking.models import Booking, Forgetting, ForgettingReason, IdempotentAnswer, Slot, Vehicle
from parking.models.booking import new_access_key
from payments import open_cases, own_data
from payments.models import Mail

_NAMED = 5  # bookings that a refusal names


class Refused(Exception):
    """Not now; `reasons` say why, in words."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def why_not(*, bookings: QuerySet[Booking], user: User | None, now: datetime) -> list[str]:
    """Say what keeps these bookings, and the account, from being forgotten now."""
    reasons = [_of_the_city()] if user is not None and user.is_staff else []
    goes_on = Slot.objects.live().filter(booking=OuterRef("pk"), period__endswith__gt=now)
    if running := _names(bookings.filter(Exists(goes_on))):
        reasons.append(
            _("A booking runs or is still to come: %(references)s. End it or cancel it first.")
            % {"references": running}
        )
    if in_work := _names(open_cases.among(bookings)):
        reasons.append(
            _("Money is on its way, or a case is open, for %(references)s. Try again later.")
            % {"references": in_work}
        )
    return reasons


def erase_account(*, user: User, now: datetime) -> None:
    """Forget an account and all bookings of its owner, in one transaction.

    Raises:
        Refused, parking.refusals.Busy: nothing is changed.
    """
    with refusals.contended(), transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        found = own_data.bookings_of(user)
        addresses = own_data.addresses_of(user)
        plates = [*_plates_of(found), *_plates_of(Vehicle.objects.filter(owner=user))]
        told = _forget_bookings(found, user=user, now=now)
        _forget_traces(addresses, plates, now, user=user)
        told.vehicles = Vehicle.objects.filter(owner=user).count()
        IdempotentAnswer.objects.filter(caller=f"user:{user.pk}").delete()
        kind = ContentType.objects.get_for_model(User)
        LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).update(object_repr="")
        try:
            user.delete()
        except ProtectedError as error:  # its name stands under decisions, of other days
            raise Refused([_of_the_city()]) from error
        told.save()


def erase_booking(*, about: Booking, now: datetime) -> None:
    """Forget who made one booking, for a guest. Raises as `erase_account`."""
    with refusals.contended(), transaction.atomic():
        _forget_bookings(Booking.objects.filter(pk=about.pk), user=None, now=now).save()


def erase_address(*, email: str, now: datetime) -> None:
    """Forget who booked as a guest by an address, for who has proven it. Raises likewise."""
    with refusals.contended(), transaction.atomic():
        told = _forget_bookings(own_data.of_address(email).bookings, user=None, now=now)
        _forget_traces([email], [], now)
        told.save()


def _forget_bookings(found: QuerySet[Booking], *, user: User | None, now: datetime) -> Forgetting:
    """Take the person out of the bookings; return the line of the log, not yet written."""
    ids = list(found.select_for_update(of=("self",)).values_list("pk", flat=True))
    bookings = Booking.objects.filter(pk__in=ids)
    if reasons := why_not(bookings=bookings, user=user, now=now):
        raise Refused(reasons)
    rows = list(bookings)
    told = Forgetting(
        at=now,
        reason=ForgettingReason.ASKED,
        plates=sum(bool(row.plate) for row in rows),
        addresses=sum(bool(row.email) for row in rows),
    )
    for row in rows:
        row.user, row.email, row.plate = None, "", ""
        row.access_key = new_access_key()  # links in old letters open nothing any more
    Booking.objects.bulk_update(rows, ["user", "email", "plate", "access_key"], batch_size=500)
    references = [row.reference for row in rows]
    IdempotentAnswer.objects.filter(body__reference__in=references).delete()
    return told


def _forget_traces(
    addresses: Collection[str], plates: Collection[str], now: datetime, *, user: User | None = None
) -> None:
    """Take the person out of the outbox, and end every session that knows of them.

    That is their own, one with what they had typed, or an operator's that looked for them.
    """
    for address in addresses:
        Mail.objects.filter(message__to__iexact=address).delete()
    known = {json.dumps(trace).casefold() for trace in (*addresses, *plates) if trace}
    for session in Session.objects.filter(expire_date__gt=now).iterator():
        said = session.get_decoded()
        is_own = user is not None and said.get(SESSION_KEY) == str(user.pk)
        text = json.dumps(said).casefold()
        if is_own or any(trace in text for trace in known):
            session.delete()


def _plates_of(rows: QuerySet[Any]) -> list[str]:
    return list(rows.values_list("plate", flat=True))


def _of_the_city() -> str:
    return _("You work for the city with this account. Ask the parking office to close it.")


def _names(bookings: QuerySet[Booking]) -> str:
    some = bookings.order_by("-created_at").values_list("reference", flat=True)[: _NAMED + 1]
    names = list(some)
    return formatting.listed([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])
