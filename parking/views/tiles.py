"""Map tiles through the site."""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parking import tiles
from parking.throttling import TileThrottle, wait_for

logger = logging.getLogger(__name__)

_A_DAY = "public, max-age=86400, stale-if-error=604800"


@require_safe
def tile(request: HttpRequest, zoom: int, x: int, y: int) -> HttpResponse:
    """Answer a tile of the configured server, where the settings want it to come through us."""
    if not settings.MAP_TILES_PROXY:
        raise Http404
    seconds = wait_for(TileThrottle(), request)
    if seconds is not None:
        return _refusal(_("Too many map tiles."), 429, {"Retry-After": str(seconds)})
    try:
        found = tiles.fetch(zoom=zoom, x=x, y=y)
    except tiles.NoSuchTile:
        return _refusal(_("There is no such map tile."), 404, {"Cache-Control": "max-age=3600"})
    except tiles.TileServerAway as error:
        logger.warning("tile %s/%s/%s: %s", zoom, x, y, error)
        return _refusal(_("The map is away."), 502, {"Cache-Control": "no-store"})
    return HttpResponse(
        found.data, content_type=found.media_type, headers={"Cache-Control": _A_DAY}
    )


def _refusal(words: str, status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain", headers=headers)
