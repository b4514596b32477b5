"""The parking application."""

from django.apps import AppConfig


class ParkingConfig(AppConfig):
    """Spots, bookings, prices and lights."""

    name = "parking"

    def ready(self) -> None:
        """Let `manage.py check` see the city's light table."""
        from parking.lights import table  # noqa: F401
