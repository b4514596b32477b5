"""The choice of a language by somebody who is signed in; a guest's stands in the address alone."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from parking import languages


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the language with the account and open the page again in it."""
    language, page = request.POST.get("language", ""), request.POST.get("next", "")
    if language not in dict(settings.LANGUAGES):
        language = languages.of_address(request.path_info)
    elif request.user.is_authenticated:
        languages.remember(request.user, language)
    if not page.startswith("/") or not url_has_allowed_host_and_scheme(page, allowed_hosts=None):
        page = "/"
    return redirect(languages.in_language(page, language))
