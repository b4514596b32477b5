"""What the API takes and gives. Requests are validated by these; answers are described by them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import nan
from typing import Any

from django.contrib.gis.geos import Point
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from parking.availability import BBox
from parking.forms import read_bbox
from parking.models import Feature, SlotKind, SlotState
from parking.plate_forms import read_plate

LONGEST_QUESTION = timedelta(days=31)


class MomentField(serializers.DateTimeField):
    """ISO 8601; without an offset, the city's local time."""

    def to_internal_value(self, value: Any) -> datetime:
        """Read a moment that has its offset at once, anything else as REST framework does."""
        if isinstance(value, str):
            with suppress(ValueError, OverflowError):
                moment = datetime.fromisoformat(value)
                if moment.tzinfo is not None:
                    return moment.astimezone(UTC)
        return super().to_internal_value(value)


class PeriodQuery(serializers.Serializer[Any]):
    """`from` and `to`: ISO 8601; without an offset, the city's local time."""

    to = MomentField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python cannot spell as a class attribute."""
        return {"from": MomentField(), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a period that runs backwards or is too long to ask about."""
        if attrs["to"] <= attrs["from"]:
            raise serializers.ValidationError({"to": _("Must be after `from`.")})
        if attrs["to"] - attrs["from"] > LONGEST_QUESTION:
            raise serializers.ValidationError({"to": _("At most 31 days after `from`.")})
        return attrs


class BBoxField(serializers.CharField):
    """west,south,east,north in degrees (WGS 84)."""

    def to_internal_value(self, data: Any) -> BBox:  # type: ignore[override]
        """Parse the four numbers."""
        return read_bbox(super().to_internal_value(data))


class FeaturesField(serializers.CharField):
    """Names separated by commas."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        """Parse and check the names."""
        names = [name.strip() for name in super().to_internal_value(data).split(",")]
        names = [name for name in names if name]
        if unknown := sorted(set(names) - set(Feature.values)):
            raise serializers.ValidationError(
                _("Unknown: %(unknown)s. Known: %(known)s.")
                % {"unknown": ", ".join(unknown), "known": ", ".join(Feature.values)}
            )
        return names


class QuoteQuery(PeriodQuery):
    """The question "what would this stay cost?"."""

    vehicle_class = serializers.CharField(required=False, default="", max_length=32)


class SpotsQuery(PeriodQuery):
    """The question "which spots are there, and which are free then?"."""

    bbox = BBoxField(help_text="west,south,east,north in degrees")
    features = FeaturesField(
        required=False, default="", help_text="comma separated: " + ", ".join(Feature.values)
    )


class PlateField(serializers.CharField):
    """A number plate; separators and look-alike letters are normalised."""

    def to_internal_value(self, data: Any) -> str:
        """Normalise the plate."""
        return read_plate(super().to_internal_value(data))


class NearField(serializers.CharField):
    """lon,lat in degrees (WGS 84)."""

    def to_internal_value(self, data: Any) -> Point:  # type: ignore[override]
        """Parse the two numbers."""
        try:
            lon, lat = (float(part) for part in super().to_internal_value(data).split(","))
        except ValueError:
            lon = lat = nan
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise serializers.ValidationError(_("Write the place as lon,lat in degrees."))
        return Point(lon, lat, srid=4326)


class BookingRequest(PeriodQuery):
    """A wish for one spot, or for any spot of a zone."""

    spot = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    zone = serializers.SlugField(
        max_length=32, required=False, help_text="instead of `spot`: any free spot of this zone"
    )
    features = FeaturesField(
        required=False, default="", help_text="with `zone`: what the spot must have"
    )
    near = NearField(
        required=False, max_length=64, help_text="with `zone`: lon,lat; the nearest free spot"
    )
    vehicle = PlateField(min_length=2, max_length=24, help_text="number plate")
    email = serializers.EmailField()
    vehicle_class = serializers.CharField(required=False, default="", max_length=32)

    @cached_property
    def _each(self) -> list[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
        return list(self.fields.items())

    def to_internal_value(self, data: Any) -> Any:
        """Read what is said field by field; REST framework's own loop words whatever is wrong.

        That loop asks each field how it is bound; these all stand under their own names.
        """
        said: dict[str, Any] = {}
        try:
            for name, field in self._each:
                if name in data:
                    said[name] = field.run_validation(data[name])
                elif field.required:
                    return super().to_internal_value(data)
                elif field.default is not empty:
                    said[name] = field.default
        except (serializers.ValidationError, DjangoValidationError, TypeError):
            return super().to_internal_value(data)
        return said

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want a spot or a zone, and not both."""
        if ("spot" in attrs) == ("zone" in attrs):
            raise serializers.ValidationError({"spot": _("Name a spot or a zone, and not both.")})
        return super().validate(attrs)


class PriceLine(serializers.Serializer[Any]):
    """One line of a price; the lines sum to the total."""

    kind = serializers.CharField()
    amount = serializers.IntegerField(help_text="minor units")
    text = serializers.CharField()


