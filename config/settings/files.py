"""Static files."""

from pathlib import Path

from config.settings.installation import BASE_DIR, DEBUG, env

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# What is compressed already; and source maps, half of the bytes, wanted by developers only.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["gif", "jpg", "png", "webp", "woff", "woff2", "map"]
