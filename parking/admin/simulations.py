"""What if: the past stays of a zone under a version of its tariff, asked and answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Field, ForeignKey
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from parking import formatting, tasks
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import OPEN_STATES, SimulationState, TariffSimulation
from parking.what_if import charts, runs, words
from parking.what_if.figures import Figures

_DAYS = 28  # whole weeks, so that no weekday weighs more than another
_LONGEST = timedelta(days=3 * 366)


class DayField(forms.DateField):
    """A local day, with the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, **kwargs)


class SimulationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A question: which version, and the stays of which days."""

    start_on = DayField(label=_("First day"))
    last_on = DayField(
        label=_("Last day"), help_text=_("Stays count on the day on which they begin.")
    )

    class Meta:
        model = TariffSimulation
        fields = ["version", "start_on"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        yesterday = timezone.localdate() - timedelta(days=1)
        self.initial.setdefault("start_on", yesterday - timedelta(days=_DAYS - 1))
        self.initial.setdefault("last_on", yesterday)

    def clean(self) -> dict[str, Any]:
        """Refuse a period that goes backwards, or is longer than anybody can mean."""
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("start_on"), data.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", _("The last day is before the first one."))
        elif first and last and last - first > _LONGEST:
            self.add_error("last_on", _("Ask about three years at most."))
        return data


@admin.register(TariffSimulation)
class TariffSimulationAdmin(ZoneScopedAdmin):
    """Questions are asked and read; nobody edits an answer."""

    zone_path = "version__zone"
    form = SimulationForm
    change_form_template = "admin/parking/tariffsimulation/change_form.html"
    fields = ["version", "start_on", "last_on"]
    list_display = ["version", "days", "state", "asker", "asked"]
    list_filter = ["state", ("version__zone", ScopedFilter)]
    list_select_related = ["version__zone", "asked_by"]
    ordering = ["-id"]

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Choose a version without links that lead away from the question."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        """Read the zones, whose names the versions bear, with them."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and field.queryset is not None:
            field.queryset = field.queryset.select_related("zone")
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody edit a question or its answer."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep what was asked; it goes with its draft."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show a question that was asked by its template alone."""
        return self.fields if obj is None else []

    def save_model(
        self, request: HttpRequest, obj: TariffSimulation, form: Any, change: bool
    ) -> None:
        """Write the question down, and have it answered once it is stored."""
        if not isinstance(request.user, User):  # the desk lets nobody else in
            raise PermissionDenied
        asked = runs.ask(
            version=obj.version,
            start_on=obj.start_on,
            end_on=form.cleaned_data["last_on"] + timedelta(days=1),
            by=request.user,
            now=timezone.now(),
        )
        obj.pk, obj.end_on = asked.pk, asked.end_on
        transaction.on_commit(lambda: self._nudge(request))

    def response_add(
        self, request: HttpRequest, obj: TariffSimulation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go to where the answer will be."""
        return HttpResponseRedirect(reverse("admin:parking_tariffsimulation_change", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        """Add the progress and the file of an answer."""
        name = "parking_tariffsimulation"
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/status/", view(self.status), name=f"{name}_status"),
            path("<int:pk>/what-if.csv", view(self.csv), name=f"{name}_csv"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the answer, or how far it is."""
        simulation: TariffSimulation | None = kwargs.get("obj")
        if simulation is None:
            context["title"] = gettext("What if")
        else:
            context |= {
                "title": gettext("What if: %(version)s") % {"version": simulation.version},
                "subtitle": None,
                "simulation": simulation,
                "last_on": simulation.end_on - timedelta(days=1),
                "has_changed": simulation.sha256 != simulation.version.sha256,
                "progress": _progress(simulation),
                "answer": _answer(simulation),
                "may_ask": self.has_add_permission(request) and self._is_own(request, simulation),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def status(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say how far the answer is, for the page's script."""
        response = JsonResponse(_progress(self._visible(request, pk)))
        response["Cache-Control"] = "no-store"
        return response

    def csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send every figure of an answer."""
        simulation = self._visible(request, pk)
        if simulation.result is None:
            self.message_user(request, gettext("There are no figures yet."), messages.ERROR)
            address = reverse("admin:parking_tariffsimulation_change", args=[pk])
            return HttpResponseRedirect(address)
        name = f"what-if-{simulation.version.zone.code}-{simulation.version.version}-{pk}.csv"
        response = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        figures = Figures.from_json(simulation.result)
        words.write_csv(figures, currency=settings.CITY_CURRENCY, to=response)
        return response

    @admin.display(description=_("days"), ordering="start_on")
    def days(self, simulation: TariffSimulation) -> str:
        """Write the first and the last day out."""
        first, last = simulation.start_on, simulation.end_on - timedelta(days=1)
        return f"{formatting.day(first)} – {formatting.day(last)}"

    @admin.display(description=_("asked"), ordering="asked_at")
    def asked(self, simulation: TariffSimulation) -> str:
        """Write the moment out."""
        return formatting.moment(simulation.asked_at)

    @admin.display(description=_("asked by"), ordering="asked_by__email")
    def asker(self, simulation: TariffSimulation) -> str:
        """Name who asked; not every reader of this page may open accounts."""
        return simulation.asked_by.email if simulation.asked_by else ""

    def _visible(self, request: HttpRequest, pk: int) -> TariffSimulation:
        simulation: TariffSimulation = self.get_object(request, str(pk))
        if not self.has_view_permission(request, simulation):
            raise PermissionDenied
        return simulation

    def _nudge(self, request: HttpRequest) -> None:
        if not tasks.nudge_simulations():
            self.message_user(
                request,
                gettext("The queue of work is away. Your question is kept and starts by itself."),
                messages.WARNING,
            )


def _progress(simulation: TariffSimulation) -> dict[str, Any]:
    """Return how far it is, for the page and for its script."""
    text = ""
    match simulation.state:
        case SimulationState.QUEUED:
            ahead = runs.ahead_of(simulation)
            text = ngettext(
                "It starts when %(n)s other question is answered.",
                "It starts when %(n)s other questions are answered.",
                ahead,
            ) % {"n": formatting.number(ahead)}
            text = text if ahead else gettext("It starts in a moment.")
        case SimulationState.RUNNING if simulation.total is None:
            text = gettext("Reading the past stays.")
        case SimulationState.RUNNING:
            text = ngettext(
                "%(done)s of %(total)s stay priced.",
                "%(done)s of %(total)s stays priced.",
                simulation.total or 0,
            ) % {
                "done": formatting.number(simulation.done),
                "total": formatting.number(simulation.total or 0),
            }
    return {
        "state": simulation.state,
        "is_open": simulation.state in OPEN_STATES,
        "done": simulation.done,
        "total": simulation.total,
        "text": text,
    }


def _answer(simulation: TariffSimulation) -> dict[str, Any] | None:
    """Return the figures as the template shows them."""
    if simulation.result is None:
        return None
    figures = Figures.from_json(simulation.result)
    total, apart = figures.total, figures.unsold_total
    tables = {table.key: table for table in words.tables(figures)}
    return {
        "total": total,
        "unsold_total": apart,
        "change": words.change(total),
        "is_empty": not (total.stays or apart.stays),
        "unsold": words.unsold(figures),
        "left_out": words.left_out(figures),
        "pictured": [
            (tables["hour"], _chart(tables["hour"], words.hour_labels())),
            (tables["length"], _chart(tables["length"], words.length_labels())),
        ],
        "others": [tables["weekday"], tables["vehicle_class"]],
    }


def _chart(table: words.Table, labels: list[str]) -> charts.Chart:
    return charts.two_way(
        [
            (label, row.sums.losers, row.sums.winners)
            for label, row in zip(labels, table.rows, strict=True)
        ]
    )
