"""The parking application."""

from django.apps import AppConfig


class ParkingConfig(AppConfig):
    """Spots, bookings, prices and lights."""

    name = "parking"
