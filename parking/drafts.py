"""What somebody typed to hold a spot, kept in their session while they are led elsewhere.

Never in an address or a log: a plate stands in it. It is gone when the spot is held.
"""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

_KEY = "draft"
_FIELDS = ("plate", "email", "vehicle_class", "vehicle")
_LONGEST = 254


def keep(request: HttpRequest, typed: QueryDict) -> None:
    """Keep the fields of a hold's form."""
    request.session[_KEY] = {
        name: typed[name][:_LONGEST] for name in _FIELDS if typed.get(name, "")
    }


def kept(request: HttpRequest) -> dict[str, str]:
    """Return what was kept, by the names of the fields."""
    return dict(request.session.get(_KEY, {}))


def forget(request: HttpRequest) -> None:
    """Keep nothing any more."""
    request.session.pop(_KEY, None)
