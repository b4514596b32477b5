"""What an account has, on one page."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parking.models import Vehicle


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Show the ways in and what is remembered, each with its page."""
    assert isinstance(request.user, User)  # noqa: S101 (login_required says so)
    mine = {"user": request.user}
    context = {
        "addresses": EmailAddress.objects.filter(**mine).order_by("-primary", "email"),
        "passkeys": Authenticator.objects.filter(**mine).count(),
        "city_login": SocialAccount.objects.filter(**mine).exists(),
        "city_login_name": settings.OIDC_NAME,
        "vehicles": Vehicle.objects.filter(owner=request.user).count(),
    }
    return render(request, "account/overview.html", context)
