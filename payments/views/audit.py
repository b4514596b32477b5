"""The auditor's desk: figures of a range, files, manifests. Nothing here changes money."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from parking.models import Zone
from payments import audit_files, exports, ledger
from payments.models import ExportLog, MoneyException
from payments.reports import Range, report

P = ParamSpec("P")
LONGEST_DAYS = 366 * 5


class RangeForm(forms.Form):
    """Which business days, which zone."""

    first_on = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    last_on = forms.DateField(
        label=gettext_lazy("To, included"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
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


def auditors_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let people in who may audit; send strangers to the sign-in, refuse everybody else."""

    @login_required
    @permission_required("payments.view_audit", raise_exception=True)
    @require_GET
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return guarded


@auditors_only
def show(request: HttpRequest) -> HttpResponse:
    """Show the figures of a range; this month's where none is asked for."""
    form = _form(request)
    context: dict[str, Any] = {
        "form": form,
        "exports": ExportLog.objects.select_related("user")[:10],
    }
    if form.is_valid():
        ledger.seal()
        figures = report(form.covered())
        by_day = figures.by_day()
        most = max((abs(sums.clearing) for sums in by_day.values()), default=0)
        context |= {
            "figures": figures,
            "days": [
                (day, sums, round(1000 * max(sums.clearing, 0) / most) if most else 0)
                for day, sums in by_day.items()
            ],
            "query": cast(QueryDict, form.data).urlencode(),
            "broken": ledger.first_broken(),
            "troubles": MoneyException.objects.filter(closed_at__isnull=True).count(),
        }
    return render(request, "payments/report.html", context, status=200 if form.is_valid() else 400)


@auditors_only
def csv(request: HttpRequest) -> HttpResponseBase:
    """Stream the lines of a range as CSV."""
    form = _form(request)
    if not form.is_valid():
        return show(request)
    covered = form.covered()
    body = audit_files.as_csv(covered=covered, user=cast(User, request.user), now=timezone.now())
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    name = audit_files.file_name(covered, "csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@auditors_only
def xlsx(request: HttpRequest) -> HttpResponseBase:
    """Send the lines of a range as a workbook."""
    form = _form(request)
    if not form.is_valid():
        return show(request)
    covered = form.covered()
    try:
        file = audit_files.as_xlsx(
            covered=covered, user=cast(User, request.user), now=timezone.now()
        )
    except exports.TooManyRows:
        message = _("More than %(n)s lines: take the CSV file, or a shorter range.")
        form.add_error(None, message % {"n": exports.MOST_XLSX_ROWS})
        return render(request, "payments/report.html", {"form": form}, status=400)
    return FileResponse(
        file,
        as_attachment=True,
        filename=audit_files.file_name(covered, "xlsx"),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


@auditors_only
def manifest(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """Send the manifest of a file."""
    log = get_object_or_404(ExportLog, id=export_id, manifest__isnull=False)
    response = JsonResponse(log.manifest, json_dumps_params={"indent": 2, "sort_keys": True})
    response["Content-Disposition"] = f'attachment; filename="{log.name}.manifest.json"'
    return response


def _form(request: HttpRequest) -> RangeForm:
    if request.GET:
        return RangeForm(request.GET)
    today = timezone.localdate()
    days = calendar.monthrange(today.year, today.month)[1]
    month = QueryDict(mutable=True)
    month["first_on"] = today.replace(day=1).isoformat()
    month["last_on"] = today.replace(day=days).isoformat()
    return RangeForm(month)
