"""What every page knows of its city and its visitor."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, get_language_info

from config.languages import offered
from parking.languages import in_language


def city(request: HttpRequest) -> dict[str, str | bool]:
    """Give templates the city's name, currency, time zone and phone; and whether money is play."""
    return {
        "city_name": settings.CITY_NAME,
        "city_currency": settings.CITY_CURRENCY,
        "city_time_zone": settings.CITY_TIME_ZONE,
        "city_phone": settings.CITY_PHONE,
        "has_mailbox": settings.DEMO_MAILBOX,
        "is_demo": settings.STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")),
    }


def language(request: HttpRequest) -> dict[str, Any]:
    """Give templates this page's address in every language, and the language to offer."""
    path, query = request.path_info, request.META.get("QUERY_STRING", "")
    return {
        "page_in_languages": [
            {
                **get_language_info(code),
                "url": in_language(path, code) + (f"?{query}" if query else ""),
                "public_url": settings.SITE_URL + in_language(path, code),
                "is_current": code == get_language(),
                "is_citys": code == settings.LANGUAGE_CODE,
            }
            for code, _name in settings.LANGUAGES
        ],
        "offered_language": offered(request),
    }


def visitor(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """Give templates a name for who is here, that tells two visitors of one browser apart."""

    def name() -> str:
        # A refusal may come before anybody has looked who asks.
        user, session = getattr(request, "user", None), getattr(request, "session", None)
        who = user.pk if user and user.is_authenticated else session and session.session_key
        return salted_hmac("visitor", str(who)).hexdigest()[:16] if who else ""

    return {"visitor": name}
