"""Pages about the site itself: how accessible it is, and its parts for those who build it."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_REM = 16
_LAMPS = (
    *(("off", "steady"), ("green", "steady"), ("green", "slow_blink"), ("green", "fast_blink")),
    *(("red", "steady"), ("amber", "double_blink")),
)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """Say how accessible the site is, what is known to be wrong, and whom to tell."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return render(request, "parking/accessibility.html", {"address": address})


@require_safe
def style_guide(request: HttpRequest) -> HttpResponse:
    """Show every colour, size, sign and component, as the files have them. Only with DEBUG."""
    if not settings.DEBUG:
        raise Http404
    light = _source("css/tokens.css").partition("prefers-color-scheme: dark")[0]
    tokens = re.findall(r"--([\w-]+): ([^;]+);", light)
    signs = re.findall(r'<symbol id="([\w-]+)"', _source("img/icons.svg"))
    return render(
        request,
        "parking/style_guide.html",
        {
            "colours": [(name, value) for name, value in tokens if value.startswith("#")],
            "sizes": [name for name, _value in tokens if name.startswith("size-")],
            "gaps": [
                (name, value, round(float(value.removesuffix("rem")) * _REM))
                for name, value in tokens
                if name.startswith("gap-")
            ],
            "signs": signs,
            "lamps": _LAMPS,
        },
    )


def _source(name: str) -> str:
    return Path(str(finders.find(name))).read_text()
