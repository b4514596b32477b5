"""What every page that holds a spot does with its form: hold it, or say why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from parking import access, any_spot, drafts, refusals, terms, vehicles
from parking.formatting import number
from parking.forms import HoldForm
from parking.models import Booking, Slot, SlotState
from parking.plates import has_usual_shape
from parking.pricing import QuoteError
from parking.stay_rules import Failure
from parking.tasks import nudge_meter
from parking.throttling import HoldThrottle, wait_for

_BUSY_RETRY_S = 1


class HoldPage(Protocol):
    """A page with the forms of a hold; it renders itself with an answer."""

    request: HttpRequest

    @property
    def address(self) -> str:
        """Where the page is, for this stay; nothing of the person stands in it."""

    def refuse(self, failures: Sequence[Failure], form: HoldForm) -> None:
        """Put the broken rules where people mend them."""

    def answer(
        self, form: HoldForm, *, status: int, notice: str = "", retry_after: int | None = None
    ) -> HttpResponse:
        """Render the page with all that was typed."""


def hold_or_say(
    page: HoldPage, form: HoldForm, *, hold: Callable[..., Slot], taken: str
) -> HttpResponse:
    """Hold by the bound form and go on to the booking, or answer why not.

    `hold` gets what the person filled in, as `holds.hold` names it; `taken` is said where
    somebody else was faster.
    """
    request = page.request
    if "sign_in" in request.POST:
        drafts.keep(request, request.POST)
        return redirect(f"{reverse('account_login')}?{urlencode({'next': page.address})}")
    if not form.is_valid():
        return page.answer(form, status=400)
    if seconds := wait_for(HoldThrottle(), request):
        text = ngettext(
            "You have tried very often. Please wait %(n)s second, then try again.",
            "You have tried very often. Please wait %(n)s seconds, then try again.",
            seconds,
        )
        notice = text % {"n": number(seconds)}
        return page.answer(form, status=429, notice=notice, retry_after=seconds)
    try:
        slot = hold(**_who(request, form))
    except (refusals.SpotTaken, any_spot.NothingFree):
        return page.answer(form, status=409, notice=taken)
    except refusals.Busy:
        notice = _("Many people want to park here just now. Please try again.")
        return page.answer(form, status=409, notice=notice, retry_after=_BUSY_RETRY_S)
    except terms.StayRefused as error:
        page.refuse(error.failures, form)
        return page.answer(form, status=409)
    except (terms.SpotUnknown, terms.NotPriced, QuoteError):
        # The page asks the same and says the reason at its field.
        return page.answer(form, status=409)
    access.remember(request, slot.booking)
    drafts.forget(request)
    if form.cleaned_data.get("remember"):
        _remember(slot.booking)
    if slot.state == SlotState.CONFIRMED:  # free of charge
        nudge_meter(slot.spot.meter_id)
    return redirect("payments:booking", reference=slot.booking.reference)


def _remember(made: Booking) -> None:
    """Put the vehicle of a booking in its maker's list; the stay does not depend on it."""
    if made.user is None:
        return
    home = settings.CITY_COUNTRY
    with suppress(vehicles.VehicleError, refusals.Busy):
        vehicles.add(
            owner=made.user,
            plate=made.plate,
            country=home if has_usual_shape(made.plate, country=home) else "",
            vehicle_class=made.vehicle_class,
            now=made.created_at,
        )


def _who(request: HttpRequest, form: HoldForm) -> dict[str, Any]:
    wanted = form.cleaned_data
    return {
        "start": form.start,
        "end": form.end,
        "plate": wanted["plate"],
        "email": wanted["email"],
        "now": timezone.now(),
        "user": request.user if isinstance(request.user, User) else None,
        "vehicle_class": wanted.get("vehicle_class", ""),
        "language": get_language() or settings.LANGUAGE_CODE,
    }
