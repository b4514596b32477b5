"""Drawing on a map in the desk: the widget, and a still drawing for those who only look."""

from __future__ import annotations

from math import cos, radians
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.geos import GEOSGeometry, MultiLineString, MultiPolygon, Point
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from leaflet.admin import LeafletAdminWidget, LeafletGeoAdminMixin

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin

_SKETCH = 240  # units of the longer side of a still drawing
_SPOT_VIEW = 0.0006  # degrees around a point


class MapWidget(LeafletAdminWidget):  # type: ignore[misc]
    """Leaflet's drawing widget above our own streets, as wide as the form."""

    @property
    def media(self) -> forms.Media:
        """Return Leaflet's files and ours; ours last, for they amend the first."""
        return super().media + forms.Media(js=["js/desk-map.js"])  # type: ignore[no-any-return]


class MapAdmin(LeafletGeoAdminMixin, _ModelAdmin):  # type: ignore[misc]
    """Edit a geometry on the map; show it as a still drawing where it may not be changed."""

    widget: ClassVar[type[MapWidget]] = MapWidget
    map_template = "admin/map_widget.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the drawing where the map would be, for those who only look."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self._still(name) for name in options["fields"]]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name the drawing as well."""
        return [*super().get_readonly_fields(request, obj), "drawing"]

    @admin.display(description=_("drawing"))
    def drawing(self, row: Any) -> SafeString | str:
        """Draw the row's geometry."""
        geometry = getattr(row, self._geometry_field)
        return sketch(geometry) if geometry else ""

    @property
    def _geometry_field(self) -> str:
        return next(
            field.name for field in self.opts.get_fields() if isinstance(field, GeometryField)
        )

    def _still(self, name: Any) -> Any:
        return "drawing" if name == self._geometry_field else name


def sketch(geometry: GEOSGeometry) -> SafeString:
    """Draw a geometry in degrees as a small SVG, with its middle in words."""
    west, south, east, north = geometry.extent
    if isinstance(geometry, Point):
        west, south, east, north = (
            west - _SPOT_VIEW,
            south - _SPOT_VIEW / 2,
            east + _SPOT_VIEW,
            north + _SPOT_VIEW / 2,
        )
    middle = geometry.centroid
    shrink = cos(radians(middle.y))
    scale = _SKETCH / max((east - west) * shrink, north - south, 1e-9)

    def place(x: float, y: float) -> str:
        return f"{(x - west) * shrink * scale:.1f},{(north - y) * scale:.1f}"

    def trace(points: Any) -> str:
        return "M" + " L".join(place(x, y) for x, y, *_ in points)

    if isinstance(geometry, MultiPolygon):
        path = " ".join(f"{trace(ring)} Z" for polygon in geometry.coords for ring in polygon)
    elif isinstance(geometry, MultiLineString):
        path = " ".join(trace(line) for line in geometry.coords)
    else:
        x, y = place(middle.x, middle.y).split(",")
        path = f"M{x},{y} m-6,0 a6,6 0 1,0 12,0 a6,6 0 1,0 -12,0"
    return format_html(
        '<svg class="sketch" viewBox="-8 -8 {} {}" role="img" aria-label="{}">'
        '<path fill-rule="evenodd" d="{}"/></svg><span class="sketch__place">{}</span>',
        f"{(east - west) * shrink * scale + 16:.0f}",
        f"{(north - south) * scale + 16:.0f}",
        gettext("Drawing of the place"),
        path,
        f"{middle.y:.5f}, {middle.x:.5f}",
    )
