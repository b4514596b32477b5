"""The form of a draft."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from parking.admin.periods import PeriodField
from parking.admin.tariffs.editing import DocumentField
from parking.models import TariffVersion


class TariffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft. With one of the buttons that only look, nothing is saved."""

    # Not the model's own field: its constraints bind what is law, and `approve` keeps to them.
    period = PeriodField(
        label=_("Holds"),
        required=False,
        help_text=_("Without an end it holds until the next version. Local time of the city."),
    )
    document = DocumentField()

    class Meta:
        model = TariffVersion
        fields = ["zone", "document"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "period" in self.fields:  # a version that is no draft has no fields to edit
            self.fields["period"].initial = self.instance.in_force

    def is_valid(self) -> bool:
        """Say whether it can be saved; a form that is only looked at comes back as it was."""
        looks = "_preview" in self.data or "document:add" in self.data
        return super().is_valid() and not looks
