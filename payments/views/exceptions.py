"""What a person must look at: the exceptions list, and working on one of them.

Auditors read. Who may change exceptions takes, notes and closes those of their own zones, or of
the whole city (`payments.handle_every_zone`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from parking.admin.scoping import own_zones, sees_every_zone
from parking.day_fields import DayField
from parking.models import Slot, SlotState
from payments import exception_work, officer_refunds
from payments.audit_tables import EXCEPTIONS
from payments.models import MoneyException, WebhookEvent
from payments.views import audit_nav

P = ParamSpec("P")
ROWS = 50


class FilterForm(forms.Form):
    """Which exceptions to show; everything is in the address."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[
            ("open", gettext_lazy("open")),
            ("closed", gettext_lazy("closed")),
            ("all", gettext_lazy("all")),
        ],
        required=False,
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[("", gettext_lazy("all kinds")), *MoneyException.Kind.choices],
        required=False,
    )
    owner = forms.ChoiceField(
        label=gettext_lazy("Owner"),
        choices=[
            ("", gettext_lazy("anybody")),
            ("me", gettext_lazy("me")),
            ("nobody", gettext_lazy("nobody yet")),
        ],
        required=False,
    )
    first_on = DayField(label=gettext_lazy("From"), required=False)
    last_on = DayField(label=gettext_lazy("To, included"), required=False)
    reference = forms.CharField(label=gettext_lazy("Booking"), max_length=8, required=False)

    def chosen(self, rows: QuerySet[MoneyException], user: User) -> QuerySet[MoneyException]:
        """Keep what a valid form asks for."""
        wanted = self.cleaned_data
        state = wanted["state"] or "open"
        if state != "all":
            rows = rows.filter(closed_at__isnull=state == "open")
        if wanted["kind"]:
            rows = rows.filter(kind=wanted["kind"])
        if wanted["owner"]:
            rows = rows.filter(owner=user if wanted["owner"] == "me" else None)
        if wanted["first_on"]:
            rows = rows.filter(concerns_on__gte=wanted["first_on"])
        if wanted["last_on"]:
            rows = rows.filter(concerns_on__lte=wanted["last_on"])
        if wanted["reference"]:
            rows = rows.filter(payment__slot__booking__reference=wanted["reference"].upper())
        return rows


def readers_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let people in who may see exceptions; send strangers to the sign-in, refuse the others."""

    @never_cache
    @login_required
    @permission_required("payments.view_moneyexception", raise_exception=True)
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    return guarded


def visible_to(user: User) -> QuerySet[MoneyException]:
    """Return the exceptions at which the person may look; those of no zone are the city's."""
    rows = MoneyException.objects.all()
    if sees_every_zone(user):
        return rows
    return rows.filter(payment__slot__spot__zone__in=own_zones(user).values("pk"))


def works_on(user: User, exception: MoneyException) -> bool:
    """Say whether the person may take, note and close it."""
    if not user.has_perm("payments.change_moneyexception"):
        return False
    if exception.payment is None:
        return user.is_superuser or user.has_perm(officer_refunds.EVERY_ZONE)
    return officer_refunds.handles(user, exception.payment.slot)


@require_GET
@readers_only
def show(request: HttpRequest) -> HttpResponse:
    """List the exceptions; the open ones where nothing is asked for."""
    user = cast(User, request.user)
    form = FilterForm(request.GET)
    rows = visible_to(user).select_related("owner", "payment__slot__booking")
    rows = form.chosen(rows, user) if form.is_valid() else rows.none()
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": page,
        "query": query.urlencode(),
        "city": _of_the_city() if sees_every_zone(user) else None,
        "table": EXCEPTIONS,
        "file_query": audit_nav.years_up_to(timezone.localdate()),
    }
    status = 200 if form.is_valid() else 400
    return audit_nav.show(request, "payments/exceptions.html", context, status=status)


@require_http_methods(["GET", "POST"])
@readers_only
def one(request: HttpRequest, exception_id: int) -> HttpResponse:
    """Show one exception with its history (GET), and work on it (POST: take, note, close)."""
    user = cast(User, request.user)
    rows = visible_to(user).select_related("owner", "payment__slot__booking")
    exception = get_object_or_404(rows, id=exception_id)
    may_work = works_on(user, exception)
    if request.method == "POST":
        if not may_work:
            return HttpResponse(status=403)
        return _work(request, exception)
    context = {
        "exception": exception,
        "steps": exception.steps.select_related("by"),
        "may_work": may_work and exception.closed_at is None,
        "accepted_in": exception.accepted_in.select_related("period__closed_by"),
    }
    return render(request, "payments/exception.html", context)


def _work(request: HttpRequest, exception: MoneyException) -> HttpResponse:
    by, now = cast(User, request.user), timezone.now()
    try:
        match request.POST.get("do"):
            case "take":
                exception_work.take(exception_id=exception.pk, by=by, now=now)
            case "note":
                text = request.POST.get("note", "")[:2000]
                exception_work.note(exception_id=exception.pk, by=by, text=text, now=now)
            case "close":
                exception_work.close(exception_id=exception.pk, by=by, now=now)
            case _:
                return HttpResponse(status=400)
    except exception_work.AlreadyClosed:
        messages.warning(request, _("Somebody closed it already."))
    except exception_work.NoteMissing:
        messages.warning(request, _("Write a note first: what did you find?"))
    return redirect("payments:exception", exception.pk)


def _of_the_city() -> dict[str, Any]:
    """Return what is no exception by itself, and yet worth a look: the last 30 days of it."""
    since = timezone.now() - timedelta(days=30)
    free = (
        Slot.objects.filter(
            amount=0,
            confirmed_at__gte=since,
            state__in=[SlotState.CONFIRMED, SlotState.CANCELLED, SlotState.REPLACED],
        )
        .order_by()
        .values_list("free_reason")
        .annotate(n=Count("id"))
        .order_by("-n")[:20]
    )
    unmatched = (
        WebhookEvent.objects.filter(
            Q(is_matched=False), received_at__gte=since, processed_at__isnull=False
        )
        .order_by()
        .values_list("type")
        .annotate(n=Count("event_id"))
        .order_by("-n")[:20]
    )
    return {"free": list(free), "unmatched": list(unmatched)}
