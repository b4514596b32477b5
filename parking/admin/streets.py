"""Streets: the drawing beneath every map."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from parking.admin.maps import MapAdmin
from parking.admin.names import NamedAdmin
from parking.models import Street

_DRAWING = """
SELECT 'street', ST_AsGeoJSON(geometry, 6) FROM parking_street
UNION ALL
SELECT 'zone', ST_AsGeoJSON(boundary, 6) FROM parking_zone WHERE is_active
"""


@admin.register(Street)
class StreetAdmin(NamedAdmin, MapAdmin):
    """Name, line and width of a street."""

    list_display = ["name", "width_m"]
    search_fields = ["name"]
    fieldsets = [(None, {"fields": ["name", "names", "width_m", "geometry"]})]

    def get_urls(self) -> list[URLPattern]:
        """Add the drawing that the desk's maps lay beneath."""
        drawing = path(
            "drawing.json", self.admin_site.admin_view(drawing_json), name="parking_street_drawing"
        )
        return [drawing, *super().get_urls()]


def drawing_json(request: HttpRequest) -> HttpResponse:
    """Answer the city's streets and zones as GeoJSON; the same for everybody of the desk."""
    with connection.cursor() as cursor:
        cursor.execute(_DRAWING)
        features: list[dict[str, Any]] = [
            {"type": "Feature", "properties": {"kind": kind}, "geometry": json.loads(geometry)}
            for kind, geometry in cursor
        ]
    answer = HttpResponse(
        json.dumps({"type": "FeatureCollection", "features": features}),
        content_type="application/geo+json",
    )
    answer["Cache-Control"] = "private, max-age=300"
    return answer
