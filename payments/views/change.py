"""Changing a stay: what it would cost or give back, then the change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import (
    access,
    any_spot,
    availability,
    booking,
    changes,
    corrections,
    locking,
    nearby,
    price_words,
    refusals,
    stay_times,
)
from parking.forms import ChangeForm
from parking.models import Booking, SlotState, StayRules
from parking.pricing import QuoteError
from parking.stays import Stay
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge, nudge_once
from parking.terms import NotPriced, SpotUnknown, StayRefused
from payments import change, tasks
from payments.views.citizen import pay_slot

_FIELDS = {"from": "at", "to": "length", "spot": "spot"}
_REFUSALS = (
    StayRefused,
    NotPriced,
    QuoteError,
    SpotUnknown,
    refusals.SpotTaken,
    corrections.TooOften,
)


@never_cache
@require_http_methods(["GET", "POST"])
def change_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what another spot or time costs or gives back (GET), and change to it (POST)."""
    found = access.booking_or_404(request, reference, own=True)
    try:
        page = _Page(request, found)
    except refusals.ChangePending:
        messages.warning(request, _("A change of this booking waits for its payment already."))
    except refusals.NotBooked:
        messages.warning(request, _("This stay cannot be changed: it is over, or not booked."))
    else:
        return page.carry_out() if request.method == "POST" else page.ask()
    return redirect("payments:booking", found.reference)


class _Page:
    """The page of one request."""

    def __init__(self, request: HttpRequest, found: Booking) -> None:
        self.request, self.found, self.now = request, found, timezone.now()
        self.stay = booking.open_stay(locking.slots_of(found.pk), self.now)
        given = request.POST if request.method == "POST" else request.GET
        self.is_asked = any(name in given for name in ("spot", "on", "at", "length"))
        self.form = _form(given, self.stay, has_begun=self.has_begun)
        self.proposal: changes.Change | None = None
        self.notice = ""
        self.instead: list[nearby.ChangeTo] | None = None  # of a spot that is taken

    @property
    def has_begun(self) -> bool:
        """Whether the stay runs."""
        return self.stay.start <= self.now

    def ask(self) -> HttpResponse:
        """Show the form, and what the wish would mean once there is one."""
        if self.is_asked and self.form.is_valid():
            try:
                self.proposal = changes.propose(booking_id=self.found.pk, **self._wish())
            except _REFUSALS as error:
                self._refuse(error)
        return self._answer(200)

    def carry_out(self) -> HttpResponse:
        """Change the stay, and go on to paying where something is due."""
        told = _told(self.request.POST)
        if told is None or not self.form.is_valid():
            return self.ask()
        try:
            done = change.change_booking(
                reference=self.found.reference,
                actor=access.actor_of(self.request),
                told=told,
                **self._wish(),
            )
        except change.OtherTerms as other:
            self.proposal = other.change
            self.notice = _("Time has passed since you looked. This is what the change means now:")
        except _REFUSALS as error:
            self._refuse(error)
        else:
            return self._done(done)
        return self._answer(409)

    def _wish(self) -> dict[str, Any]:
        """Return what differs from the stay as it is, for the rule."""
        form, stay = self.form, self.stay
        return {
            "spot_id": form.cleaned_data["spot"],
            "start": None if self.has_begun else form.start,
            "end": stay.start + (form.end - form.start) if self.has_begun else form.end,
            "now": self.now,
        }

    def _refuse(self, error: Exception) -> None:
        """Say at its field, or above the form, why the wish cannot be had."""
        match error:
            case StayRefused():
                for failure in error.failures:
                    self.form.add_error(_FIELDS.get(failure.field), failure.message)
            case refusals.SpotTaken():
                self.instead = nearby.instead_of(booking_id=self.found.pk, **self._wish())
                self.form.add_error("spot", _("Somebody else has this spot in that time."))
            case corrections.TooOften():
                self.notice = corrections.why_not(error)
            case QuoteError():
                self.form.add_error("length", price_words.why_not(error))
            case NotPriced():
                self.form.add_error("on", price_words.not_on_sale())
            case SpotUnknown():
                self.form.add_error("spot", _("This spot is out of use. Choose another one."))

    def _done(self, done: change.Changed) -> HttpResponse:
        if done.slot.state == SlotState.HELD:
            return pay_slot(self.request, done.slot)
        for refund_id in done.refund_ids:
            nudge(tasks.submit_refund, str(refund_id))
        nudge_once(tasks.send_mail)
        for meter_id in done.meter_ids:
            nudge_meter(meter_id)
        messages.success(self.request, _("Your booking is changed."))
        return redirect("payments:booking", self.found.reference)

    def _answer(self, status: int) -> HttpResponse:
        context = {
            "booking": self.found,
            "stay": self.stay,
            "has_begun": self.has_begun,
            "form": self.form,
            "notice": self.notice,
            "proposal": self.proposal,
            "rows": price_words.rows(self.proposal.quote) if self.proposal else [],
            "nearest": self._nearest() if self.instead is None else self.instead,
            "left": corrections.corrections_left(booking_id=self.found.pk, now=self.now),
        }
        return render(self.request, "payments/change.html", context, status=status)

    def _nearest(self) -> list[dict[str, availability.FreeSpot]]:
        """Return the nearest free spots for the time that was asked for, or as it is."""
        start, end = self.stay.start, self.stay.end
        if self.is_asked and self.form.is_bound and not self.form.errors.keys() - {"spot"}:
            start, end = self.form.start, self.form.end
        start = max(start, self.now)
        if start >= end:
            return []
        features = self.stay.spot.features
        free = availability.nearest_free(
            spot_id=self.stay.spot.pk,
            start=start,
            end=end,
            features=features,
            without=any_spot.SET_ASIDE.difference(features),
            same_zone=True,
            limit=nearby.CHANGES_OFFERED,
        )
        return [{"spot": spot} for spot in free]


def _form(given: QueryDict, stay: Stay, *, has_begun: bool) -> ChangeForm:
    """Make the form from what was given, and from the stay as it is for the rest."""
    rules = StayRules.objects.get(zone=stay.spot.zone_id)
    start, minutes = timezone.localtime(stay.start), (stay.end - stay.start) // timedelta(minutes=1)
    data = given.copy()
    as_is = {
        "spot": stay.spot.number,
        "on": f"{start:%Y-%m-%d}",
        "at": f"{start:%H:%M}",
        "length": str(minutes),
    }
    for name, value in as_is.items():
        data[name] = data.get(name) or value
    lengths = stay_times.lengths(
        shortest=rules.shortest_stay_min, longest=rules.longest_stay_min, step=rules.slot_step_min
    )
    return ChangeForm(data, here=stay.spot, has_begun=has_begun, lengths={*lengths, minutes})


def _told(given: QueryDict) -> tuple[int, int] | None:
    """Return what the citizen was shown: what is due, and what goes back."""
    try:
        return int(given.get("due", "")), int(given.get("back", ""))
    except ValueError:
        return None
