"""Tariff documents as files: out in the wording that was hashed, in as a new draft."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parking import tariff_versions
from parking.models import TariffVersion, Zone
from parking.pricing import Tariff

LARGEST_FILE = 1024 * 1024  # bytes


class NotReadable(ValueError):
    """The text is no JSON document that can be stored; the message is for people."""


def read_json(text: str) -> Any:
    """Read JSON strictly: no key twice, no NaN, nothing that UTF-8 cannot hold.

    Raises:
        NotReadable: with what is wrong and where.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise NotReadable(gettext("The key “%(key)s” stands there twice.") % {"key": key})
            found[key] = value
        return found

    def refuse(constant: str) -> Any:
        raise NotReadable(gettext("%(word)s is not a number in JSON.") % {"word": constant})

    try:
        text.encode()
        document = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise NotReadable(
            gettext("This is not valid JSON: line %(line)s, column %(column)s.")
            % {"line": error.lineno, "column": error.colno}
        ) from error
    except UnicodeEncodeError as error:
        raise NotReadable(gettext("The text holds half a character (a lone surrogate).")) from error
    except RecursionError as error:
        raise NotReadable(gettext("This is not valid JSON: it is nested too deeply.")) from error
    except NotReadable:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise NotReadable(gettext("This is not valid JSON: a number is too long.")) from error
    return document


class UploadForm(forms.Form):
    """A file with a tariff document, for a zone of one's own."""

    zone = forms.ModelChoiceField(Zone.objects.none(), label=_("Zone"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("A tariff as JSON in UTF-8, of at most 1 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_file(self) -> dict[str, Any]:
        """Return the document; refuse what the price engine refuses, naming each key."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise ValidationError(
                gettext("The file has %(size)s; at most 1 MB is read.")
                % {"size": filesizeformat(file.size or 0)}
            )
        try:
            document = read_json(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ValidationError(gettext("The file is not UTF-8 text.")) from error
        except NotReadable as error:
            raise ValidationError(str(error)) from error
        if wrong := tariff_versions.problems(document):
            raise ValidationError(wrong)
        return dict(document)


def download(version: TariffVersion) -> HttpResponse:
    """Answer with the document, written as it was hashed."""
    answer = HttpResponse(
        Tariff.parse(version.document).canonical, content_type="application/json; charset=utf-8"
    )
    name = f"{version.zone.code}-v{version.version}.json"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
