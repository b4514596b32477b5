"""Periods in forms: two moments, each a date and a time in the city's zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.postgres.fields import DateTimeRangeField as PeriodModelField
from django.contrib.postgres.forms import DateTimeRangeField, RangeWidget
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.translation import gettext_lazy as _


class PeriodWidget(RangeWidget):
    """Two admin date-and-time pickers, named."""

    template_name = "admin/period_widget.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(AdminSplitDateTime, attrs)


class PeriodField(DateTimeRangeField):
    """A half-open period `[from, until)`."""

    base_field = forms.SplitDateTimeField

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", PeriodWidget())
        super().__init__(**kwargs)

    def compress(self, values: Any) -> Any:
        """Return the period; refuse one without a moment in it."""
        period = super().compress(values)
        if period is not None and period.lower is not None and period.lower == period.upper:
            raise ValidationError(_("The end must be after the start."), code="empty")
        return period


OVERRIDES: dict[type[Field[Any, Any]], dict[str, Any]] = {
    PeriodModelField: {"form_class": PeriodField, "widget": PeriodWidget}
}
