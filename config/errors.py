"""What people and programs get where there is nothing, or where we made a mistake."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults

from parking.problems import problem


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: a problem document to programs, a page to people."""
    if request.path.startswith("/api/"):
        return problem(404, "not-found", _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without showing why; the log has it."""
    if request.path.startswith("/api/"):
        return problem(500, "server-error", _("Something went wrong on our side."))
    return defaults.server_error(request)
