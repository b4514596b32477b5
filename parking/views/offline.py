"""The site on a phone's home screen, and what it shows there without a network."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# What a booking's page and the offline page are drawn with.
_FILES = (
    *("css/tokens.css", "css/curblight.css", "css/components.css"),
    *("img/favicon.svg", "img/icons.svg", "js/offline.js"),
)
# (file, size, purpose): a maskable icon has a margin that a phone may cut away.
_ICONS = (
    ("img/app-192.png", "192x192", "any"),
    ("img/app-512.png", "512x512", "any"),
    ("img/app-512.png", "512x512", "maskable"),
)


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Answer the worker: the list of files of this state of the site, and its code."""
    files = json.dumps([static(name) for name in _FILES])
    code = json.dumps(static("js/service-worker.js"))
    return HttpResponse(
        f"self.FILES = {files};\nimportScripts({code});\n", content_type="text/javascript"
    )


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """Answer what a phone needs to put the site beside its apps, in the page's language."""
    language = get_language_info(get_language() or settings.LANGUAGE_CODE)
    name = _("Parking in %(city)s") % {"city": settings.CITY_NAME}
    return JsonResponse(
        {
            "id": "/",
            "name": name,
            "short_name": _("Parking"),
            "lang": language["code"],
            "dir": "rtl" if language["bidi"] else "ltr",
            "start_url": reverse("parking:find"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#f4f5f2",
            "theme_color": "#10231f",
            "icons": [
                {"src": static(file), "sizes": size, "type": "image/png", "purpose": purpose}
                for file, size, purpose in _ICONS
            ],
            "shortcuts": [{"name": _("My bookings"), "url": reverse("parking:my-bookings")}],
        },
        content_type="application/manifest+json",
    )


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show what a browser keeps for the time without a network; it says nothing of anybody."""
    return render(request, "parking/offline.html")
