"""Addresses of the citizen's pages about money, and of the processor's notices."""

from django.urls import URLPattern, path

from payments.views import citizen, webhook

app_name = "payments"
urlpatterns: list[URLPattern] = [
    path("bookings/<reference>/", citizen.show, name="booking"),
    path("bookings/<reference>/status.json", citizen.status_json, name="booking-status"),
    path("bookings/<reference>/pay/", citizen.pay, name="pay"),
    path("bookings/<reference>/return/", citizen.returned, name="return"),
    path("bookings/<reference>/give-up/", citizen.give_up, name="give-up"),
    path("bookings/<reference>/cancel/", citizen.cancel_page, name="cancel"),
    path("bookings/<reference>/receipt/", citizen.receipt, name="receipt"),
    path("stripe/webhook/", webhook.receive, name="webhook"),
]
