"""What every page knows of its city and its visitor."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def city(request: HttpRequest) -> dict[str, str | bool]:
    """Give templates the city's name, currency, time zone and phone; and whether money is play."""
    return {
        "city_name": settings.CITY_NAME,
        "city_currency": settings.CITY_CURRENCY,
        "city_time_zone": settings.CITY_TIME_ZONE,
        "city_phone": settings.CITY_PHONE,
        "is_demo": settings.STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")),
    }


def visitor(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """Give templates a name for who is here, that tells two visitors of one browser apart."""

    def name() -> str:
        user = request.user
        who = user.pk if user.is_authenticated else request.session.session_key
        return salted_hmac("visitor", str(who)).hexdigest()[:16] if who else ""

    return {"visitor": name}
