"""What people and programs get where there is nothing, or where we made a mistake."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils.translation import gettext as _
from django.views import csrf, defaults

from parking import drafts
from parking.problems import problem

_PAGES_OF_HOLDS = {"parking:hold": "parking:spot", "parking:any-spot": "parking:any-spot"}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: a problem document to programs, a page to people."""
    if request.path.startswith("/api/"):
        return problem(404, "not-found", _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Lead back to the form of a hold with what was typed, where only its token was too old.

    That happens to people who signed in in another tab. Other sites' forms get nowhere.
    """
    page = _PAGES_OF_HOLDS.get(resolve(request.path_info).view_name)
    own = f"{request.scheme}://{request.get_host()}"
    if page is None or request.headers.get("Origin") != own:
        return csrf.csrf_failure(request, reason)
    drafts.keep(request, request.POST)
    messages.warning(
        request, _("You were signed in or out meanwhile. Please look, and press the button again.")
    )
    stay = {name: request.POST[name] for name in ("on", "at", "length") if name in request.POST}
    address = reverse(page, kwargs=resolve(request.path_info).kwargs)
    return redirect(f"{address}?{urlencode(stay)}")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without showing why; the log has it."""
    if request.path.startswith("/api/"):
        return problem(500, "server-error", _("Something went wrong on our side."))
    return defaults.server_error(request)
