"""A person's own data: read, taken along, erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from parking import access, history
from parking.models import Booking
from parking.stays import stay_of
from parking.throttling import EraseThrottle, wait_for
from payments import erasure, own_data
from payments.own_data import OwnData

SHOWN = 50  # bookings on the page; the file has all
FRESH = timedelta(minutes=10)  # a sign-in that proves who one is, where there is no password


class PasswordForm(forms.Form):
    """The password again: whoever finds an open browser must not erase its owner."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["password"]
        if not self.user.check_password(typed):
            raise ValidationError(_("That is not your password."))
        return typed


class SignInForm(forms.Form):
    """Nothing to type: the sign-in itself is the proof, where there is no password."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.signed_in_at = user.last_login

    def clean(self) -> dict[str, Any]:
        """Want a sign-in of just now."""
        if self.signed_in_at is None or timezone.now() - self.signed_in_at > FRESH:
            raise ValidationError(
                _("To prove who you are, sign out, sign in again, and come back within 10 minutes.")
            )
        return self.cleaned_data


class AddressForm(forms.Form):
    """The address again: whoever finds a link or an open browser must not erase."""

    email = forms.EmailField(label=gettext_lazy("The e-mail address with which it was booked"))

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_email(self) -> str:
        """Compare it."""
        typed: str = self.cleaned_data["email"]
        if typed.casefold() != self.address.casefold():
            raise ValidationError(_("It was not booked with that address."))
        return typed


@require_safe
@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Show what is kept about the account, or about the address that a guest has proven."""
    data = _data(request)
    if data is None:
        return redirect_to_login(request.get_full_path())
    some = own_data.read(data.bookings)[: SHOWN + 1]
    bookings = [_shown(about) for about in some]
    context = {"data": data, "bookings": bookings[:SHOWN], "has_more": len(bookings) > SHOWN}
    return render(request, "payments/own_data.html", context)


@require_safe
@never_cache
def file(request: HttpRequest) -> HttpResponse:
    """Answer all of it as one JSON file."""
    data = _data(request)
    if data is None:
        return redirect_to_login(request.get_full_path())
    return _file(data, "my-parking-data.json")


@require_safe
@never_cache
def booking_file(request: HttpRequest, reference: str) -> HttpResponse:
    """Answer all that is kept about one booking, to its maker or to who holds its link."""
    about = access.booking_or_404(request, reference, own=True)
    return _file(own_data.of_booking(about), f"parking-{about.reference}.json")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def erase(request: HttpRequest) -> HttpResponse:
    """Say what would be erased and what stays; erase it for who proves to be the owner."""
    data = _data(request)
    if data is None:
        return redirect_to_login(request.get_full_path())
    if data.user is None:
        return _erase_address(request, data)
    user = data.user

    def do() -> None:
        erasure.erase_account(user=user, now=timezone.now())
        logout(request)

    form = PasswordForm if user.has_usable_password() else SignInForm
    return _erase(request, form(_typed(request), user=user), do, data.bookings, user=user)


def _erase_address(request: HttpRequest, data: OwnData) -> HttpResponse:
    address = access.proven_address(request)

    def do() -> None:
        erasure.erase_address(email=address, now=timezone.now())
        request.session.flush()

    return _erase(request, AddressForm(_typed(request), address=address), do, data.bookings)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def erase_booking(request: HttpRequest, reference: str) -> HttpResponse:
    """Say and do the same for one booking, for a guest with its link."""
    about = access.booking_or_404(request, reference, own=True)
    if about.user_id is not None:
        return redirect("payments:erase")

    def do() -> None:
        erasure.erase_booking(about=about, now=timezone.now())
        access.forget_one(request, about)

    form = AddressForm(_typed(request), address=about.email)
    return _erase(request, form, do, Booking.objects.filter(pk=about.pk), about=about)


def _erase(
    request: HttpRequest,
    form: forms.Form,
    do: Callable[[], None],
    bookings: QuerySet[Booking],
    *,
    user: User | None = None,
    about: Booking | None = None,
) -> HttpResponse:
    status = 200
    reasons = erasure.why_not(bookings=bookings, user=user, now=timezone.now())
    if request.method == "POST":
        if wait_for(EraseThrottle(), request):
            status = 429
        elif not form.is_valid():
            status = 400
        else:
            try:
                do()
            except erasure.Refused as refused:
                status, reasons = 409, refused.reasons
            else:
                return redirect(f"{reverse('parking:privacy')}?erased=1")
    context = {
        "form": form,
        "about": about,
        "bookings": bookings.count(),
        "reasons": reasons,
        "is_too_often": status == 429,
    }
    return render(request, "payments/erase.html", context, status=status)


def _file(data: OwnData, name: str) -> HttpResponse:
    return JsonResponse(
        own_data.as_json(data, now=timezone.now()),
        json_dumps_params={"ensure_ascii": False, "indent": 1},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _shown(about: Booking) -> dict[str, Any]:
    """Return a booking as the page shows it."""
    slots = list(about.slots.all())
    payments = [payment for slot in slots for payment in slot.payments.all()]
    return {
        "about": about,
        "stay": stay_of(slots) if slots else None,
        "history": history.told(about, about.events.all()),
        "payments": [(payment, own_data.documents_of(payment)) for payment in payments],
        "letters": about.mails.all(),
    }


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _data(request: HttpRequest) -> OwnData | None:
    """Return what the visitor may have: of the account, or of an address proven by a code."""
    if isinstance(request.user, User):
        return own_data.of_account(request.user)
    address = access.proven_address(request)
    return own_data.of_address(address) if address else None
