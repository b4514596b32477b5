"""The vehicles that an account remembers: the list, and one vehicle."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parking import formatting, vehicles
from parking.models import Vehicle
from parking.plate_countries import COUNTRIES
from parking.plate_forms import VehicleForm
from parking.plates import has_usual_shape
from parking.price_words import class_words


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def vehicle_list(request: HttpRequest) -> HttpResponse:
    """Show the account's vehicles, and add one."""
    owner, now = _person(request), timezone.now()
    form = VehicleForm(
        request.POST or None,
        initial={"country": settings.CITY_COUNTRY},
        vehicle_classes=vehicles.classes_priced_apart(now=now),
    )
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                added = vehicles.add(owner=owner, now=now, **form.remembered())
            except vehicles.VehicleError as error:
                status = _refuse(form, error)
            else:
                messages.success(request, _("Your vehicle is in the list."))
                _warn(request, added)
                return redirect("parking:vehicles")
    context = {
        "vehicles": [
            (vehicle, COUNTRIES.get(vehicle.country), class_words(vehicle.vehicle_class))
            for vehicle in vehicles.vehicles_of(owner)
        ],
        "form": form,
    }
    return render(request, "parking/vehicles.html", context, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def vehicle(request: HttpRequest, vehicle_id: int) -> HttpResponse:
    """Change what is remembered of a vehicle."""
    found = _own(request, vehicle_id)
    as_is = {
        "plate": found.plate,
        "country": found.country,
        "name": found.name,
        "vehicle_class": found.vehicle_class,
    }
    classes = {*vehicles.classes_priced_apart(now=timezone.now()), found.vehicle_class} - {""}
    form = VehicleForm(request.POST or None, initial=as_is, vehicle_classes=sorted(classes))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                vehicles.change(vehicle=found, **form.remembered())
            except vehicles.VehicleError as error:
                status = _refuse(form, error)
            else:
                messages.success(request, _("Your vehicle is changed."))
                _warn(request, found)
                return redirect("parking:vehicles")
    context = {"vehicle": found, "form": form}
    return render(request, "parking/vehicle.html", context, status=status)


@login_required
@require_POST
def offer_first(request: HttpRequest, vehicle_id: int) -> HttpResponse:
    """Offer a vehicle before the others."""
    vehicles.offer_first(vehicle=_own(request, vehicle_id))
    messages.success(request, _("This vehicle is offered first from now on."))
    return redirect("parking:vehicles")


@login_required
@require_POST
def forget(request: HttpRequest, vehicle_id: int) -> HttpResponse:
    """Take a vehicle from the list; bookings that were made for it stay as they are."""
    vehicles.forget(vehicle=_own(request, vehicle_id))
    messages.success(request, _("The vehicle is forgotten. Bookings stay as they are."))
    return redirect("parking:vehicles")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (`login_required` before)
    return request.user


def _own(request: HttpRequest, vehicle_id: int) -> Vehicle:
    """Return a vehicle of the visitor's; another's is answered like one that does not exist."""
    mine = Vehicle.objects.select_related("owner").filter(owner=_person(request))
    found = mine.filter(pk=vehicle_id).first()
    if found is None:
        raise Http404
    return found


def _refuse(form: VehicleForm, error: vehicles.VehicleError) -> int:
    """Say why the list cannot be changed; return the status."""
    match error:
        case vehicles.KnownAlready():
            form.add_error("plate", _("This vehicle is in your list already."))
        case vehicles.TooMany():
            text = ngettext(
                "An account remembers %(n)s vehicle at most.",
                "An account remembers %(n)s vehicles at most.",
                vehicles.MOST,
            )
            form.add_error(None, text % {"n": formatting.number(vehicles.MOST)})
    return 409


def _warn(request: HttpRequest, vehicle: Vehicle) -> None:
    """Say what looks like a slip of the finger; it may well be right."""
    other = vehicles.slip_for(vehicle=vehicle)
    if other is not None:
        messages.warning(
            request,
            _("%(plate)s looks much like %(other)s, which is in your list too. Is that right?")
            % {"plate": formatting.plate(vehicle.plate), "other": formatting.plate(other.plate)},
        )
    elif vehicle.country and not has_usual_shape(vehicle.plate, country=vehicle.country):
        country = COUNTRIES[vehicle.country]
        messages.warning(
            request,
            _("Plates of %(country)s usually look like %(example)s. Is %(plate)s right?")
            % {
                "country": country.name,
                "example": formatting.plate(country.example),
                "plate": formatting.plate(vehicle.plate),
            },
        )
