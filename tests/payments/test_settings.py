"""Bad payment settings are refused at the start, in words."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from payments import gateway


def problems() -> dict[str, str]:
    return {
        message.id: message.msg for message in run_checks() if message.id.startswith("payments.")
    }


@pytest.fixture(autouse=True)
def _good_settings(settings) -> None:
    settings.STRIPE_API_KEY = "sk_test_curblight"
    settings.STRIPE_API_BASE = "http://127.0.0.1:8010"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_x"]


def test_the_sandbox_is_fine_with_any_currency(settings) -> None:
    settings.CITY_CURRENCY = "IRR"
    assert problems() == {}


@pytest.mark.parametrize("key", ["sk_test_real", "sk_live_real"])
def test_stripe_itself_does_not_settle_rials(settings, key: str) -> None:
    settings.CITY_CURRENCY = "IRR"
    settings.STRIPE_API_KEY = key
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    assert problems() == {"payments.E002": "Stripe does not settle IRR."}
    settings.CITY_CURRENCY = "EUR"
    assert problems() == {}


@pytest.mark.parametrize("key", ["sk_live_real", "rk_live_real", "pk_test_x", "x"])
def test_a_real_key_never_leaves_for_another_host(settings, key: str) -> None:
    settings.STRIPE_API_KEY = key
    assert "payments.E001" in problems()
    with pytest.raises(ImproperlyConfigured, match="sk_test_"):
        gateway.refuse_bad_settings()


def test_no_key_is_a_warning_and_no_payment(settings, db: None) -> None:
    settings.STRIPE_API_KEY = ""
    assert "payments.W001" in problems()
    with pytest.raises(gateway.GatewayError, match="not_configured") as error:
        gateway.retrieve_session("cs_test_1")
    assert error.value.retryable


def test_no_webhook_secret_is_a_warning(settings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = []
    assert "payments.W002" in problems()
