"""Addresses of the pages about money, of the auditor's desk, of the processor's notices."""

from django.urls import URLPattern, path

from payments.views import (
    audit,
    audit_files,
    change,
    citizen,
    documents,
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
    path("bookings/<reference>/light/", taken.unlit_page, name="unlit"),
    path("bookings/<reference>/closed/", taken.closed_page, name="closed"),
    path("bookings/<reference>/cancel/", citizen.cancel_page, name="cancel"),
    path("bookings/<reference>/receipt/", citizen.receipt, name="receipt"),
    path("bookings/<reference>/documents/<slug:name>/", documents.show, name="document"),
    path("bookings/<reference>/documents/<slug:name>.pdf", documents.pdf, name="document-pdf"),
    path("audit/", audit.overview, name="report"),
    path("audit/lines/", audit.lines, name="audit-lines"),
    path("audit/totals/", audit.totals, name="audit-totals"),
    path("audit/comparison/", audit.compare, name="audit-comparison"),
    path("audit/chain/", audit.chain, name="audit-chain"),
    path("audit/files/", audit_files.files, name="audit-files"),
    path("audit/files/<slug:key>.<str:kind>", audit_files.file, name="audit-file"),
    path("audit/exports/<int:export_id>/manifest.json", audit_files.manifest, name="manifest"),
    path("audit/jobs/<int:job_id>/", audit_files.job, name="export-job"),
    path("audit/jobs/<int:job_id>/status.json", audit_files.job_status, name="export-job-status"),
    path("audit/jobs/<int:job_id>/file", audit_files.job_file, name="export-job-file"),
    path("audit/exceptions/", exceptions.show, name="exceptions"),
    path("audit/exceptions/<int:exception_id>/", exceptions.one, name="exception"),
    path("audit/periods/", periods.show, name="periods"),
    path("desk/refunds/", officers.requests, name="refund-requests"),
    path("desk/payments/<uuid:payment_id>/refund/", officers.refund, name="refund"),
    path("desk/payments/<uuid:payment_id>/release/", officers.release, name="release"),
    path("stripe/webhook/", webhook.receive, name="webhook"),
]
