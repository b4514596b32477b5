"""Letters to citizens: owed in the transaction that causes them, sent by a task.

The text is made when it is sent, in the booking's language. A worker that dies between sending
and noting it sends again, with the same Message-ID, so that it is still one letter.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from parking import booking, formatting, languages, no_show, stays
from parking.models import Booking, LateLight, Slot, SlotState, StayRules
from payments import reminders
from payments.models import Mail, MailKind

logger = logging.getLogger(__name__)

_LEASE = timedelta(minutes=5)
_GIVE_UP_AFTER = timedelta(days=2)
_LOOK_BACK = timedelta(hours=1)


def owe(*, kind: MailKind, slot: Slot, now: datetime, amount: int | None = None) -> None:
    """Owe the maker of a booking a letter about a slot, once, in the caller's transaction."""
    Mail.objects.get_or_create(
        key=f"{kind}:{slot.pk}",
        defaults={
            "kind": kind,
            "booking_id": slot.booking_id,
            "amount": amount,
            "created_at": now,
            "next_try_at": now,
        },
    )


def owe_warning(*, slot: Slot, not_after: datetime, now: datetime) -> None:
    """Owe the letter that nobody has parked yet, once for a stay; worth nothing at `not_after`."""
    Mail.objects.get_or_create(
        key=f"{MailKind.NOBODY_YET}:{slot.pk}",
        defaults={
            "kind": MailKind.NOBODY_YET,
            "booking_id": slot.booking_id,
            "slot": slot,
            "not_after": not_after,
            "created_at": now,
            "next_try_at": now,
        },
    )


def choice_key(late_light_id: int) -> str:
    """Return the key of the letter about a late light."""
    return f"{MailKind.UNLIT}:{late_light_id}"


def owe_choice(*, late: LateLight, slot: Slot, now: datetime) -> None:
    """Owe the letter that the light is dark and what can be chosen, once for each spot."""
    Mail.objects.get_or_create(
        key=choice_key(late.pk),
        defaults={
            "kind": MailKind.UNLIT,
            "booking_id": slot.booking_id,
            "slot": slot,
            "not_after": late.offered_until,
            "created_at": now,
            "next_try_at": now,
        },
    )


def owe_for_free_stays(*, now: datetime) -> None:
    """Owe the letter of those bookings that were confirmed without a payment."""
    free = Slot.objects.filter(
        state=SlotState.CONFIRMED, amount=0, confirmed_at__gt=now - _LOOK_BACK
    ).exclude(Exists(Mail.objects.filter(booking=OuterRef("booking"), kind=MailKind.CONFIRMED)))
    for slot in free:
        owe(kind=MailKind.CONFIRMED, slot=slot, now=now)


def due(*, now: datetime, limit: int = 50) -> list[int]:
    """Return the ids of letters that are to be sent now, oldest first."""
    return list(
        Mail.objects.filter(sent_at=None, given_up_at=None, next_try_at__lte=now)
        .order_by("next_try_at")
        .values_list("id", flat=True)[:limit]
    )


def send(*, mail_id: int, now: datetime) -> bool:
    """Send one letter, unless another worker is at it; return whether it left.

    1. Claim it for five minutes. 2. Send it, outside any transaction. 3. Note that it left, or
    when to try again.
    """
    with transaction.atomic():
        letter = (
            Mail.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("booking__spot__zone", "booking__user")
            .filter(id=mail_id, sent_at=None, given_up_at=None, next_try_at__lte=now)
            .first()
        )
        if letter is None:
            return False
        if reminders.is_moot(letter, now):
            letter.given_up_at = now
            letter.save(update_fields=["given_up_at"])
            return False
        letter.tries += 1
        letter.next_try_at = now + _LEASE * letter.tries
        letter.save(update_fields=["tries", "next_try_at"])
    try:
        _message(letter, now).send()
    except (OSError, SMTPException) as error:
        logger.warning("letter %s is not sent yet: %s", letter.key, type(error).__name__)
        if now - letter.created_at > _GIVE_UP_AFTER:
            Mail.objects.filter(id=mail_id).update(given_up_at=now)
            logger.error("letter %s is given up", letter.key)
        return False
    Mail.objects.filter(id=mail_id).update(sent_at=now)
    return True


def link(about: Booking, page: str = "payments:booking") -> str:
    """Return the address that opens a page of the booking without an account."""
    path = reverse(page, args=[about.reference])
    return f"{settings.SITE_URL}{path}?key={about.access_key}"


def _message(letter: Mail, now: datetime) -> EmailMessage:
    about = letter.booking
    stay = stays.stay_of(booking.slots_of(about.pk))
    host = urlsplit(settings.SITE_URL).hostname
    with translation.override(languages.of_letters(about)):
        subject = _SUBJECTS[MailKind(letter.kind)]() % {
            "reference": about.reference,
            "start": formatting.clock(stay.start),
            "end": formatting.clock(stay.end),
        }
        body = render_to_string(
            f"payments/mail/{_TEMPLATES.get(letter.kind, letter.kind)}.txt",
            {
                "booking": about,
                "slot": stay.parts[-1],
                "start": stay.start,
                "end": stay.end,
                "price": stay.price,
                "amount": letter.amount,
                "room": reminders.room(letter, now),
                "arrival": _arrival_words(stay.parts, now),
                "not_after": letter.not_after,
                "link": link(about),
                "choice_link": link(about, "payments:unlit"),
                "extension_link": link(about, "payments:extend"),
                "city_name": settings.CITY_NAME,
                "city_phone": settings.CITY_PHONE,
            },
        )
    return EmailMessage(
        subject=subject,
        body=body,
        to=[about.email],
        headers={
            "Message-ID": f"<curblight-{letter.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _arrival_words(stay: Sequence[Slot], now: datetime) -> str:
    """Say how the spot of a stay waits for its citizen; nothing where it is kept to the end."""
    found = no_show.outlook(booking_id=stay[0].booking_id, slots=stay, now=now)
    if found is None:
        return ""
    return no_show.words(found, rules=StayRules.objects.get(zone__spots=stay[0].spot_id))


_SUBJECTS = {
    MailKind.CONFIRMED: lambda: _("Your parking is booked: %(reference)s"),
    MailKind.CHANGED: lambda: _("Your parking is changed: %(reference)s"),
    MailKind.CANCELLED: lambda: _("Your parking is cancelled: %(reference)s"),
    MailKind.ORPHAN: lambda: _("Your payment came too late: %(reference)s"),
    MailKind.NOBODY_YET: lambda: _("Nobody has parked on your spot yet: %(reference)s"),
    MailKind.UNLIT: lambda: _("The light of your spot is not green: %(reference)s"),
    MailKind.STARTS: lambda: _("Your parking begins at %(start)s: %(reference)s"),
    MailKind.ENDS_SOON: lambda: _("Your parking ends at %(end)s: %(reference)s"),
    MailKind.ENDS_NOW: lambda: _("5 minutes left, your parking ends at %(end)s: %(reference)s"),
}
_TEMPLATES: dict[str, str] = {MailKind.ENDS_SOON: "ends", MailKind.ENDS_NOW: "ends"}
