"""One spot: where it is, what a stay costs, and the form that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parking import (
    arrivals,
    availability,
    booking,
    holds,
    no_show,
    price_words,
    tariff_words,
    terms,
)
from parking.forms import HoldForm
from parking.locator import locate
from parking.models import Feature, Spot
from parking.nearby import Alternative, alternatives
from parking.pricing import Quote, QuoteError
from parking.stay_rules import Failure
from parking.vehicles import vehicles_of
from parking.views.holding import hold_or_say
from parking.views.price_advice import Advice, advice
from parking.views.stay_form import address_of, last_time, stay_form

# The rule book's names for our fields; whose vehicle it is stands in the form of the hold.
_FIELDS = {"from": "at", "to": "length"}
_TOO_EARLY = {"not_in_the_past", "lead_time"}


@require_safe
@never_cache
def spot(request: HttpRequest, spot_id: int) -> HttpResponse:
    """Show a spot and, for the chosen time, its price line by line, or why it cannot be had."""
    page = SpotPage(request, spot_id, request.GET)
    status = 400 if page.stay.errors else 200
    page.ask()
    return page.answer(page.new_hold_form(), status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def hold(request: HttpRequest, spot_id: int) -> HttpResponse:
    """Hold the spot for ten minutes and go on to its booking page; or say why not, with advice."""
    if request.method != "POST":  # a page that said no was opened again
        return redirect("parking:spot", spot_id=spot_id)
    page = SpotPage(request, spot_id, request.POST)
    form = page.hold_form(request.POST)
    return hold_or_say(
        page,
        form,
        hold=partial(holds.hold, spot_id=spot_id),
        taken=_("Somebody else was faster: this spot is taken then."),
    )


class SpotPage:
    """The page of a spot for one stay: its terms, and whether the spot is free then."""

    def __init__(self, request: HttpRequest, spot_id: int, given: QueryDict) -> None:
        self.request = request
        self.now = timezone.now()
        self.spot = get_object_or_404(
            Spot.objects.select_related("zone__stay_rules"),
            pk=spot_id,
            is_active=True,
            zone__is_active=True,
            zone__stay_rules__isnull=False,
        )
        tariff = terms.tariff_in_force(zone_id=self.spot.zone_id, at=self.now)
        self.vehicle_classes = sorted(tariff.vehicle_classes) if tariff else []
        self.vehicles = vehicles_of(request.user)
        self.stay = stay_form(
            given,
            rules=self.spot.zone.stay_rules,
            vehicle_classes=self.vehicle_classes,
            vehicles=self.vehicles,
            now=self.now,
        )
        self.agreed: terms.Terms | None = None
        self.refusals: list[Failure] = []
        self.is_free = False

    def new_hold_form(self) -> HoldForm:
        """Make an empty form with the visitor's vehicles, or what was typed the last time."""
        return self.hold_form(initial=last_time(self.request, self.vehicles))

    def hold_form(self, *args: Any, **kwargs: Any) -> HoldForm:
        """Make the form of the hold with what the visitor can choose from."""
        return HoldForm(
            *args,
            vehicle_classes=self.vehicle_classes,
            vehicles=self.vehicles,
            can_remember=self.request.user.is_authenticated,
            **kwargs,
        )

    @property
    def address(self) -> str:
        """Where the page is, for this stay."""
        return address_of("parking:spot", self.spot.pk, self.stay)

    @property
    def quote(self) -> Quote | None:
        """The price of the stay, where it can be had."""
        return self.agreed.quote if self.agreed else None

    def ask(self) -> None:
        """Ask what the stay costs, or which rules it breaks; and whether the spot is free."""
        if not self.stay.is_valid():
            return
        start, end = self.stay.start, self.stay.end
        self.is_free = availability.is_free(spot_id=self.spot.pk, start=start, end=end)
        try:
            self.agreed = terms.terms(
                spot_id=self.spot.pk,
                start=start,
                end=end,
                now=self.now,
                vehicle_class=self.stay.cleaned_data.get("vehicle_class", ""),
            )
        except terms.StayRefused as error:
            self.refuse(error.failures)
        except (terms.NotPriced, terms.SpotUnknown):
            self.refuse([Failure("on_sale", price_words.not_on_sale(), "from")])
        except QuoteError as error:
            self.refuse([Failure(error.code, price_words.why_not(error), "to")])

    def refuse(self, failures: Sequence[Failure], form: HoldForm | None = None) -> None:
        """Say each reason at its field; what is about the vehicle needs the form of the hold."""
        self.refusals = list(failures)
        if not self.stay.is_valid():
            return
        for failure in failures:
            if failure.field in _FIELDS:
                self.stay.add_error(_FIELDS[failure.field], failure.message)
            elif form is not None:
                form.add_error("plate", failure.message)

    def answer(
        self, form: HoldForm, *, status: int, notice: str = "", retry_after: int | None = None
    ) -> HttpResponse:
        """Render the page with all that was typed."""
        if self.quote is None and not self.refusals:
            self.ask()
        is_taken = self.quote is not None and not self.is_free
        alternatives = self._alternatives() if is_taken else []
        context = {
            "spot": self.spot,
            "rules": self.spot.zone.stay_rules,
            "facts": tariff_words.limits(self.spot.zone.stay_rules),
            "features": [(name, Feature(name).label) for name in self.spot.features],
            "locator": locate(self.spot),
            "stay": self.stay,
            "form": form,
            "start": getattr(self.stay, "start", None),
            "end": getattr(self.stay, "end", None),
            "quote": self.quote,
            "rows": price_words.rows(self.quote) if self.quote else [],
            "release": self._release() if self.is_free else "",
            "is_taken": is_taken,
            "alternatives": alternatives,
            "lowest": _lowest(alternatives),
            "advice": self._advice(),
            "has_passed": any(failure.rule in _TOO_EARLY for failure in self.refusals),
            "stay_query": urlencode(self.stay.period_query()) if self.quote else "",
            "hold_minutes": int(booking.HOLD_FOR.total_seconds() // 60),
            "notice": notice,
        }
        response = render(self.request, "parking/spot.html", context, status=status)
        if retry_after is not None:
            response["Retry-After"] = str(retry_after)
        return response

    def _release(self) -> str:
        """Say until when the spot would wait for whoever books this stay."""
        if self.agreed is None:
            return ""
        said = no_show.words_before_booking(
            rules=self.spot.zone.stay_rules,
            start=self.stay.start,
            end=self.stay.end,
            now=self.now,
        )
        return said if said and arrivals.has_sensor(self.spot.pk) else ""

    def _alternatives(self) -> list[Alternative]:
        return alternatives(
            spot_id=self.spot.pk,
            features=self.spot.features,
            start=self.stay.start,
            end=self.stay.end,
            now=self.now,
            vehicle_class=self.stay.cleaned_data.get("vehicle_class", ""),
        )

    def _advice(self) -> Advice | None:
        # A form that was refused keeps what was typed: nothing in it leads away.
        if self.agreed is None or not self.is_free or self.request.method == "POST":
            return None
        return advice(self.agreed, stay_query=self.stay.period_query(), now=self.now)


def _lowest(found: list[Alternative]) -> int | None:
    """Return the lowest price where prices differ: only then it is worth a mark."""
    totals = {one.total for one in found}
    return min(totals) if len(totals) > 1 else None
