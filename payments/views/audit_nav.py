"""What the pages of the auditor's desk share: who gets in, which pages there are, which days."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from parking.day_fields import DayField
from parking.models import Zone
from payments.models import LedgerKind
from payments.reports import Range

P = ParamSpec("P")
LONGEST_DAYS = 366 * 5


@dataclass(frozen=True)
class Page:
    """One page of the desk: the name of its address, its title, who may open it."""

    name: str
    title: str | Promise
    permission: str = "payments.view_audit"


PAGES = (
    Page("payments:report", gettext_lazy("Overview")),
    Page("payments:audit-lines", gettext_lazy("Lines")),
    Page("payments:audit-totals", gettext_lazy("Totals")),
    Page("payments:audit-comparison", gettext_lazy("Comparison")),
    Page("payments:exceptions", gettext_lazy("Exceptions"), "payments.view_moneyexception"),
    Page("payments:periods", gettext_lazy("Periods")),
    Page("payments:audit-chain", gettext_lazy("Chain")),
    Page("payments:audit-files", gettext_lazy("Files")),
)


class RangeForm(forms.Form):
    """Which business days, which zone."""

    first_on = DayField(label=gettext_lazy("From"))
    last_on = DayField(label=gettext_lazy("To, included"))
    zone = forms.ModelChoiceField(
        Zone.objects.order_by("name"),
        to_field_name="code",
        required=False,
        label=gettext_lazy("Zone"),
        empty_label=gettext_lazy("all zones"),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a range that runs backwards, or over more years than anybody reads."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_on"), cleaned.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", _("This day lies before the first one."))
        elif first and last and (last - first).days > LONGEST_DAYS:
            self.add_error("last_on", _("At most five years at once."))
        return cleaned

    def covered(self) -> Range:
        """Return the range of a valid form."""
        return Range(**self.cleaned_data)

    def query(self) -> str:
        """Return the filters as they stand in an address."""
        asked = QueryDict(mutable=True)
        for name in self.fields:
            if value := self.data.get(name):
                asked[name] = value
        return asked.urlencode()


class LinesForm(RangeForm):
    """Lines can be asked for by kind and by booking as well."""

    kind = forms.ChoiceField(
        choices=[("", gettext_lazy("all kinds")), *LedgerKind.choices],
        required=False,
        label=gettext_lazy("Kind"),
    )
    booking = forms.CharField(
        max_length=8,
        required=False,
        label=gettext_lazy("Booking"),
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off"}),
    )


def asked(request: HttpRequest, form: type[RangeForm] = RangeForm) -> RangeForm:
    """Return the form with what the address asks for; this month where it names no day."""
    data = request.GET.copy()
    if not data.keys() & form.base_fields.keys():
        today = timezone.localdate()
        days = calendar.monthrange(today.year, today.month)[1]
        data["first_on"] = today.replace(day=1).isoformat()
        data["last_on"] = today.replace(day=days).isoformat()
    return form(data)


def years_up_to(last_on: date) -> str:
    """Return the filters of as many days as one file may cover, up to this one."""
    first_on = last_on - timedelta(days=LONGEST_DAYS)
    return urlencode({"first_on": first_on.isoformat(), "last_on": last_on.isoformat()})


def auditors_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let people in who may audit; send strangers to the sign-in, refuse everybody else."""

    @login_required
    @permission_required("payments.view_audit", raise_exception=True)
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return guarded


def reading(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Make a page for auditors that takes no orders."""
    return auditors_only(require_safe(view))


def links(request: HttpRequest, *, query: str = "") -> list[dict[str, Any]]:
    """Return the pages that the person may open, with the present filters."""
    found = []
    for page in PAGES:
        if not request.user.has_perm(page.permission):
            continue
        try:
            path = reverse(page.name)
        except NoReverseMatch:
            continue
        address = f"{path}?{query}" if query else path
        found.append({"title": page.title, "address": address, "is_current": path == request.path})
    return found


def show(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    form: RangeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page of the desk with its navigation and, where it has one, the form of its days."""
    query = form.query() if form else ""
    shared = {"pages": links(request, query=query), "form": form, "query": query}
    return render(request, template, {**shared, **context}, status=status)
