"""Fields for number plates: typed, or that of a vehicle which the account remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from parking import plates
from parking.formatting import number, plate_signs
from parking.models import Vehicle
from parking.plate_countries import COUNTRIES
from parking.price_words import class_words

ANOTHER = "another"  # a plate that is typed, among the vehicles that can be chosen
_REQUIRED = gettext_lazy("Write the number plate of your vehicle.")


class PlateField(forms.CharField):
    """A number plate as people type it."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        super().__init__(
            label=gettext_lazy("Number plate"),
            max_length=40,
            widget=forms.TextInput(attrs=attrs),
            error_messages={"required": _REQUIRED},
            **kwargs,
        )


class PlateForm(forms.Form):
    """One plate: the warden's question. It may be of any country: see `plates.spellings`."""

    plate = PlateField()

    def clean_plate(self) -> str:
        """Keep what was typed, if it can be a plate."""
        read_plate(self.cleaned_data["plate"], country="")
        typed: str = self.cleaned_data["plate"]
        return typed


class PlateChoice(forms.Form):
    """Who comes: one of the account's vehicles, or another plate.

    Cleaned, `plate` is the one that was chosen or typed, in its one spelling.
    """

    plate = PlateField(
        help_text=gettext_lazy("As on the vehicle; spaces and dashes do not matter.")
    )
    remember = forms.BooleanField(label=gettext_lazy("Remember this vehicle"), required=False)

    def __init__(
        self,
        *args: Any,
        vehicles: Sequence[Vehicle] = (),
        can_remember: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._vehicles = {str(vehicle.pk): vehicle for vehicle in vehicles}
        if not can_remember:
            del self.fields["remember"]
        if not vehicles:
            return
        self.fields["plate"].required = False
        self.fields["vehicle"] = forms.ChoiceField(
            label=_("Which vehicle?"),
            required=False,
            widget=forms.RadioSelect,
            choices=[
                *((key, vehicle_words(vehicle)) for key, vehicle in self._vehicles.items()),
                (ANOTHER, _("another plate")),
            ],
        )
        meant: str = self.get_initial_for_field(self.fields["plate"], "plate") or ""
        known = (key for key, vehicle in self._vehicles.items() if vehicle.plate == meant)
        first = next(iter(self._vehicles))
        self.initial["vehicle"] = next(known, ANOTHER if meant else first)
        if self.initial["vehicle"] != ANOTHER:
            self.initial["plate"] = ""

    def clean_plate(self) -> str:
        """Spell a typed plate as all plates are spelled."""
        typed: str = self.cleaned_data["plate"]
        return read_plate(typed) if typed else ""

    def clean(self) -> dict[str, Any]:
        """Take the chosen vehicle's plate; refuse to guess where another one was typed too."""
        cleaned = super().clean() or self.cleaned_data
        if "plate" not in cleaned or "vehicle" in self.errors:
            return cleaned
        vehicle = self._vehicles.get(cleaned.get("vehicle", ""))
        if vehicle is None:
            if not cleaned["plate"]:
                self.add_error("plate", str(_REQUIRED))
        elif cleaned["plate"] in {"", vehicle.plate}:
            cleaned["plate"] = vehicle.plate
        else:
            self.add_error(
                "plate",
                _("You chose another vehicle above. Choose “another plate” to come with this one."),
            )
        return cleaned


def _countries() -> list[tuple[str, str]]:
    known = sorted((str(one.name), code) for code, one in COUNTRIES.items())
    return [*((code, name) for name, code in known), ("", _("another country"))]


class VehicleForm(forms.Form):
    """A vehicle in an account's list."""

    plate = PlateField()
    country = forms.ChoiceField(
        label=gettext_lazy("Country of the plate"), required=False, choices=_countries
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Yours to choose, such as “family car”."),
    )

    def __init__(self, *args: Any, vehicle_classes: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if classes := list(vehicle_classes):
            self.fields["vehicle_class"] = vehicle_class_field(classes)

    def clean(self) -> dict[str, Any]:
        """Spell the plate as its country does."""
        cleaned = super().clean() or self.cleaned_data
        if "plate" in cleaned:
            try:
                cleaned["plate"] = read_plate(cleaned["plate"], country=cleaned.get("country", ""))
            except ValidationError as error:
                self.add_error("plate", error)
        return cleaned

    def remembered(self) -> dict[str, str]:
        """Return what `vehicles.add` and `vehicles.change` want to know."""
        wanted = {"plate", "country", "name", "vehicle_class"}
        return {name: self.cleaned_data.get(name, "") for name in wanted}


def vehicle_class_field(classes: Iterable[str]) -> forms.ChoiceField:
    """Make the choice between the classes that a tariff prices apart."""
    return forms.ChoiceField(
        label=_("Vehicle"),
        required=False,
        choices=[("", _("any other")), *((name, class_words(name)) for name in classes)],
        error_messages={"invalid_choice": _("This vehicle class has no price here.")},
    )


def vehicle_words(vehicle: Vehicle) -> SafeString:
    """Name a vehicle as its owner does, with its plate, which reads from left to right always."""
    plate = format_html('<bdo dir="ltr">{}</bdo>', plate_signs(vehicle.plate))
    return format_html("{} · {}", vehicle.name, plate) if vehicle.name else plate


def read_plate(text: str, *, country: str | None = None) -> str:
    """Return the plate in the one spelling of a country (by itself, the city's), or say why not."""
    try:
        return plates.normalise(text, country=settings.CITY_COUNTRY if country is None else country)
    except plates.BadPlate as error:
        messages = {
            "empty": _("Write the number plate of your vehicle."),
            "bad_sign": _("“%(sign)s” is on no number plate.") % {"sign": error.sign},
            "too_short": ngettext(
                "A number plate has at least %(n)s sign.",
                "A number plate has at least %(n)s signs.",
                plates.SHORTEST,
            )
            % {"n": number(plates.SHORTEST)},
            "too_long": ngettext(
                "A number plate has at most %(n)s sign.",
                "A number plate has at most %(n)s signs.",
                plates.LONGEST,
            )
            % {"n": number(plates.LONGEST)},
        }
        raise ValidationError(messages[error.code]) from error
