"""The map, its tiles, and who tells it of bookings."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.installation import CITY_CENTRE, env

MAP_TILES_URL = env.str("MAP_TILES_URL", "")  # empty: only the drawing of our own data
MAP_TILES_ATTRIBUTION = env.str("MAP_TILES_ATTRIBUTION", "")
# Where maps are told of bookings: /map/live behind a proxy, or another address; empty: they ask.
LIVE_URL = env.str("LIVE_URL", "")
live = urlsplit(LIVE_URL)
if LIVE_URL and not (
    LIVE_URL.startswith("/") or (live.scheme in {"http", "https"} and live.netloc)
):
    raise ImproperlyConfigured(f"LIVE_URL must look like /map/live, not {LIVE_URL!r}")
MAP_TILES_PROXY = env.bool("MAP_TILES_PROXY", False)  # the tile server sees the site alone
tile_url = urlsplit(MAP_TILES_URL.replace("{s}", "*"))
if MAP_TILES_URL and not (
    tile_url.scheme in {"http", "https"}
    and tile_url.netloc
    and all(f"{{{name}}}" in MAP_TILES_URL for name in "zxy")
):
    raise ImproperlyConfigured(
        f"MAP_TILES_URL must look like https://…/{{z}}/{{x}}/{{y}}.png, not {MAP_TILES_URL!r}"
    )
if MAP_TILES_PROXY and (not MAP_TILES_URL or "{s}" in MAP_TILES_URL):
    raise ImproperlyConfigured("MAP_TILES_PROXY needs a MAP_TILES_URL that names one host, no {s}")
_tiles_of = "/map/tiles/{z}/{x}/{y}" if MAP_TILES_PROXY else MAP_TILES_URL
MAP_MAX_ZOOM = 20
LEAFLET_CONFIG = {
    "DEFAULT_CENTER": (CITY_CENTRE[1], CITY_CENTRE[0]),
    "DEFAULT_ZOOM": 15,
    "MIN_ZOOM": 3,
    "MAX_ZOOM": MAP_MAX_ZOOM,
    "TILES": [("Map", _tiles_of, {"attribution": MAP_TILES_ATTRIBUTION})] if _tiles_of else [],
    "ATTRIBUTION_PREFIX": "",
    "RESET_VIEW": False,
    "SCALE": "metric",
    "NO_GLOBALS": True,
}
