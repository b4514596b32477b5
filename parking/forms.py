"""What citizens and wardens fill in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parking import stay_times
from parking.availability import BBox
from parking.day_fields import ClockField, DayField
from parking.formatting import duration
from parking.models import Feature, Spot
from parking.numerals import latin
from parking.plate_forms import PlateChoice, vehicle_class_field

_LONGEST_ASKED = timedelta(days=31)
_BAD_LENGTH = {
    "invalid": gettext_lazy("Choose a length."),
    "min_value": gettext_lazy("Choose a length."),
    "max_value": gettext_lazy("Nobody can book for more than 31 days."),
}


class StayForm(forms.Form):
    """When, and for how long: local date, clock time and minutes."""

    on = DayField(label=gettext_lazy("Date"))
    at = ClockField(label=gettext_lazy("Start"))
    length = forms.IntegerField(
        label=gettext_lazy("Length of stay"),
        min_value=1,
        max_value=int(_LONGEST_ASKED.total_seconds() // 60),
        error_messages=_BAD_LENGTH,
        widget=forms.Select,
    )

    start: datetime
    end: datetime

    def __init__(
        self, *args: Any, lengths: Iterable[int] = stay_times.LENGTHS_MIN, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        minutes = set(lengths)
        chosen = latin(str(self["length"].value()))
        if chosen.isascii() and chosen.isdigit() and len(chosen) <= 5:
            minutes.add(int(chosen))
        self.fields["length"].widget.choices = [(n, duration(n)) for n in sorted(minutes)]

    def clean(self) -> dict[str, Any]:
        """Work out `start` and `end`, both aware."""
        cleaned = super().clean() or self.cleaned_data
        if {"on", "at", "length"} <= cleaned.keys():
            try:
                self.start = stay_times.start_of(on=cleaned["on"], at=cleaned["at"])
            except stay_times.NoSuchTime as error:
                self.add_error("at", str(error))
            else:
                self.end = self.start + timedelta(minutes=cleaned["length"])
        return cleaned

    def period_query(self) -> dict[str, str]:
        """Return the parameters that say this stay to any page that has these fields."""
        return {
            "on": f"{self.cleaned_data['on']:%Y-%m-%d}",
            "at": f"{self.cleaned_data['at']:%H:%M}",
            "length": str(self.cleaned_data["length"]),
        }


class SearchForm(StayForm):
    """What the find page's address holds."""

    place = forms.CharField(
        label=gettext_lazy("Street or place"), required=False, max_length=80, strip=True
    )
    zone = forms.SlugField(label=gettext_lazy("Zone"), required=False, max_length=32)
    feature = forms.MultipleChoiceField(
        label=gettext_lazy("Only with"),
        required=False,
        choices=Feature.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("No spot has “%(value)s”.")},
    )
    show = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[("free", gettext_lazy("Free spots")), ("all", gettext_lazy("All spots"))],
    )
    price = forms.IntegerField(
        label=gettext_lazy("Price of the stay"), required=False, min_value=0, max_value=10**12
    )
    bbox = forms.CharField(required=False, widget=forms.HiddenInput, max_length=100)
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)

    def clean_bbox(self) -> BBox | None:
        """Read west,south,east,north."""
        text: str = self.cleaned_data["bbox"]
        return read_bbox(text) if text else None


class BusyForm(forms.Form):
    """What the map asks: which spots in this view are taken in this period?"""

    bbox = forms.CharField(max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = MomentField()  # a keyword, so it cannot be an attribute
        self.fields["to"] = MomentField()

    def clean_bbox(self) -> BBox:
        """Read west,south,east,north."""
        return read_bbox(self.cleaned_data["bbox"])

    def clean(self) -> dict[str, Any]:
        """Refuse a period that is empty, backwards or longer than any stay."""
        cleaned = super().clean() or self.cleaned_data
        if {"from", "to"} <= cleaned.keys():
            if cleaned["to"] <= cleaned["from"]:
                self.add_error("to", _("The end must be after the start."))
            elif cleaned["to"] - cleaned["from"] > _LONGEST_ASKED:
                self.add_error("to", _("Nobody can book for more than 31 days."))
        return cleaned


class MomentField(forms.CharField):
    """An ISO 8601 moment with its offset, such as 2026-03-03T08:00:00Z."""

    def clean(self, value: Any) -> datetime:
        """Return the aware moment."""
        try:
            moment = datetime.fromisoformat(super().clean(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 2000 <= moment.year < 2200:
            raise ValidationError(
                _("Write a moment with its offset, such as 2026-03-03T08:00:00Z.")
            )
        return moment


class HoldForm(StayForm, PlateChoice):
    """Who comes: what a booking needs besides the stay."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=gettext_lazy("Your receipt and the link to your booking go there."),
        error_messages={"required": gettext_lazy("Write an e-mail address that you read.")},
    )
    vehicle_class = forms.ChoiceField(label=gettext_lazy("Vehicle"), required=False)

    def __init__(self, *args: Any, vehicle_classes: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        classes = list(vehicle_classes)
        if classes:
            self.fields["vehicle_class"] = vehicle_class_field(classes)
        else:
            del self.fields["vehicle_class"]


class ChangeForm(StayForm):
    """Another spot of the zone, by its number, and another time."""

    spot = forms.CharField(
        label=gettext_lazy("Spot"),
        max_length=32,
        help_text=gettext_lazy("The number on the meter or the kerb, in the same zone."),
        error_messages={"required": gettext_lazy("Write the number of a spot.")},
    )

    def __init__(self, *args: Any, here: Spot, has_begun: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._here = here
        if has_begun:  # a stay that runs keeps its start
            for name in ("on", "at"):
                self.fields[name].widget = forms.HiddenInput()

    def clean_spot(self) -> int:
        """Return the id of the spot in use of the zone that has this number."""
        number = latin(self.cleaned_data["spot"].strip())
        found = Spot.objects.filter(zone=self._here.zone_id, number__iexact=number, is_active=True)
        spot_id: int | None = found.values_list("id", flat=True).first()
        if spot_id is None:
            raise ValidationError(
                _("%(zone)s has no spot %(number)s in use.")
                % {"zone": self._here.zone.local_name, "number": number}
            )
        return spot_id


class QuoteForm(StayForm):
    """The stay on one spot, and the vehicle where the tariff asks."""

    def __init__(self, *args: Any, vehicle_classes: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if classes := list(vehicle_classes):
            self.fields["vehicle_class"] = vehicle_class_field(classes)


def read_bbox(text: str) -> BBox:
    """Read `west,south,east,north` in degrees, or say what is wrong with it."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise ValidationError(_("Write the area as west,south,east,north in degrees.")) from None
    corners = (west, south, east, north)
    if not all(isfinite(corner) for corner in corners):
        raise ValidationError(_("Write the area as west,south,east,north in degrees."))
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValidationError(_("West must lie before east, south before north, within the globe."))
    return corners
