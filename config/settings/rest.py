"""The REST API."""

from config.settings.installation import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "parking.problems.exception_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    # For one visitor, pages and API together; an empty rate is no limit.
    "DEFAULT_THROTTLE_RATES": {
        "hold": env.str("HOLD_RATE", "30/min") or None,
        "plate_search": env.str("PLATE_SEARCH_RATE", "60/min") or None,
        "erase": "10/hour",
        "tiles": env.str("TILE_RATE", "600/min") or None,
    },
    "NUM_PROXIES": int(env.bool("BEHIND_PROXY", False)),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Curblight",
    "DESCRIPTION": "Find, price, book and cancel metered parking spots of one city.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
