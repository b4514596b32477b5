"""Demand pricing: the rule of each zone, and what it would make of the prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from parking import demand, formatting
from parking.admin.scoping import ZoneScopedAdmin
from parking.models import DemandRule
from parking.money import exponent

_LARGEST = Decimal(10**12)


class MoneyField(forms.DecimalField):
    """An amount as people write it, such as 0.25; kept in minor units of the city's currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal(0), max_value=_LARGEST, **kwargs)

    @property
    def places(self) -> int:
        """Return the decimals of the currency, which is known when the form is shown."""
        return exponent(settings.CITY_CURRENCY)

    def prepare_value(self, value: Any) -> Any:
        """Write minor units as an amount; leave alone what a person has typed."""
        return Decimal(value).scaleb(-self.places) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """Return minor units, or say that there are too many decimals."""
        amount = super().clean(value)
        if amount is None:
            return None
        minor = amount.scaleb(self.places)
        if minor != int(minor):
            text = ngettext(
                "Write the amount with %(places)s decimal at most.",
                "Write the amount with %(places)s decimals at most.",
                self.places,
            )
            raise forms.ValidationError(text % {"places": formatting.number(self.places)})
        return int(minor)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare amounts with amounts."""
        return super().has_changed(self.prepare_value(initial), data)


class DemandRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The rule, with amounts as people write them."""

    step_amount = MoneyField(
        label=_("Step an hour"), help_text=_("By so much a price rises or falls at a time.")
    )
    floor = MoneyField(label=_("Lowest price an hour"), help_text=_("No price falls below it."))
    ceiling = MoneyField(label=_("Highest price an hour"), help_text=_("No price rises above it."))

    class Meta:
        model = DemandRule
        fields = ["zone", "step_amount", "upper_pct", "lower_pct", "floor", "ceiling", "days"]


@admin.register(DemandRule)
class DemandRuleAdmin(ZoneScopedAdmin):
    """Whether, and in which steps, prices of a zone may follow demand."""

    form = DemandRuleForm
    change_form_template = "admin/parking/demandrule/change_form.html"
    list_display = ["zone", "proposed", "step", "shares", "limits"]
    list_select_related = ["zone"]
    search_fields = ["zone__name", "zone__code"]
    fieldsets = [
        (None, {"fields": ["zone", "step_amount", ("upper_pct", "lower_pct")]}),
        (_("Limits"), {"fields": [("floor", "ceiling"), "days"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fix the zone once there is a rule."""
        return ["zone"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest a quarter of the currency, where it has such a part."""
        return {
            "step_amount": demand.default_step(),
            **super().get_changeform_initial_data(request),
        }

    def get_urls(self) -> list[URLPattern]:
        """Add the page with the proposal."""
        page = path(
            "<int:pk>/proposal/",
            self.admin_site.admin_view(self.proposal),
            name="parking_demandrule_proposal",
        )
        return [page, *super().get_urls()]

    def proposal(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what demand would make of the prices; a POST makes a draft of it."""
        rule = self.get_object(request, str(pk))
        if not self.has_view_permission(request, rule):
            raise PermissionDenied
        may_draft = request.user.has_perm("parking.add_tariffversion") and self._is_own(
            request, rule
        )
        if request.method == "POST":
            if not may_draft:
                raise PermissionDenied(gettext("This zone's tariffs are not yours to change."))
            return self._draft(request, rule)
        made = demand.proposal(zone_id=rule.zone_id, now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("%(zone)s: prices by demand") % {"zone": rule.zone},
            "rule": rule,
            "made": made,
            "period": formatting.period(made.since, made.until),
            "bands": [_card(rule, band) for band in made.bands],
            "may_draft": may_draft,
            "notice_days": demand.NOTICE_DAYS,
        }
        return TemplateResponse(request, "admin/parking/demandrule/proposal.html", context)

    def _draft(self, request: HttpRequest, rule: DemandRule) -> HttpResponse:
        try:
            version = demand.make_draft(zone_id=rule.zone_id, now=timezone.now())
        except demand.DemandRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            page = reverse("admin:parking_demandrule_proposal", args=[rule.pk])
            return HttpResponseRedirect(page)
        said = gettext("Version %(n)s was drafted from demand.") % {"n": version.version}
        self.log_change(request, rule, said)
        self.message_user(
            request,
            said + " " + gettext("One person proposes it, and another approves it."),
            messages.SUCCESS,
        )
        page = reverse("admin:parking_tariffversion_change", args=[version.pk])
        return HttpResponseRedirect(page)

    @admin.display(description=_("step an hour"), ordering="step_amount")
    def step(self, rule: DemandRule) -> str:
        """Write the step as money."""
        return formatting.money(rule.step_amount)

    @admin.display(description=_("falls below, rises from"))
    def shares(self, rule: DemandRule) -> str:
        """Write the two shares."""
        return f"{rule.lower_pct}\N{NO-BREAK SPACE}%, {rule.upper_pct}\N{NO-BREAK SPACE}%"

    @admin.display(description=_("limits an hour"))
    def limits(self, rule: DemandRule) -> str:
        """Write floor and ceiling as money."""
        return f"{formatting.money(rule.floor)} – {formatting.money(rule.ceiling)}"

    @admin.display(description=_("proposal"))
    def proposed(self, rule: DemandRule) -> SafeString:
        """Link to the proposal."""
        page = reverse("admin:parking_demandrule_proposal", args=[rule.pk])
        return format_html('<a href="{}">{}</a>', page, gettext("See what demand says"))


def _card(rule: DemandRule, band: demand.BandProposal) -> dict[str, Any]:
    """Return one band as the page shows it; the bar is 100 units wide."""
    return {
        "hours": band.hours,
        "reason": band.reason,
        "changes": band.changes,
        "width": (band.share.basis_points or 0) / 100,
        "lower": rule.lower_pct,
        "upper": rule.upper_pct,
        "prices": [
            {
                "after": formatting.duration(after) if after else "",
                "old": formatting.money(old),
                "new": formatting.money(new),
                "rises": new > old,
                "falls": new < old,
            }
            for (old, new), after in zip(band.prices, band.after_min, strict=True)
        ],
    }
