"""How often one visitor may ask for what costs others something. Shared by pages and API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView


class PerVisitorThrottle(SimpleRateThrottle):
    """Count by account, or by address where nobody is signed in."""

    def get_cache_key(self, request: Request | HttpRequest, view: APIView | None) -> str:
        """Name the visitor; an e-mail address or a plate never becomes part of it."""
        ident = (
            f"user-{request.user.pk}" if request.user.is_authenticated else self.get_ident(request)  # type: ignore[arg-type]  # reads META only
        )
        return self.cache_format % {"scope": self.scope, "ident": ident}


class HoldThrottle(PerVisitorThrottle):
    """Holds: each keeps a spot from others for ten minutes."""

    scope = "hold"


class PlateSearchThrottle(PerVisitorThrottle):
    """Searches for a plate by staff: enough for a street, not for a register."""

    scope = "plate_search"


class EraseThrottle(PerVisitorThrottle):
    """Tries to prove who one is before everything is forgotten."""

    scope = "erase"


class TileThrottle(PerVisitorThrottle):
    """Map tiles through the site: as many as somebody who looks around needs."""

    scope = "tiles"

    def get_cache_key(self, request: Request | HttpRequest, view: APIView | None) -> str:
        """Count by address alone: a tile that asked for the session could not be cached."""
        ident = self.get_ident(request)  # type: ignore[arg-type]  # reads META only
        return self.cache_format % {"scope": self.scope, "ident": ident}


def wait_for(throttle: SimpleRateThrottle, request: HttpRequest) -> int | None:
    """Count this request; None when it may go on, else the seconds to wait."""
    if throttle.allow_request(request, None):  # type: ignore[arg-type]  # a plain Django request
        return None
    return max(1, round(throttle.wait() or 1))
