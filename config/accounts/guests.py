"""Who signs in sees also what they booked as a guest, if the address is shown to be theirs."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import user_logged_in
from django.contrib.auth.models import User
from django.http import HttpRequest

from parking import access


def listen() -> None:
    """Look at everybody who signs in."""
    user_logged_in.connect(_show_what_was_booked, dispatch_uid="guests")


def _show_what_was_booked(request: HttpRequest, user: User, **_: Any) -> None:
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary")
    if email := verified.values_list("email", flat=True).first():
        access.prove_address(request, email)
