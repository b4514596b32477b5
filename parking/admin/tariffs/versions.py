"""Tariff versions: drafts are edited, proposed to a second person, approved, and then frozen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from parking import formatting, tariff_versions
from parking.admin.scoping import ScopedFilter, ZoneScopedAdmin, own_zones
from parking.admin.tariffs import files, looks
from parking.admin.tariffs.form import TariffForm
from parking.admin.tariffs.preview import version_before
from parking.models import TariffState, TariffVersion

STEPS = {
    "propose": TariffState.DRAFT,
    "take-back": TariffState.PROPOSED,
    "approve": TariffState.PROPOSED,
}


@admin.register(TariffVersion)
class TariffVersionAdmin(ZoneScopedAdmin):
    """One version of one zone's prices."""

    form = TariffForm
    change_form_template = "admin/parking/tariffversion/change_form.html"
    change_list_template = "admin/parking/tariffversion/change_list.html"
    list_display = ["__str__", "zone", "standing", "holds", "proposer", "approver"]
    list_filter = ["state", ("zone", ScopedFilter)]
    list_select_related = ["zone", "proposed_by", "approved_by"]
    search_fields = ["zone__name", "zone__code", "=sha256"]
    fieldsets = [
        (None, {"fields": ["zone", "period", "document"]}),
        (_("Record"), {"fields": ["standing", "origin", "proposer", "approver", "sha256"]}),
    ]

    readonly_fields = [
        "holds",
        "standing",
        "origin",
        "proposer",
        "approver",
        "sha256",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fix the zone as well once there is a version."""
        return [*self.readonly_fields, "zone"] if obj else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what may not be changed; the page draws the document beside it."""
        if obj is None:
            return self.fieldsets[:1]
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return [(None, {"fields": ["zone", "holds"]}), *self.fieldsets[1:]]

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
        """Add the three steps of a version's life, the preview, the comparison and the files."""

        def page(route: str, view: Any, name: str) -> Any:
            return path(
                route, self.admin_site.admin_view(view), name=f"parking_tariffversion_{name}"
            )

        return [
            page("<int:pk>/step/<slug:step>/", require_POST(self.step), "step"),
            page("preview/", require_POST(self.preview_new), "preview_new"),
            page("<int:pk>/preview/", require_POST(self.preview), "preview"),
            page("<int:pk>/compare/", require_safe(self.compare), "compare"),
            page("<int:pk>/document.json", require_safe(self.download), "download"),
            page("upload/", self.upload, "upload"),
            *super().get_urls(),
        ]

    def step(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Propose, take back or approve a version."""
        version = self.get_object(request, str(pk))
        if step not in STEPS:
            raise Http404
        if not super().has_change_permission(request, version):
            raise PermissionDenied(gettext("This zone's tariffs are not yours to change."))
        now, left_out = timezone.now(), ""
        try:
            match step:
                case "propose":
                    left_out = tariff_versions.propose(version_id=pk, by=_person(request), now=now)
                    said = gettext("Proposed. A second person approves it now.")
                case "take-back":
                    tariff_versions.take_back(version_id=pk)
                    said = gettext("Taken back: it is a draft again.")
                case _:
                    left_out = tariff_versions.approve(version_id=pk, by=_person(request), now=now)
                    said = gettext("Approved. The version before it ends where this one begins.")
        except tariff_versions.TariffRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.log_change(request, version, said)
            self.message_user(request, said, messages.SUCCESS)
            if left_out:
                self.message_user(request, left_out, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:parking_tariffversion_change", args=[pk]))

    def preview_new(self, request: HttpRequest) -> HttpResponse:
        """Say what the document of a version to be would mean."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        wanted = _number(request.POST.get("zone")) or 0
        own = own_zones(request.user).filter(pk=wanted).exists()
        return looks.answer(request.POST, before=_before(wanted if own else None, None))

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what the document of a draft would mean."""
        version = self.get_object(request, str(pk))
        if not self.has_change_permission(request, version):
            raise PermissionDenied
        return looks.answer(request.POST, before=_before(version.zone_id, version))

    def compare(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say how a version differs from another one of its zone (`?with=`)."""
        version = self._seen(request, pk)
        others = self.get_queryset(request).filter(zone=version.zone_id).exclude(pk=pk)
        other = None
        if "with" in request.GET:
            other = get_object_or_404(others, pk=_number(request.GET["with"]))
        page = looks.comparison(version=version, other=other, others=list(others))
        context = {**self.admin_site.each_context(request), "opts": self.opts, **page}
        return TemplateResponse(request, "admin/parking/tariffversion/compare.html", context)

    def download(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a version's document as a file."""
        return files.download(self._seen(request, pk))

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Make a draft of a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = files.UploadForm(request.POST or None, request.FILES or None)
        form.fields["zone"].queryset = own_zones(request.user)  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid():
            made = tariff_versions.draft(
                zone_id=form.cleaned_data["zone"].pk,
                document=form.cleaned_data["file"],
                in_force=None,
            )
            self.log_addition(request, made, gettext("Read from a file."))
            self.message_user(request, gettext("Read as a new draft."), messages.SUCCESS)
            return HttpResponseRedirect(
                reverse("admin:parking_tariffversion_change", args=[made.pk])
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("New version from a file"),
            "form": form,
        }
        return TemplateResponse(request, "admin/parking/tariffversion/upload.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show what the prices mean, and the steps that this person may take."""
        version = kwargs.get("obj")
        if version is not None and super().has_change_permission(request, version):
            context["steps"] = self._steps(request, version)
        if version is not None and self.has_add_permission(request):
            context["copy_url"] = reverse("admin:parking_tariffversion_add") + f"?from={version.pk}"
        edits = version is None or self.has_change_permission(request, version)
        context |= looks.page(
            form=context["adminform"].form if edits else None,
            version=version,
            before=_before(_zone_of(version, context["adminform"].form), version),
            data=request.POST,
        )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("holds"), ordering="in_force")
    def holds(self, version: TariffVersion) -> str:
        """Write out from when until when the version holds."""
        if not version.in_force or version.in_force.lower is None:
            return gettext("not said yet")
        start, end = version.in_force.lower, version.in_force.upper
        if end is None:
            return gettext("from %(start)s on") % {"start": formatting.moment(start)}
        return formatting.period(start, end)

    @admin.display(description=_("standing"), ordering="state")
    def standing(self, version: TariffVersion) -> str:
        """Say what the version is today."""
        return str(version.standing(timezone.now()).label)

    @admin.display(description=_("proposed by"), ordering="proposed_by__email")
    def proposer(self, version: TariffVersion) -> str:
        """Name who proposed it; not every reader of this page may open accounts."""
        return version.proposed_by.email if version.proposed_by else ""

    @admin.display(description=_("approved by"), ordering="approved_by__email")
    def approver(self, version: TariffVersion) -> str:
        """Name who approved it."""
        return version.approved_by.email if version.approved_by else ""

    def _seen(self, request: HttpRequest, pk: int) -> TariffVersion:
        version: TariffVersion = self.get_object(request, str(pk))
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        return version

    def _is_draft(self, obj: TariffVersion | None) -> bool:
        return obj is None or obj.state == TariffState.DRAFT

    def _steps(self, request: HttpRequest, version: TariffVersion) -> list[dict[str, str]]:
        labels = {
            "propose": gettext("Propose to a second person"),
            "take-back": gettext("Take back to draft"),
            "approve": gettext("Approve"),
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


def _before(zone_id: int | None, version: TariffVersion | None) -> TariffVersion | None:
    """Return the version that this one follows, or would if it began now."""
    start = version.in_force.lower if version is not None and version.in_force else None
    return version_before(
        zone_id=zone_id, start=start or timezone.now(), but=version.pk if version else None
    )


def _zone_of(version: TariffVersion | None, form: TariffForm) -> int | None:
    if version is not None:
        return version.zone_id
    chosen = form["zone"].value() if "zone" in form.fields else None
    allowed = form.fields["zone"].queryset if chosen else None  # type: ignore[attr-defined]
    found = allowed and allowed.filter(pk=_number(str(chosen))).first()
    return found.pk if found else None


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):  # the desk lets nobody else in
        raise PermissionDenied
    return request.user


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
