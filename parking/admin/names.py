"""Names of a place by language, a line for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest


class NamesInput(forms.MultiWidget):
    """A text for each language of the site."""

    def __init__(self) -> None:
        super().__init__(
            {
                code: forms.TextInput({"lang": code, "aria-label": name, "placeholder": name})
                for code, name in settings.LANGUAGES
            }
        )

    def decompress(self, value: Any) -> list[str]:
        """Return the texts in the order of the languages."""
        names = value if isinstance(value, Mapping) else {}
        return [names.get(code, "") for code, _name in settings.LANGUAGES]


class NamesField(forms.MultiValueField):
    """Names by language; an empty line stands for the city's own name."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        texts = [forms.CharField(required=False, max_length=longest) for _ in settings.LANGUAGES]
        super().__init__(
            fields=texts, widget=NamesInput, required=False, require_all_fields=False, **kwargs
        )

    def compress(self, data_list: list[str]) -> dict[str, str]:
        """Return what was filled in."""
        texts = zip(settings.LANGUAGES, data_list, strict=False)
        return {code: text for (code, _name), text in texts if text}


class NamedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A noun of the desk that has names by language."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ask for the names language by language."""
        if db_field.name in {"names", "street_names"}:
            return NamesField(longest=120, label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)