class Alternative(serializers.Serializer[Any]):
    """A free spot near the one that was asked for, with the price of the same stay there."""

    spot = serializers.IntegerField()
    number = serializers.CharField()
    street = serializers.CharField()
    zone = serializers.CharField()
    distance_m = serializers.IntegerField()
    total = serializers.IntegerField(help_text="minor units")
    currency = serializers.CharField()


class CheaperNearby(Alternative):
    """The nearest of the cheapest free spots within 300 m with the same features."""

    saving = serializers.IntegerField(help_text="minor units less than on the spot asked for")


class QuoteAnswer(serializers.Serializer[Any]):
    """The price of a stay, final while the hold lasts."""

    spot = serializers.IntegerField()
    currency = serializers.CharField()
    total = serializers.IntegerField(help_text="minor units")
    chargeable_min = serializers.IntegerField()
    lines = PriceLine(many=True)
    free = serializers.BooleanField(help_text="nobody else has the spot then")
    same_price_until = serializers.DateTimeField(
        allow_null=True,
        help_text="the stay may end as late as this for the same total; null if not any later",
    )
    cheaper_nearby = CheaperNearby(
        allow_null=True, help_text="null if no spot that suits is free for less"
    )
    arrive_by = serializers.DateTimeField(
        allow_null=True,
        help_text=(
            "the spot is given to others where its sensor has seen nobody by then; null: it is "
            "kept to the end"
        ),
    )


class SpotAnswer(serializers.Serializer[Any]):
    """A spot as a booking names it."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    street = serializers.CharField()
    zone = serializers.CharField()
    lon = serializers.FloatField()
    lat = serializers.FloatField()


class ExtensionRequest(serializers.Serializer[Any]):
    """A wish to stay longer."""

    to = serializers.DateTimeField(help_text="the new end; without an offset, local time")


class SlotAnswer(serializers.Serializer[Any]):
    """An extension or change: held until it is paid, or confirmed where nothing is to be paid."""

    kind = serializers.ChoiceField(choices=SlotKind.choices)
    state = serializers.ChoiceField(choices=SlotState.choices)
    spot = serializers.IntegerField()
    to = serializers.DateTimeField()
    amount = serializers.IntegerField(help_text="minor units to be paid for it")
    currency = serializers.CharField()
    held_until = serializers.DateTimeField()


class ExtensionChoice(serializers.Serializer[Any]):
    """An end that the stay can have."""

    to = serializers.DateTimeField()
    amount = serializers.IntegerField(help_text="minor units to be paid for it")


class ExtensionRoom(serializers.Serializer[Any]):
    """How far a stay can grow."""

    ends = serializers.DateTimeField(help_text="when the stay ends now")
    latest = serializers.DateTimeField(allow_null=True, help_text="null: it cannot grow")
    limit = serializers.CharField(allow_blank=True, help_text="what stops it, in words")
    currency = serializers.CharField()
    choices = ExtensionChoice(many=True)


class BookingAnswer(serializers.Serializer[Any]):
    """A booking as its owner sees it, with its extensions and changes."""

    reference = serializers.CharField()
    key = serializers.CharField(help_text="opens the booking: send it as the header Booking-Key")
    state = serializers.ChoiceField(choices=SlotState.choices)
    spot = SpotAnswer()
    amount = serializers.IntegerField(help_text="minor units")
    currency = serializers.CharField()
    vehicle = serializers.CharField()
    held_until = serializers.DateTimeField()
    waiting = SlotAnswer(
        allow_null=True, help_text="an extension or change that waits for its payment"
    )
    page = serializers.URLField(help_text="the booking's page: pay, receipt, cancel")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the period."""
        return {
            **super().get_fields(),
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
        }


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of that name
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class TakenProblem(Problem):
    """409: somebody was faster."""

    alternatives = Alternative(many=True, required=False)


class PointAnswer(serializers.Serializer[Any]):
    """GeoJSON Point."""

    type = serializers.ChoiceField(choices=["Point"])
    coordinates = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)


class SpotProperties(serializers.Serializer[Any]):
    """What a map shows of a spot."""

    number = serializers.CharField()
    street = serializers.CharField()
    zone = serializers.CharField()
    features = serializers.ListField(child=serializers.CharField())
    free = serializers.BooleanField()


class SpotFeature(serializers.Serializer[Any]):
    """GeoJSON Feature."""

    type = serializers.ChoiceField(choices=["Feature"])
    id = serializers.IntegerField()
    geometry = PointAnswer()
    properties = SpotProperties()


class SpotCollection(serializers.Serializer[Any]):
    """GeoJSON FeatureCollection, at most 2,000 spots; `truncated` when there are more."""

    type = serializers.ChoiceField(choices=["FeatureCollection"])
    truncated = serializers.BooleanField()
    features = SpotFeature(many=True)
