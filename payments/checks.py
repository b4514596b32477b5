"""What must be right about the payment settings before the site starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from payments import gateway

# What Stripe presents to a card and counts as ISO 4217 does. Left out: ISK, HUF, TWD and UGX,
# whose minor units it counts otherwise than we do.
SETTLED = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF
    GTQ GYD HKD HNL HTG IDR ILS INR JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD
    LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
    PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND
    TOP TRY TTD TZS UAH USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
    """.split()  # noqa: SIM905
)


@register
def payment_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a key for the wrong place, and a currency that the processor does not settle."""
    if not settings.STRIPE_API_KEY:
        return [
            checks.Warning(
                "STRIPE_API_KEY is empty: nobody can pay.",
                hint="`make run` starts the sandbox and sets sk_test_curblight.",
                id="payments.W001",
            )
        ]
    try:
        gateway.refuse_bad_settings()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="payments.E001")]
    problems: list[CheckMessage] = []
    if gateway.is_stripe() and settings.CITY_CURRENCY not in SETTLED:
        problems.append(
            Error(
                f"Stripe does not settle {settings.CITY_CURRENCY}.",
                hint="Use the sandbox for this city (STRIPE_API_BASE and an sk_test_ key), or "
                "another CITY_CURRENCY.",
                id="payments.E002",
            )
        )
    if not settings.STRIPE_WEBHOOK_SECRETS:
        problems.append(
            checks.Warning(
                "STRIPE_WEBHOOK_SECRETS is empty: every notice of the processor is refused.",
                hint="Payments are then found by the return page and the reconciler alone.",
                id="payments.W002",
            )
        )
    return problems
