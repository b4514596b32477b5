"""Letters to citizens: owed in the transaction that causes them, sent by a task.

The text is made when it is sent, in the booking's language. What is about an account was written
by the page that owes it; its row goes when it has left. A worker that dies between sending
and noting it sends again, with the same Message-ID, so that it is still one letter.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import translation

from parking import calendar_file, languages, locking, prepared, stays
from parking.models import LateLight, Slot, SlotState
from payments import letter_parts, letters, reminders
from payments.letters import Letter
from payments.models import Mail, MailKind

logger = logging.getLogger(__name__)

_LEASE = timedelta(minutes=5)
_GIVE_UP_AFTER = timedelta(days=2)
_LOOK_BACK = timedelta(hours=1)
_WITH_CALENDAR = {MailKind.CONFIRMED, MailKind.CHANGED}


def owe(*, kind: MailKind, slot: Slot, now: datetime, amount: int | None = None) -> None:
    """Owe the maker of a booking a letter about a slot, once, in the caller's transaction."""
    _owe(f"{kind}:{slot.pk}", kind, slot, now, amount=amount)


def owe_warning(*, slot: Slot, not_after: datetime, now: datetime) -> None:
    """Owe the letter that nobody has parked yet, once for a stay; worth nothing at `not_after`."""
    kind = MailKind.NOBODY_YET
    _owe(f"{kind}:{slot.pk}", kind, slot, now, slot=slot, not_after=not_after)


def choice_key(late_light_id: int) -> str:
    """Return the key of the letter about a late light."""
    return f"{MailKind.UNLIT}:{late_light_id}"


def owe_choice(*, late: LateLight, slot: Slot, now: datetime) -> None:
    """Owe the letter that the light is dark and what can be chosen, once for each spot."""
    until = late.offered_until
    _owe(choice_key(late.pk), MailKind.UNLIT, slot, now, slot=slot, not_after=until)


def _owe(key: str, kind: MailKind, about: Slot, now: datetime, **more: Any) -> None:
    """Owe a letter about a booking unless it is owed already."""
    letter = Mail(
        key=key, kind=kind, booking_id=about.booking_id, created_at=now, next_try_at=now, **more
    )
    Mail.objects.bulk_create([letter], ignore_conflicts=True)


def owe_about_account(*, to: str, subject: str, text: str, now: datetime) -> None:
    """Owe a letter about an account, such as a code to sign in, in the reader's language."""
    Mail.objects.create(
        key=f"{MailKind.ACCOUNT}:{uuid4()}",
        kind=MailKind.ACCOUNT,
        message={
            "to": to,
            "language": translation.get_language() or settings.LANGUAGE_CODE,
            "subject": subject,
            "text": text,
        },
        created_at=now,
        next_try_at=now,
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
    return list(_due(now).order_by("next_try_at").values_list("id", flat=True)[:limit])


def send(*, mail_id: int, now: datetime) -> bool:
    """Send one letter, unless another worker is at it; return whether it left.

    1. Claim it for five minutes. 2. Send it, outside any transaction. 3. Note that it left, or
    when to try again.
    """
    return _claim(_CLAIM, now, mail_id) is not None and _deliver(mail_id, now)


def send_next(*, now: datetime) -> bool:
    """Send the letter that has waited longest; return whether any waited.

    Workers that do this at once take one letter each.
    """
    claimed = _claim(_CLAIM_NEXT, now)
    if claimed is not None:
        _deliver(claimed, now)
    return claimed is not None


def _due(now: datetime) -> QuerySet[Mail]:
    return Mail.objects.filter(sent_at=None, given_up_at=None, next_try_at__lte=now)


_CLAIM_OF = """
UPDATE payments_mail SET tries = tries + 1, next_try_at = %(now)s + %(lease)s * (tries + 1)
WHERE id = (
  SELECT id FROM payments_mail
  WHERE sent_at IS NULL AND given_up_at IS NULL AND next_try_at <= %(now)s {WHICH}
  FOR UPDATE SKIP LOCKED
) RETURNING id"""
_CLAIM = _CLAIM_OF.format(WHICH="AND id = %(id)s")
_CLAIM_NEXT = _CLAIM_OF.format(WHICH="ORDER BY next_try_at LIMIT 1")


def _claim(statement: str, now: datetime, mail_id: int | None = None) -> int | None:
    """Take a letter that is due and that nobody is at, for a while; return its id."""
    wanted = {"id": mail_id} if mail_id is not None else {}
    row = prepared.fetch_one(statement, {"now": now, "lease": _LEASE, **wanted})
    return row[0] if row else None


def _deliver(mail_id: int, now: datetime) -> bool:
    """Send a claimed letter, unless it is worth nothing any more; return whether it left."""
    letter = Mail.objects.select_related("booking__spot__zone", "booking__user", "slot").get(
        id=mail_id
    )
    if reminders.is_moot(letter, now) or (letter.booking and not letter.booking.email):
        _note(letter, given_up_at=now)
        return False
    try:
        _message(letter, now).send()
    except (OSError, SMTPException) as error:
        logger.warning("letter %s is not sent yet: %s", letter.key, type(error).__name__)
        if now - letter.created_at > _GIVE_UP_AFTER:
            _note(letter, given_up_at=now)
            logger.error("letter %s is given up", letter.key)
        return False
    _note(letter, sent_at=now)
    return True


def _note(letter: Mail, **when: datetime) -> None:
    """Note what became of a letter; one about an account leaves no trace."""
    row = Mail.objects.filter(id=letter.pk)
    if letter.booking_id is None:
        row.delete()
    else:
        row.update(**when)


def _message(letter: Mail, now: datetime) -> EmailMultiAlternatives:
    if letter.booking is None:
        said = letter.message or {}
        with translation.override(said["language"]):
            parts = letter_parts.parts_of(said["text"])
            return _written(letter, said["to"], Letter(said["subject"], parts))
    about = letter.booking
    with translation.override(languages.of_letters(about)):
        stay = stays.stay_of(locking.slots_of(about.pk))
        message = _written(letter, about.email, letters.compose(letter, about, stay, now=now))
        if letter.kind in _WITH_CALENDAR and stay.is_booked:
            file = calendar_file.write(about, stay, page=letters.link(about), now=now)
            message.attach(calendar_file.name(about), file, "text/calendar")
    return message


def _written(letter: Mail, to: str, said: Letter) -> EmailMultiAlternatives:
    host = urlsplit(settings.SITE_URL).hostname
    message = EmailMultiAlternatives(
        subject=said.subject,
        body=letter_parts.plain(said.parts),
        to=[to],
        headers={
            "Message-ID": f"<curblight-{letter.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": translation.get_language(),
        },
    )
    message.attach_alternative(letter_parts.html(said.parts, subject=said.subject), "text/html")
    return message
