"""Languages, dates and numbers."""

from django.utils.translation import gettext_lazy as _
from environs import validate

from config.settings.installation import BASE_DIR, CITY_TIME_ZONE, env

LANGUAGES = [
    ("en", _("English")),
    ("fa", _("Persian")),
    ("ru", _("Russian")),
    ("vi", _("Vietnamese")),
]
# The city's own: its pages have no language in their address, those of the others do.
LANGUAGE_CODE = env.str(
    "LANGUAGE_CODE", "en", validate=validate.OneOf([code for code, _name in LANGUAGES])
)
# Ours; and some texts of Django and allauth that their own catalogues say too familiarly.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "config" / "words_of_libraries" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = CITY_TIME_ZONE
