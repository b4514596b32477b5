"""Cookies, https, and what a page may load."""

from csp.constants import NONCE, NONE, SELF

from config.settings.installation import env, site
from config.settings.maps import MAP_TILES_PROXY, MAP_TILES_URL, live, tile_url

_secure = site.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", _secure)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if _secure else 0)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
_tile_hosts = (
    [f"{tile_url.scheme}://{tile_url.netloc}"] if MAP_TILES_URL and not MAP_TILES_PROXY else []
)
_live_hosts = [f"{live.scheme}://{live.netloc}"] if live.netloc else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *_tile_hosts],
        "connect-src": [SELF, *_live_hosts],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# The public gives longitudes and latitudes only, never a spatial reference; an operator's file is
# read with an allow-list of drivers. So an old GDAL's lack of a network lock is no way in.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]
