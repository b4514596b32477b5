"""What every page knows of its city."""

from django.conf import settings
from django.http import HttpRequest


def city(request: HttpRequest) -> dict[str, str | bool]:
    """Give templates the city's name, currency, time zone and phone; and whether money is play."""
    return {
        "city_name": settings.CITY_NAME,
        "city_currency": settings.CITY_CURRENCY,
        "city_time_zone": settings.CITY_TIME_ZONE,
        "city_phone": settings.CITY_PHONE,
        "is_demo": settings.STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")),
    }
