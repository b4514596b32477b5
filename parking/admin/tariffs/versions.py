"""Tariff versions: drafts are edited, proposed to a second person, approved, and then frozen."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from parking import formatting, tariff_versions
from parking.admin.periods import PeriodField
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin
from parking.models import TariffState, TariffVersion
from parking.pricing import QuoteError, Tariff, TariffError, quote

_KEYS = (
    "currency",
    "time_zone",
    "bands",
    "ladder",
    "window_flats",
    "progression_reset",
    "free_first_min",
    "free_if_leq_min",
    "increment",
    "min_charge",
    "max_charge",
    "cap_per_local_day",
    "fixed_fee",
    "vehicle_classes",
    "tax",
    "rounding",
    "holiday_behaves_like",
    "holidays",
)
_EXAMPLES = (15, 30, 60, 120, 240)  # minutes
STEPS = {
    "propose": TariffState.DRAFT,
    "take-back": TariffState.PROPOSED,
    "approve": TariffState.PROPOSED,
}


class IndentedJSON(forms.JSONField):
    """A JSON document as people read it."""

    def prepare_value(self, value: Any) -> Any:
        """Indent the document; leave alone what cannot be read."""
        if isinstance(value, dict | list):
            return _written(value)
        return super().prepare_value(value)


class TariffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft."""

    # Not the model's own field: its constraints bind what is law, and `approve` keeps to them.
    period = PeriodField(
        label=_("Holds"),
        required=False,
        help_text=_("Without an end it holds until the next version. Local time of the city."),
    )
    document = IndentedJSON(
        label=_("Document"), widget=forms.Textarea(attrs={"rows": 28, "class": "desk-code"})
    )

    class Meta:
        model = TariffVersion
        fields = ["zone", "document"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "period" in self.fields:  # a version that is no draft has no fields to edit
            self.fields["period"].initial = self.instance.in_force

    def clean_document(self) -> Any:
        """Refuse a document that the price engine refuses, naming each key."""
        document = self.cleaned_data["document"]
        if wrong := tariff_versions.problems(document):
            raise ValidationError(wrong)
        return document


@admin.register(TariffVersion)
class TariffVersionAdmin(ZoneScopedAdmin):
    """One version of one zone's prices."""

    form = TariffForm
    change_form_template = "admin/parking/tariffversion/change_form.html"
    list_display = ["__str__", "zone", "state", "holds", "proposer", "approver"]
    list_filter = ["state", ("zone", ScopedFilter)]
    list_select_related = ["zone", "proposed_by", "approved_by"]
    search_fields = ["zone__name", "zone__code", "=sha256"]
    fieldsets = [
        (None, {"fields": ["zone", "period", "document"]}),
        (_("What it costs"), {"fields": ["examples"]}),
        (_("Record"), {"fields": ["state", "proposer", "approver", "sha256"]}),
    ]

    readonly_fields = [
        "holds",
        "document_text",
        "examples",
        "state",
        "proposer",
        "approver",
        "sha256",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fix the zone as well once there is a version."""
        return [*self.readonly_fields, "zone"] if obj else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the document as text where it may not be changed."""
        if obj is None:
            return self.fieldsets[:1]
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return [(None, {"fields": ["zone", "holds", "document_text"]}), *self.fieldsets[1:]]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin a new version from an older one (`?from=`) that the person may see."""
        older = self.get_queryset(request).filter(pk=_number(request.GET.get("from"))).first()
        if older is None:
            return dict(super().get_changeform_initial_data(request))
        return {"zone": older.zone_id, "document": older.document}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let drafts be edited, and nothing else."""
        return self._is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let drafts be thrown away, and nothing else."""
        return self._is_draft(obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: TariffVersion, form: Any, change: bool) -> None:
        """Write the draft through the rule, which numbers and hashes it."""
        period = form.cleaned_data["period"]
        try:
            if change:
                tariff_versions.redraft(version_id=obj.pk, document=obj.document, in_force=period)
                return
            made = tariff_versions.draft(
                zone_id=obj.zone_id, document=obj.document, in_force=period
            )
        except tariff_versions.TariffRefused as refused:  # somebody else was quicker
            raise PermissionDenied(str(refused)) from refused
        obj.pk, obj.version, obj.sha256 = made.pk, made.version, made.sha256

    def get_urls(self) -> list[URLPattern]:
        """Add the three steps of a version's life."""
        step = path(
            "<int:pk>/step/<slug:step>/",
            require_POST(self.admin_site.admin_view(self.step)),
            name="parking_tariffversion_step",
        )
        return [step, *super().get_urls()]

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Propose, take back or approve a version."""
        version = self.get_object(request, str(pk))
        if step not in STEPS:
            raise Http404
        if not super().has_change_permission(request, version):
            raise PermissionDenied(_now("This zone's tariffs are not yours to change."))
        try:
            match step:
                case "propose":
                    tariff_versions.propose(version_id=pk, by=_person(request), now=timezone.now())
                    said = _now("Proposed. A second person approves it now.")
                case "take-back":
                    tariff_versions.take_back(version_id=pk)
                    said = _now("Taken back: it is a draft again.")
                case _:
                    tariff_versions.approve(version_id=pk, by=_person(request), now=timezone.now())
                    said = _now("Approved. The version before it ends where this one begins.")
        except tariff_versions.TariffRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.log_change(request, version, said)
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:parking_tariffversion_change", args=[pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say which steps this person may take with this version."""
        version = kwargs.get("obj")
        if version is not None and super().has_change_permission(request, version):
            context["steps"] = self._steps(request, version)
        if version is not None and self.has_add_permission(request):
            context["copy_url"] = reverse("admin:parking_tariffversion_add") + f"?from={version.pk}"
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("holds"), ordering="in_force")
    def holds(self, version: TariffVersion) -> str:
        """Write out from when until when the version holds."""
        if not version.in_force or version.in_force.lower is None:
            return _now("not said yet")
        start, end = version.in_force.lower, version.in_force.upper
        if end is None:
            return _now("from %(start)s on") % {"start": formatting.moment(start)}
        return formatting.period(start, end)

    @admin.display(description=_("proposed by"), ordering="proposed_by__email")
    def proposer(self, version: TariffVersion) -> str:
        """Name who proposed it; not every reader of this page may open accounts."""
        return version.proposed_by.email if version.proposed_by else ""

    @admin.display(description=_("approved by"), ordering="approved_by__email")
    def approver(self, version: TariffVersion) -> str:
        """Name who approved it."""
        return version.approved_by.email if version.approved_by else ""

    @admin.display(description=_("document"))
    def document_text(self, version: TariffVersion) -> SafeString:
        """Show the document as it was approved."""
        text = _written(version.document)
        return format_html('<pre class="desk-code" dir="ltr">{}</pre>', text)

    @admin.display(description=_("examples"))
    def examples(self, version: TariffVersion) -> SafeString | str:
        """Price some stays by this version, for the one who must approve it."""
        try:
            tariff = Tariff.parse(version.document)
        except TariffError as error:
            return str(error)
        since = version.in_force.lower if version.in_force else None
        first = timezone.localtime(since or timezone.now()).replace(minute=0, second=0)
        starts = [
            (first + timedelta(days=(weekday - first.weekday()) % 7)).replace(
                hour=hour, microsecond=0
            )
            for weekday in (1, 5, 6)  # Tuesday, Saturday, Sunday
            for hour in (10, 19)
        ]
        return format_html(
            '<table class="desk-examples"><thead><tr><th></th>{}</tr></thead>'
            "<tbody>{}</tbody></table>",
            format_html_join("", "<th>{}</th>", ((formatting.duration(n),) for n in _EXAMPLES)),
            format_html_join(
                "",
                "<tr><th>{}</th>{}</tr>",
                (
                    (
                        formatting.moment(start),
                        format_html_join(
                            "", "<td>{}</td>", ((_price(tariff, start, n),) for n in _EXAMPLES)
                        ),
                    )
                    for start in starts
                ),
            ),
        )

    def _is_draft(self, obj: TariffVersion | None) -> bool:
        return obj is None or obj.state == TariffState.DRAFT

    def _steps(self, request: HttpRequest, version: TariffVersion) -> list[dict[str, str]]:
        labels = {
            "propose": _now("Propose to a second person"),
            "take-back": _now("Take back to draft"),
            "approve": _now("Approve"),
        }
        return [
            {
                "label": label,
                "url": reverse("admin:parking_tariffversion_step", args=[version.pk, step]),
            }
            for step, label in labels.items()
            if STEPS[step] == version.state
            and not (step == "approve" and version.proposed_by_id == request.user.pk)
        ]


def _price(tariff: Tariff, start: datetime, minutes: int) -> str:
    try:
        total = quote(tariff=tariff, start=start, end=start + timedelta(minutes=minutes)).total
    except QuoteError as error:
        return str(error)
    return formatting.money(total, tariff.currency)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):  # the desk lets nobody else in
        raise PermissionDenied
    return request.user


def _written(document: Any) -> str:
    """Write a document with its keys in the order in which people explain a tariff.

    The database keeps no order.
    """
    if isinstance(document, dict):
        known = {name: document[name] for name in _KEYS if name in document}
        document = {**known, **document}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
