"""The city's own login, by OpenID Connect."""

from __future__ import annotations

import logging
from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.openid_connect import views
from django.http import HttpRequest, HttpResponse
from requests import RequestException

logger = logging.getLogger(__name__)


class CityLoginAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An address opens the account that has it only where the login says that it was checked."""

    def authenticate_by_email(self, sociallogin: Any) -> Any:
        """Find the account by the addresses that are verified; the word "false" is no yes."""
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True
        return super().authenticate_by_email(sociallogin)


def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the city's login."""
    return _or_say(views.login, request, provider_id)


def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Receive who comes from there."""
    return _or_say(views.callback, request, provider_id)


def _or_say(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    """Answer as allauth does, also where the provider's own description cannot be had."""
    try:
        answer: HttpResponse = view(request, provider_id)
    except (RequestException, KeyError) as error:
        logger.warning("the city's login does not describe itself: %s", type(error).__name__)
        provider = get_adapter().get_provider(request, provider_id)
        answer = render_authentication_error(request, provider, exception=error)
    return answer
