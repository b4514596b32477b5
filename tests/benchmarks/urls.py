"""The site, and one view that does nothing but insert the row of a hold."""

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.urls import urlpatterns as site
from tests.benchmarks.city import INSERT


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Insert one slot under the constraint, as pgbench does."""
    wish = orjson.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, {"spot": wish["spot"], "hour": wish["hour"]})
    return HttpResponse(b"{}", status=201, content_type="application/json")


urlpatterns = [path("bare/", bare), *site]
