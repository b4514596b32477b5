"""The site's addresses, with a stand-in for the pages of the other application.

These tests ask where a page hands over, never what stands there.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from config.urls import urlpatterns as site


def _there(request: HttpRequest, reference: str) -> HttpResponse:
    return HttpResponse(f"booking {reference}")


urlpatterns = [
    *(pattern for pattern in site if getattr(pattern, "namespace", None) != "payments"),
    path(
        "",
        include(
            (
                [
                    path("bookings/<reference>/", _there, name="booking"),
                    *(
                        path(f"bookings/<reference>/{name}/", _there, name=name)
                        for name in ("extend", "change", "cancel", "taken", "receipt")
                    ),
                ],
                "payments",
            )
        ),
    ),
]
