"""What letters about a booking say: a subject and parts, in the language that is switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from parking import closures, formatting, no_show
from parking.models import Booking, Closure, Slot, StayRules
from parking.stays import Stay
from payments import reminders
from payments.letter_parts import Facts, Leads, Part, Says
from payments.models import Mail, MailKind


@dataclass(frozen=True)
class Letter:
    """What a letter says."""

    subject: str
    parts: list[Part]


def compose(owed: Mail, about: Booking, stay: Stay, *, now: datetime) -> Letter:
    """Say what an owed letter has to say of its booking and its stay as they are now."""
    subject = _SUBJECTS[MailKind(owed.kind)]() % {
        "reference": about.reference,
        "start": formatting.clock(stay.start),
        "end": formatting.clock(stay.end),
    }
    return Letter(subject, _PARTS[MailKind(owed.kind)](_Case(owed, about, stay, now)))


def link(about: Booking, page: str = "payments:booking") -> str:
    """Return the address that opens a page of the booking without an account."""
    path = reverse(page, args=[about.reference])
    return f"{settings.SITE_URL}{path}?key={about.access_key}"


@dataclass(frozen=True)
class _Case:
    """What the parts of one letter are made of."""

    owed: Mail
    about: Booking
    stay: Stay
    now: datetime

    @property
    def slot(self) -> Slot:
        return self.stay.parts[-1]

    @property
    def number(self) -> dict[str, str]:
        return {"number": self.slot.spot.number}

    def facts(self, *, price: bool = False, slot_only: bool = False) -> Facts:
        spot = self.slot.spot
        start, end = self.stay.start, self.stay.end
        if slot_only:
            start, end = self.slot.start, self.slot.end
        place = [_("Spot %(number)s") % self.number, spot.local_street, str(spot.zone)]
        rows = [
            (_("When"), formatting.period(start, end)),
            (_("Where"), formatting.listed(part for part in place if part)),
        ]
        if price:
            rows.append((_("Price"), formatting.money(self.stay.price, self.slot.currency)))
        return Facts([*rows, (_("Booking"), self.about.reference)])

    def back(self) -> str:
        """Write what goes back."""
        return formatting.money(self.owed.amount or 0, self.slot.currency)

    def arrival(self) -> list[Part]:
        """Say how the spot waits for its citizen; nothing where it is kept to the end."""
        slots: Sequence[Slot] = self.stay.parts
        found = no_show.outlook(booking_id=slots[0].booking_id, slots=slots, now=self.now)
        if found is None:
            return []
        rules = StayRules.objects.get(zone__spots=slots[0].spot_id)
        return [Says(no_show.words(found, rules=rules))]

    def page(self, words: str = "") -> Leads:
        return Leads(words, link(self.about), _("Open the booking"))

    def whole_page(self) -> Leads:
        return self.page(
            _(
                "See it, print the receipt or cancel here, without signing in. Whoever has this "
                "link can do the same, so keep it to yourself:"
            )
        )


def _confirmed(case: _Case) -> list[Part]:
    yours = Says(_("Spot %(number)s is yours.") % case.number)
    return [yours, case.facts(price=True), *case.arrival(), case.whole_page()]


def _changed(case: _Case) -> list[Part]:
    changed = Says(_("Your booking is changed: spot %(number)s is yours.") % case.number)
    back = _("%(amount)s goes back to your card; your bank may take some days to show it.")
    returned = [Says(back % {"amount": case.back()})] if case.owed.amount else []
    return [changed, case.facts(price=True), *returned, *case.arrival(), case.whole_page()]


def _cancelled(case: _Case) -> list[Part]:
    back = _("%(back)s goes back to your card; your bank may take some days to show it.")
    money = back % {"back": case.back()} if case.owed.amount else _("Nothing is to be returned.")
    cancelled = Says(_("Your booking is cancelled."))
    return [cancelled, *case.arrival(), case.facts(), Says(money), case.page()]


def _orphan(case: _Case) -> list[Part]:
    late = _(
        "Your payment arrived after the spot had been given to somebody else, so it is not booked."
    )
    back = _(
        "%(back)s goes back to your card by itself; your bank may take some days to show it."
    ) % {"back": case.back()}
    return [Says(late), case.facts(slot_only=True), Says(back), case.page()]


def _nobody_yet(case: _Case) -> list[Part]:
    empty = _(
        "Your stay on spot %(number)s began at %(time)s, and its sensor has seen nobody yet."
    ) % (case.number | {"time": formatting.clock(case.stay.start)})
    ask = _("On your way? Ask for more time, or end the stay, here, without signing in:")
    return [Says(empty), *case.arrival(), case.page(ask), case.facts()]


def _unlit(case: _Case) -> list[Part]:
    dark = _(
        "Your stay on spot %(number)s began at %(time)s, but its light has not turned green. "
        "We are sorry."
    ) % (case.number | {"time": formatting.clock(case.stay.start)})
    valid = _(
        "Your booking is valid whatever the light shows: wardens see it by your plate. You need "
        "not do anything."
    )
    until = case.owed.not_after or case.stay.end
    choose = _(
        "If you would rather not stay there: until %(time)s you may take another spot at no extra "
        "cost, or leave and get everything back. Choose here, without signing in:"
    ) % {"time": formatting.clock(until)}
    choice = Leads(choose, link(case.about, "payments:unlit"), _("Choose"))
    return [Says(dark), Says(valid), choice, case.facts()]


def _closed(case: _Case) -> list[Part]:
    closure = closures.ahead(stay=case.stay, now=case.now)
    words = _("The city closes spot %(number)s for some of your stay. We are sorry.") % case.number
    why = [Facts(_closure_facts(closure))] if closure else []
    choose = _(
        "You may keep your booking as it is. Or take another spot at no extra cost, or get "
        "everything back. Choose here, without signing in:"
    )
    choice = Leads(choose, link(case.about, "payments:closed"), _("Choose"))
    return [Says(words), *why, choice, case.facts()]


def _closure_facts(closure: Closure) -> list[tuple[str, str]]:
    start, end = closure.period.lower, closure.period.upper
    return [(_("Closed"), formatting.period(start, end)), (_("Reason"), closure.reason)]


def _starts(case: _Case) -> list[Part]:
    yours = _("Spot %(number)s is yours from %(time)s.") % (
        case.number | {"time": formatting.clock(case.stay.start)}
    )
    cancel = _("Not coming? Until the start you can cancel for the whole amount:")
    return [Says(yours), case.facts(), *case.arrival(), case.page(cancel)]


def _ends(case: _Case) -> list[Part]:
    ends = _("Your stay on spot %(number)s ends at %(time)s.") % (
        case.number | {"time": formatting.clock(case.stay.end)}
    )
    room = reminders.room(case.owed, case.now)
    more: list[Part] = []
    if room is not None and room.latest:
        words = _(
            "You can stay until %(time)s at the latest. Extend it here, without signing in:"
        ) % {"time": formatting.moment(room.latest)}
        more = [Leads(words, link(case.about, "payments:extend"), _("Extend the stay"))]
    elif room is not None:
        more = [Says(" ".join([_("It cannot be made longer."), room.limit]))]
    return [Says(ends), *more, Facts([(_("Booking"), case.about.reference)]), case.page()]


_PARTS = {
    MailKind.CONFIRMED: _confirmed,
    MailKind.CHANGED: _changed,
    MailKind.CANCELLED: _cancelled,
    MailKind.ORPHAN: _orphan,
    MailKind.NOBODY_YET: _nobody_yet,
    MailKind.UNLIT: _unlit,
    MailKind.CLOSED: _closed,
    MailKind.STARTS: _starts,
    MailKind.ENDS_SOON: _ends,
    MailKind.ENDS_NOW: _ends,
}
_SUBJECTS = {
    MailKind.CONFIRMED: lambda: _("Your parking is booked: %(reference)s"),
    MailKind.CHANGED: lambda: _("Your parking is changed: %(reference)s"),
    MailKind.CANCELLED: lambda: _("Your parking is cancelled: %(reference)s"),
    MailKind.ORPHAN: lambda: _("Your payment came too late: %(reference)s"),
    MailKind.NOBODY_YET: lambda: _("Nobody has parked on your spot yet: %(reference)s"),
    MailKind.UNLIT: lambda: _("The light of your spot is not green: %(reference)s"),
    MailKind.CLOSED: lambda: _("The city closes your spot: %(reference)s"),
    MailKind.STARTS: lambda: _("Your parking begins at %(start)s: %(reference)s"),
    MailKind.ENDS_SOON: lambda: _("Your parking ends at %(end)s: %(reference)s"),
    MailKind.ENDS_NOW: lambda: _("5 minutes left, your parking ends at %(end)s: %(reference)s"),
}
