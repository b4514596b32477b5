"""Addresses under `/api/v1/`."""

from django.urls import path

from parking.api.bookings import BookingDetail, Bookings
from parking.api.extension import Extension
from parking.api.spots import SpotQuote, Spots

app_name = "api"
urlpatterns = [
    path("spots/", Spots.as_view(), name="spots"),
    path("spots/<int:spot_id>/quote/", SpotQuote.as_view(), name="spot-quote"),
    path("bookings/", Bookings.as_view(), name="bookings"),
    path("bookings/<str:reference>/", BookingDetail.as_view(), name="booking"),
    path("bookings/<str:reference>/extension/", Extension.as_view(), name="extension"),
]
