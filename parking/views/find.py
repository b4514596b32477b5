"""The first page: the map, and beside it a list that can do the same without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parking import map_layer, stay_times
from parking.any_spot import SET_ASIDE
from parking.formatting import listed, money
from parking.forms import SearchForm
from parking.models import Feature, StayRules
from parking.nearby import WALKED_M_A_MINUTE
from parking.offers import ZoneOffer, zone_offers
from parking.place_names import words_of
from parking.pricing import Quote
from parking.search import FoundSpot, Search, ZoneCount, find_spots, zone_counts

PAGE_SIZE = 50
_WHERE = frozenset({"bbox", "zone", "place", "price"})
_MOST_GUESSES = 4


@dataclass(frozen=True)
class ZoneRow:
    """A zone as the list shows it; without an offer's quote, `reasons` say why."""

    offer: ZoneOffer
    count: ZoneCount
    query: str  # of the same search in this zone alone
    any_query: str  # of the same stay and features, for any spot of the zone


@dataclass(frozen=True)
class ZoneGroup:
    """The found spots of one zone, on this page of the list."""

    offer: ZoneOffer
    spots: list[FoundSpot]


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Show which spots are free for the chosen time, with the price of the stay in each zone."""
    form = SearchForm(_with_defaults(request.GET))
    if not form.is_valid():
        return _answer(request, form, status=400)
    now = timezone.now()
    offers = zone_offers(start=form.start, end=form.end, now=now)
    wanted = form.cleaned_data
    zone = next((offer for offer in offers.values() if offer.code == wanted["zone"]), None)
    if wanted["zone"] and zone is None:
        form.add_error("zone", _("There is no such zone."))
        return _answer(request, form, offers=offers, status=400)
    search = Search(
        start=form.start,
        end=form.end,
        words=words_of(wanted["place"]),
        zones=_zones(zone, wanted["price"], offers),
        features=wanted["feature"],
        bbox=wanted["bbox"],
    )
    counts = zone_counts(search)
    if not counts and (wider := search.without_numbers()):
        search, counts = wider, zone_counts(wider)
    results = _results(form, search, offers, counts)
    return _answer(request, form, offers=offers, search=search, results=results)


def _zones(
    chosen: ZoneOffer | None, price: int | None, offers: dict[int, ZoneOffer]
) -> list[int] | None:
    """Return the zones to look in: the chosen one, those that cost no more; None for all."""
    if chosen is None and price is None:
        return None
    return [
        offer.zone_id
        for offer in ([chosen] if chosen else offers.values())
        if price is None or (offer.quote is not None and offer.quote.total <= price)
    ]


def _results(
    form: SearchForm,
    search: Search,
    offers: dict[int, ZoneOffer],
    counts: dict[int, ZoneCount],
) -> dict[str, Any]:
    only_free = form.cleaned_data["show"] != "all"
    open_zones = {zone_id for zone_id, offer in offers.items() if offer.is_open}
    free = sum(count.free for zone_id, count in counts.items() if zone_id in open_zones)
    total = sum(count.total for count in counts.values())
    listed = free if only_free else total
    pages = max(1, -(-listed // PAGE_SIZE))
    page = min(form.cleaned_data["page"] or 1, pages)
    spots = find_spots(
        search,
        only_free_in=open_zones if only_free else None,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )
    state = _state(form)
    wanted = form.cleaned_data["feature"]
    any_query = urlencode({**form.period_query(), "feature": wanted}, True)
    return {
        "free": free,
        "total": total,
        "zones": [
            ZoneRow(
                offer, counts[zone_id], urlencode({**state, "zone": offer.code}, True), any_query
            )
            for zone_id, offer in offers.items()
            if zone_id in counts
        ],
        "groups": [
            ZoneGroup(offers[zone_id], list(group))
            for zone_id, group in groupby(spots, key=lambda spot: spot.zone_id)
            if zone_id in offers
        ],
        "first": (page - 1) * PAGE_SIZE + 1,
        "last": (page - 1) * PAGE_SIZE + len(spots),
        "listed": listed,
        "previous": urlencode({**state, "page": page - 1}, True) if page > 1 else "",
        "next": urlencode({**state, "page": page + 1}, True) if page < pages else "",
        "all_query": urlencode({**state, "show": "all"}, True),
        "everywhere_query": urlencode(
            {name: value for name, value in state.items() if name not in _WHERE},
            True,
        ),
        "guesses": _guesses(search),
        "left_out": search.left_out,
        "stay_query": urlencode(form.period_query()),
    }


def _guesses(search: Search) -> str:
    """Name what is shown instead of words that no name has in it; empty if they have all."""
    names = dict.fromkeys(name for word in search.words for name in word.guesses)
    more = ["…"] if len(names) > _MOST_GUESSES else []
    return listed([*list(names)[:_MOST_GUESSES], *more])


def _answer(
    request: HttpRequest,
    form: SearchForm,
    *,
    offers: dict[int, ZoneOffer] | None = None,
    search: Search | None = None,
    results: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "offers": offers,
        "zone_choices": [(offer.code, offer.name) for offer in (offers or {}).values()],
        "price_choices": _price_choices(form, offers or {}),
        "results": results,
        "start": getattr(form, "start", None),
        "end": getattr(form, "end", None),
        "map_state": _map_state(form, offers or {}, search),
        "feature_names": Feature.choices,
        "spots_version": map_layer.spots_version(),
        "live_url": settings.LIVE_URL,
        "set_aside": sorted(SET_ASIDE),
        "walked_m_a_minute": WALKED_M_A_MINUTE,
    }
    return render(request, "parking/find.html", context, status=status)


def _price_choices(form: SearchForm, offers: dict[int, ZoneOffer]) -> list[tuple[int, str]]:
    """Return the prices that the stay has somewhere, and the one that was chosen for another."""
    totals = {offer.quote.total for offer in offers.values() if offer.quote is not None}
    chosen = getattr(form, "cleaned_data", {}).get("price")
    return [
        (total, _("At most %(price)s") % {"price": money(total)} if total else _("No charge"))
        for total in sorted({*totals, *([chosen] if chosen is not None else [])})
    ]


def _map_state(
    form: SearchForm, offers: dict[int, ZoneOffer], search: Search | None
) -> dict[str, Any]:
    """Return what the map must know of the search: the same filters, and what zones say."""
    if not hasattr(form, "start"):
        return {}
    wanted = form.cleaned_data
    return {
        "from": form.start.isoformat(),
        "to": form.end.isoformat(),
        "place": wanted.get("place", ""),
        "zone": wanted.get("zone", ""),
        "only": search.zones if search else None,
        "words": [
            {"zones": word.zones, "streets": word.streets, "number": word.number}
            for word in (search.words if search else ())
        ],
        "features": wanted.get("feature", []),
        "stay": urlencode(form.period_query()),
        "zones": {
            str(zone_id): {
                "price": _price(offer.quote) if offer.quote else None,
                "reasons": offer.reasons,
            }
            for zone_id, offer in offers.items()
        },
    }


def _price(quote: Quote) -> str:
    return money(quote.total, quote.currency) if quote.total else _("No charge")


def _with_defaults(given: QueryDict) -> QueryDict:
    """Fill in what the address leaves out: from the next full step on, for two hours."""
    data = given.copy()
    if not (data.get("on") and data.get("at")):
        steps = StayRules.objects.values_list("slot_step_min", flat=True).distinct()
        start = timezone.localtime(stay_times.next_start(now=timezone.now(), steps=steps))
        data["on"] = data.get("on") or f"{start:%Y-%m-%d}"
        data["at"] = data.get("at") or f"{start:%H:%M}"
    data["length"] = data.get("length") or str(stay_times.USUAL_MIN)
    data["show"] = data.get("show") or "free"
    return data


def _state(form: SearchForm) -> dict[str, Any]:
    """Return the search as the address holds it, without what is empty and without the page."""
    wanted = form.cleaned_data
    state: dict[str, Any] = {**form.period_query(), "show": wanted["show"]}
    for name in ("place", "zone", "feature"):
        if wanted[name]:
            state[name] = wanted[name]
    if wanted["price"] is not None:
        state["price"] = wanted["price"]
    if wanted["bbox"]:
        state["bbox"] = ",".join(f"{corner:g}" for corner in wanted["bbox"])
    return state
