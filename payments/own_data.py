"""What the site keeps about a person, to be read and taken along: all of it, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from parking import history
from parking.models import Booking, BookingEvent, Vehicle
from payments.models import LedgerEntry, Payment


@dataclass(frozen=True)
class OwnData:
    """An account with all that hangs on it, or what a guest booked."""

    user: User | None
    vehicles: list[Vehicle]
    bookings: QuerySet[Booking]

    @property
    def addresses(self) -> list[str]:
        """The addresses that are written to."""
        return addresses_of(self.user) if self.user else []


def of_account(user: User) -> OwnData:
    """Return what is kept about an account, and what was booked as a guest by its address."""
    return OwnData(user, list(Vehicle.objects.filter(owner=user)), bookings_of(user))


def of_address(email: str) -> OwnData:
    """Return what was booked without an account by an address, for who has proven it."""
    return OwnData(None, [], Booking.objects.filter(user=None, email__iexact=email))


def of_booking(about: Booking) -> OwnData:
    """Return what is kept about one booking, for who holds its link."""
    return OwnData(None, [], Booking.objects.filter(pk=about.pk))


def bookings_of(user: User) -> QuerySet[Booking]:
    """Return the person's bookings: of the account, and as a guest by an address proven theirs."""
    proven = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    as_guest = [Q(user=None, email__iexact=address) for address in proven if address]
    return Booking.objects.filter(reduce(or_, as_guest, Q(user=user)))


def addresses_of(user: User) -> list[str]:
    """Return all e-mail addresses that an account names."""
    known = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return sorted({address for address in (user.email, *known) if address})


def read(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    """Return the bookings with all that a person may want to know, in a fixed number of queries."""
    events = BookingEvent.objects.select_related("slot__spot").order_by("id")
    entries = LedgerEntry.objects.select_related("document").order_by("id")
    return (
        bookings.select_related("spot__zone")
        .prefetch_related(
            "slots__spot",
            "mails",
            "spot_reports",
            Prefetch("events", queryset=events),
            Prefetch("slots__payments", queryset=Payment.objects.order_by("created_at")),
            "slots__payments__refunds",
            "slots__payments__disputes",
            Prefetch("slots__payments__entries", queryset=entries),
        )
        .order_by("-created_at", "-id")
    )


def as_json(data: OwnData, *, now: datetime) -> dict[str, Any]:
    """Write everything as one document; amounts in minor units, moments in local time."""
    user = data.user
    return {
        "city": settings.CITY_NAME,
        "written_at": _at(now),
        "account": user
        and {
            "email": user.email,
            "email_addresses": data.addresses,
            "name": user.get_full_name(),
            "username": user.username,
            "made_at": _at(user.date_joined),
            "signed_in_at": _at(user.last_login),
        },
        "vehicles": [
            {
                "plate": vehicle.plate,
                "country": vehicle.country,
                "name": vehicle.name,
                "vehicle_class": vehicle.vehicle_class,
                "added_at": _at(vehicle.created_at),
            }
            for vehicle in data.vehicles
        ],
        "bookings": [_booking(about) for about in read(data.bookings)],
    }


def _booking(about: Booking) -> dict[str, Any]:
    slots = sorted(about.slots.all(), key=lambda slot: slot.pk)
    payments = [payment for slot in slots for payment in slot.payments.all()]
    return {
        "reference": about.reference,
        "made_at": _at(about.created_at),
        "email": about.email,
        "plate": about.plate,
        "vehicle_class": about.vehicle_class,
        "language": about.language,
        "zone": about.spot.zone.name,
        "stays": [
            {
                "spot": slot.spot.number,
                "street": slot.spot.street,
                "from": _at(slot.start),
                "to": _at(slot.end),
                "state": slot.state,
                "price": slot.amount,
                "currency": slot.currency,
            }
            for slot in slots
        ],
        "history": [
            {"at": _at(step.at), "what": step.what, "who": step.who, "why": step.why}
            for step in history.told(about, about.events.all())
        ],
        "payments": [_payment(payment) for payment in payments],
        "letters": [
            {"about": letter.kind, "due_at": _at(letter.created_at), "sent_at": _at(letter.sent_at)}
            for letter in about.mails.all()
        ],
        "spot_reports": [
            {"reported_at": _at(report.reported_at), "outcome": report.outcome}
            for report in about.spot_reports.all()
        ],
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "made_at": _at(payment.created_at),
        "paid_at": _at(payment.paid_at),
        "state": payment.state,
        "amount": payment.amount,
        "currency": payment.currency,
        "card": f"{payment.card_brand} {payment.card_last4}".strip(),
        "processor_reference": payment.intent_id,
        "documents": documents_of(payment),
        "refunds": [
            {
                "asked_at": _at(refund.created_at),
                "settled_at": _at(refund.settled_at),
                "state": refund.state,
                "amount": refund.amount,
                "why": refund.reason,
            }
            for refund in payment.refunds.all()
        ],
        "disputes": [
            {"opened_at": _at(one.opened_at), "state": one.state, "amount": one.amount}
            for one in payment.disputes.all()
        ],
    }


def documents_of(payment: Payment) -> list[str]:
    """Return the numbers of the receipts and credit notes of a payment whose entries were read."""
    entries: Iterable[LedgerEntry] = payment.entries.all()
    return [str(entry.document) for entry in entries if hasattr(entry, "document")]


def _at(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat() if moment else None
