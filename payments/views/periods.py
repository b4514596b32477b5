"""Closed days and months: who closed what, and closing one."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import formatting
from payments import periods
from payments.audit_tables import PERIODS
from payments.models import ClosedPeriod, PeriodKind
from payments.views import audit_nav

_WHY_NOT = {
    periods.NotOver: gettext_lazy("This period is not over yet."),
    periods.AlreadyClosed: gettext_lazy("This period is closed already."),
    periods.NotReconciled: gettext_lazy(
        "The processor's balance has not been compared up to the end of this period. It is "
        "compared each day; close the period afterwards."
    ),
    periods.Unexplained: gettext_lazy(
        "Exceptions of this period are open. Close them, or accept each of them and say why."
    ),
    periods.Busy: gettext_lazy("Money is being posted. Please try again in a moment."),
}


@never_cache
@login_required
@permission_required("payments.view_audit", raise_exception=True)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """List the periods (GET), ask about closing one (`?kind=day&day=…`), close it (POST)."""
    may_close = request.user.has_perm("payments.close_period")
    if request.method == "POST":
        return _close(request) if may_close else HttpResponse(status=403)
    asked = _asked(request.GET)
    if asked is None and "day" in request.GET:
        return audit_nav.show(request, "payments/periods.html", _list(request), status=400)
    return audit_nav.show(request, "payments/periods.html", _list(request, asked))


def _close(request: HttpRequest) -> HttpResponse:
    asked = _asked(request.POST)
    if asked is None:
        return audit_nav.show(request, "payments/periods.html", _list(request), status=400)
    kind, day = asked
    try:
        period = periods.close(
            kind=kind,
            day=day,
            by=cast(User, request.user),
            now=timezone.now(),
            accepted={int(one) for one in request.POST.getlist("accept") if one.isdecimal()},
            reason=request.POST.get("reason", ""),
        )
    except periods.CannotClose as error:
        context = _list(request, asked) | {"why_not": str(_WHY_NOT[type(error)])}
        return audit_nav.show(request, "payments/periods.html", context, status=409)
    messages.success(
        request, _("%(period)s is closed.") % {"period": _named(period.first_on, period.last_on)}
    )
    return redirect("payments:periods")


def _list(request: HttpRequest, asked: tuple[PeriodKind, date] | None = None) -> dict[str, Any]:
    now = timezone.now()
    context: dict[str, Any] = {
        "closed": ClosedPeriod.objects.select_related("closed_by").prefetch_related(
            "accepted__exception"
        )[:100],
        "open_days": periods.still_open(now=now),
        "reconciled_until": periods.reconciled_until(),
        "may_close": request.user.has_perm("payments.close_period"),
        "today": timezone.localdate(now),
        "reason": request.POST.get("reason", ""),
        "ticked": request.POST.getlist("accept"),
        "table": PERIODS,
        "file_query": audit_nav.years_up_to(timezone.localdate(now)),
    }
    if asked is not None:
        kind, day = asked
        first_on, last_on = periods.bounds(kind, day)
        context["asked"] = {
            "kind": kind.value,
            "day": day,
            "name": _named(first_on, last_on),
            "waiting": periods.open_exceptions(first_on, last_on),
        }
    return context


def _asked(said: Any) -> tuple[PeriodKind, date] | None:
    """Read which period is meant; None where nothing sensible is."""
    try:
        return PeriodKind(said.get("kind", "day")), date.fromisoformat(said.get("day", ""))
    except ValueError:
        return None


def _named(first_on: date, last_on: date) -> str:
    if first_on == last_on:
        return formatting.day(first_on)
    return f"{formatting.day(first_on)} – {formatting.day(last_on)}"
