"""A day and a time that people type with any digits, and in the calendar that they live by."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from parking import numerals

_OFFERED = 14  # days, in the list beneath the field
_BAD_DATE = gettext_lazy("Write the date as year-month-day, such as 2026-03-31.")
_BAD_TIME = gettext_lazy("Write the time as hours:minutes, such as 18:05.")


class DayInput(forms.DateInput):
    """The browser's own calendar; it knows no Jalali days, so Persian has text and a list."""

    template_name = "parking/day_input.html"

    def format_value(self, value: Any) -> str | None:
        """Write a day in the reader's calendar; leave alone what is none."""
        if isinstance(value, str):
            try:
                value = numerals.read_day(value)
            except ValueError:
                return str(value)
        return numerals.day_typed(value) if isinstance(value, date) else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the days that are offered."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        widget = context["widget"]
        if not numerals.is_persian():
            widget["type"] = "date"
            return context
        widget["attrs"] |= {"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}
        if "id" in widget["attrs"]:
            widget["attrs"]["list"] = f"{widget['attrs']['id']}_days"
            today = timezone.localdate()
            days = [today + timedelta(days=ahead) for ahead in range(_OFFERED)]
            widget["days"] = [(numerals.day_typed(one), numerals.day(one)) for one in days]
        return context


class DayField(forms.DateField):
    """A day of either calendar."""

    widget = DayInput
    default_error_messages = {"invalid": _BAD_DATE}

    def to_python(self, value: Any) -> date | None:
        """Read what was typed."""
        if value in self.empty_values or isinstance(value, date):
            return super().to_python(value)
        try:
            return numerals.read_day(str(value))
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class ClockField(forms.TimeField):
    """A time of the day, with or without seconds."""

    default_error_messages = {"invalid": _BAD_TIME}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%H:%M", "%H:%M:%S"],
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            **kwargs,
        )

    def to_python(self, value: Any) -> time | None:
        """Read what was typed."""
        return super().to_python(numerals.latin(value) if isinstance(value, str) else value)
