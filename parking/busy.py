"""“Others are at the same rows”: 409 with a time to try again, wherever it happens, never 500."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from parking import refusals
from parking.problems import RETRY_AFTER_S, busy


class BusyMiddleware:
    """Answer for every page that lets `refusals.Busy`, or what PostgreSQL says of it, pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what others at the same rows caused; leave all else as it is."""
        return answer(request) if refusals.is_busy(exception) else None


def answer(request: HttpRequest) -> HttpResponse:
    """Say it to a program as a problem, to a person as a page that asks the same once more."""
    if request.path.startswith("/api/"):
        return busy()
    given = [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    response = render(request, "409.html", {"given": given}, status=409)
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response
