"""The addresses of the site."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from parking.views.metrics import metrics
from parking.views.offline import service_worker
from payments.api import Cancel, Checkout, LongerHold
from payments.change_api import Change
from payments.views import webhook


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the site and its database work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers that look for the old name to the sign of the site."""
    return redirect(static("img/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("api/v1/", include("parking.api.urls")),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", favicon, name="favicon"),
    path("service-worker.js", service_worker, name="service-worker"),
    path("edge/v1/", include("parking.edge_urls")),
    path("api/v1/bookings/<str:reference>/cancel/", Cancel.as_view(), name="api-cancel"),
    path("api/v1/bookings/<str:reference>/change/", Change.as_view(), name="api-change"),
    path("api/v1/bookings/<str:reference>/checkout/", Checkout.as_view(), name="api-checkout"),
    path(
        "api/v1/bookings/<str:reference>/longer-hold/",
        LongerHold.as_view(),
        name="api-longer-hold",
    ),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api.html"),
        name="api-docs",
    ),
    path("stripe/webhook/", webhook.receive, name="webhook"),
    # What people read: with the language before it, unless that is the city's own.
    *i18n_patterns(
        path("accounts/", include("config.accounts.urls")),
        path("admin/", admin.site.urls),
        path("", include("parking.urls")),
        path("", include("payments.urls")),
        prefix_default_language=False,
    ),
]

handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
