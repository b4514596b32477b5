"""What the pages of a tariff version show beside its form: week, words, differences, examples."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from parking import formatting, price_words, tariff_diff
from parking.admin.tariffs.editing import Edited, TariffEditor, written
from parking.admin.tariffs.preview import Question, preview
from parking.admin.tariffs.week import week_of
from parking.models import TariffVersion
from parking.pricing import QuoteError, Tariff, TariffError, quote

_TEMPLATES = "admin/parking/tariffversion"
_EXAMPLES = (15, 30, 60, 120, 240)  # minutes


def page(
    *,
    form: forms.BaseForm | None,
    version: TariffVersion | None,
    before: TariffVersion | None,
    data: Any,
) -> dict[str, Any]:
    """Return what the page of a version shows; without a form it cannot be edited."""
    now = timezone.now()
    document = version.document if version else None
    if form is not None:
        value = form["document"].value()
        document = (value if isinstance(value, Edited) else Edited.of(value)).document
    shown: dict[str, Any] = {
        "preview": preview(document, question=Question.posted(data), before=before, now=now),
        "editable": form is not None,
    }
    if version is not None:
        shown["examples"] = _examples(version)
    if form is None and version is not None:
        shown |= {"week": week_of(version.document), "document_text": written(version.document)}
    elif version is None:
        shown["preview_url"] = reverse("admin:parking_tariffversion_preview_new")
    else:
        shown["preview_url"] = reverse("admin:parking_tariffversion_preview", args=[version.pk])
    return shown


def answer(data: Any, *, before: TariffVersion | None) -> HttpResponse:
    """Answer the editor's script: the week and the words as HTML, the problems by path.

    With `render`, the editor comes along whole, as it is after a change of who writes.
    """
    edited = Edited.posted(data, "document")
    document = edited.document if isinstance(edited.document, dict) else {}
    shown = preview(
        edited.document, question=Question.posted(data), before=before, now=timezone.now()
    )
    found: dict[str, Any] = {
        "week": render_to_string(
            f"{_TEMPLATES}/_week.html", {"week": week_of(document, edited.origins)}
        ),
        "preview": render_to_string(f"{_TEMPLATES}/_preview.html", {"preview": shown}),
        "problems": [
            {"path": edited.on_page(path), "messages": messages}
            for path, messages in edited.problems.items()
        ],
    }
    if "render" in data and not edited.problems:
        edited.author = "json" if data["render"] == "json" else "fields"
        found["editor"] = TariffEditor().render("document", edited, {"id": "id_document"})
    return JsonResponse(found)


def comparison(
    *, version: TariffVersion, other: TariffVersion | None, others: list[TariffVersion]
) -> dict[str, Any]:
    """Return the context of the page that compares two versions, the older one first."""
    context: dict[str, Any] = {
        "title": _("Compare versions"),
        "version": version,
        "other": other,
        "others": others,
    }
    if other is not None:
        old, new = sorted((version, other), key=lambda one: one.version)
        context |= {
            "old": old,
            "new": new,
            "differences": tariff_diff.differences(
                Tariff.parse(old.document), Tariff.parse(new.document)
            ),
            "weeks": [(old, week_of(old.document)), (new, week_of(new.document))],
        }
    return context


def _examples(version: TariffVersion) -> dict[str, Any]:
    """Price some stays by a version, for the one who must approve it."""
    try:
        tariff = Tariff.parse(version.document)
    except TariffError:
        return {}
    since = version.in_force.lower if version.in_force else None
    first = timezone.localtime(since or timezone.now()).replace(minute=0, second=0, microsecond=0)
    starts = [
        (first + timedelta(days=(weekday - first.weekday()) % 7)).replace(hour=hour)
        for weekday in (1, 5, 6)  # Tuesday, Saturday, Sunday
        for hour in (10, 19)
    ]
    return {
        "lengths": [formatting.duration(minutes) for minutes in _EXAMPLES],
        "rows": [
            (formatting.moment(start), [_price(tariff, start, n) for n in _EXAMPLES])
            for start in starts
        ],
    }


def _price(tariff: Tariff, start: datetime, minutes: int) -> str:
    try:
        total = quote(tariff=tariff, start=start, end=start + timedelta(minutes=minutes)).total
    except QuoteError as error:
        return price_words.why_not(error)
    return formatting.money(total, tariff.currency)
