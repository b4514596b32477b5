"""The payments application."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Checkout, refunds, ledger and reports."""

    name = "payments"

    def ready(self) -> None:
        """Register the checks of the settings."""
        from payments import checks  # noqa: F401
