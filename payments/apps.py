"""The payments application."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Checkout, refunds, ledger and reports."""

    name = "payments"
