"""Any free spot of a zone: what a stay costs there, and the form that holds one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import any_spot, booking, no_show, price_words, terms
from parking.forms import HoldForm
from parking.models import Feature, Spot, Zone
from parking.offers import zone_offers
from parking.pricing import Quote, QuoteError, quote
from parking.search import Search, ZoneCount, zone_counts
from parking.stay_rules import Failure
from parking.vehicles import vehicles_of
from parking.views.holding import hold_or_say
from parking.views.stay_form import address_of, last_time, stay_form


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def hold_any(request: HttpRequest, code: str) -> HttpResponse:
    """Show what a stay in the zone costs and how many spots are free; hold one of them."""
    page = ZonePage(request, code, request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        return page.answer(page.new_hold_form(), status=400 if page.stay.errors else 200)
    form = page.hold_form(request.POST)
    return hold_or_say(
        page,
        form,
        hold=partial(
            any_spot.hold_any,
            zone_id=page.zone.pk,
            features=page.features,
            near=page.near.location if page.near else None,
        ),
        taken=_("No such spot is free at this time."),
    )


class ZonePage:
    """The page of a zone for one stay: its price, and how many spots are free then."""

    def __init__(self, request: HttpRequest, code: str, given: QueryDict) -> None:
        self.request = request
        self.now = timezone.now()
        self.zone = get_object_or_404(
            Zone.objects.select_related("stay_rules"),
            code=code,
            is_active=True,
            stay_rules__isnull=False,
        )
        self.refusals: list[str] = []  # of the last attempt
        self.near = self._spot(given.get("near", ""))
        self.features = [name for name in given.getlist("feature") if name in Feature.values]
        tariff = terms.tariff_in_force(zone_id=self.zone.pk, at=self.now)
        self.vehicle_classes = sorted(tariff.vehicle_classes) if tariff else []
        self.vehicles = vehicles_of(request.user)
        self.stay = stay_form(
            given,
            rules=self.zone.stay_rules,
            vehicle_classes=self.vehicle_classes,
            vehicles=self.vehicles,
            now=self.now,
        )

    @property
    def address(self) -> str:
        """Where the page is, for this stay."""
        near = {"near": self.near.number} if self.near else {}
        return address_of(
            "parking:any-spot", self.zone.code, self.stay, feature=self.features, **near
        )

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

    def refuse(self, failures: Sequence[Failure], form: HoldForm) -> None:
        """Put the broken rules at the fields where people mend them."""
        for failure in failures:
            if failure.field == "vehicle":
                form.add_error("plate", failure.message)
            else:
                self.refusals.append(failure.message)

    def answer(
        self, form: HoldForm, *, status: int, notice: str = "", retry_after: int | None = None
    ) -> HttpResponse:
        """Render the page with all that was typed."""
        price, reasons, count = self._ask()
        context: dict[str, Any] = {
            "zone": self.zone,
            "near": self.near,
            "features": [(name, Feature(name).label) for name in self.features],
            "stay": self.stay,
            "form": form,
            "start": getattr(self.stay, "start", None),
            "end": getattr(self.stay, "end", None),
            "quote": price,
            "rows": price_words.rows(price) if price else [],
            "release": no_show.words_before_booking(
                rules=self.zone.stay_rules,
                start=self.stay.start,
                end=self.stay.end,
                now=self.now,
            )
            if price
            else "",
            "reasons": self.refusals or reasons,
            "count": count,
            "hold_minutes": int(booking.HOLD_FOR.total_seconds() // 60),
            "notice": notice,
        }
        response = render(self.request, "parking/any_spot.html", context, status=status)
        if retry_after is not None:
            response["Retry-After"] = str(retry_after)
        return response

    def _spot(self, number: str) -> Spot | None:
        """Return the spot to which the nearest is wanted, if there is one."""
        if not number:
            return None
        if "\0" in number:  # PostgreSQL has no text with it
            raise Http404
        return get_object_or_404(Spot, zone=self.zone, number=number)

    def _ask(self) -> tuple[Quote | None, list[str], ZoneCount]:
        """Return the price or why there is none, and how many spots are free."""
        nothing = ZoneCount(free=0, total=0)
        if not self.stay.is_valid():
            return None, [], nothing
        start, end = self.stay.start, self.stay.end
        offer = zone_offers(start=start, end=end, now=self.now).get(self.zone.pk)
        search = Search(start=start, end=end, zones=[self.zone.pk], features=self.features)
        count = zone_counts(search).get(self.zone.pk, nothing)
        if offer is None or offer.quote is None:
            return None, offer.reasons if offer else [], count
        vehicle_class = self.stay.cleaned_data.get("vehicle_class", "")
        if not vehicle_class:
            return offer.quote, [], count
        tariff = terms.tariff_in_force(zone_id=self.zone.pk, at=start)
        if tariff is None:
            return None, [price_words.not_on_sale()], count
        try:
            price = quote(tariff=tariff, start=start, end=end, vehicle_class=vehicle_class)
        except QuoteError as error:
            return None, [price_words.why_not(error)], count
        return price, [], count
