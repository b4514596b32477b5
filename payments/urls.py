"""Addresses of the pages about money, of the auditor's desk, of the processor's notices."""

from django.urls import URLPattern, path

from payments.views import (
    audit,
    change,
    citizen,
    exceptions,
    extend,
    officers,
    periods,
    taken,
    webhook,
)

app_name = "payments"
urlpatterns: list[URLPattern] = [
    path("bookings/<reference>/", citizen.show, name="booking"),
    path("bookings/<reference>/status.json", citizen.status_json, name="booking-status"),
    path("bookings/<reference>/pay/", citizen.pay, name="pay"),
    path("bookings/<reference>/return/", citizen.returned, name="return"),
    path("bookings/<reference>/give-up/", citizen.give_up, name="give-up"),
    path("bookings/<reference>/extend/", extend.extend, name="extend"),
    path("bookings/<reference>/change/", change.change_page, name="change"),
    path("bookings/<reference>/taken/", taken.taken_page, name="taken"),
    path("bookings/<reference>/cancel/", citizen.cancel_page, name="cancel"),
    path("bookings/<reference>/receipt/", citizen.receipt, name="receipt"),
    path("audit/", audit.show, name="report"),
    path("audit/lines.csv", audit.csv, name="report-csv"),
    path("audit/lines.xlsx", audit.xlsx, name="report-xlsx"),
    path("audit/exports/<int:export_id>/manifest.json", audit.manifest, name="manifest"),
    path("audit/exceptions/", exceptions.show, name="exceptions"),
    path("audit/exceptions/<int:exception_id>/", exceptions.one, name="exception"),
    path("audit/periods/", periods.show, name="periods"),
    path("desk/refunds/", officers.requests, name="refund-requests"),
    path("desk/payments/<uuid:payment_id>/refund/", officers.refund, name="refund"),
    path("desk/payments/<uuid:payment_id>/release/", officers.release, name="release"),
    path("stripe/webhook/", webhook.receive, name="webhook"),
]
