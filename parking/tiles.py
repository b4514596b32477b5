"""Map tiles fetched by the site, so that the tile server never meets a citizen.

Only tiles of the configured server, of our city, and of a reasonable size: this is no way to other
addresses, and no mirror of the world.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import lru_cache

import httpx
from django.conf import settings

LARGEST = 512 * 1024  # bytes
LONGEST_S = 10.0  # for all of it, however it drips
AROUND_THE_CITY = 1.0  # degrees from its centre; zoomed out, a tile is larger than that
_MEDIA_TYPES = {"image/png", "image/jpeg", "image/webp"}
_TIMEOUT = httpx.Timeout(4, connect=2)


class NoSuchTile(Exception):
    """There is none at that place, or it is not of this city."""


class TileServerAway(Exception):
    """The tile server did not answer with a picture in time."""


@dataclass(frozen=True)
class Tile:
    """A picture of a piece of the map."""

    data: bytes
    media_type: str


def fetch(*, zoom: int, x: int, y: int) -> Tile:
    """Return a tile.

    Raises:
        NoSuchTile, TileServerAway: see there.
    """
    if not is_of_the_city(zoom=zoom, x=x, y=y):
        raise NoSuchTile
    address = settings.MAP_TILES_URL.format(z=zoom, x=x, y=y)
    try:
        with _client().stream("GET", address) as answer:
            if answer.status_code in {204, 404, 410}:
                raise NoSuchTile
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            if answer.status_code != 200 or media_type not in _MEDIA_TYPES:
                raise TileServerAway(f"{answer.status_code} {media_type}")
            return Tile(_read(answer), media_type)
    except httpx.HTTPError as error:
        raise TileServerAway(type(error).__name__) from error


def is_of_the_city(*, zoom: int, x: int, y: int) -> bool:
    """Say whether there can be such a tile, and whether it touches the city's surroundings."""
    count = 2**zoom if zoom <= settings.MAP_MAX_ZOOM else 0
    if x >= count or y >= count:
        return False
    longitude, latitude = settings.CITY_CENTRE
    west, east = (_column(longitude + away, count) for away in (-AROUND_THE_CITY, AROUND_THE_CITY))
    north, south = (_row(latitude + away, count) for away in (AROUND_THE_CITY, -AROUND_THE_CITY))
    return west <= x <= east and north <= y <= south


def _column(longitude: float, count: int) -> int:
    return math.floor((longitude + 180) / 360 * count)


def _row(latitude: float, count: int) -> int:
    stretched = math.asinh(math.tan(math.radians(max(-85.0, min(85.0, latitude)))))
    return math.floor((1 - stretched / math.pi) / 2 * count)


def _read(answer: httpx.Response) -> bytes:
    data, until = bytearray(), time.monotonic() + LONGEST_S
    for piece in answer.iter_bytes():
        data += piece
        if len(data) > LARGEST or time.monotonic() > until:
            raise TileServerAway("too large, or too slow")
    return bytes(data)


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """Keep connections open; nothing of the visitor goes along, and no redirect is followed."""
    name = f"Curblight/{settings.VERSION} (+{settings.SITE_URL})"
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": name})
