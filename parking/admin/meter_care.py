"""Work on meters from the desk: lamp tests, keys, maintenance. Nothing goes without a reason."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from parking import formatting, meter_care, tasks
from parking.models import Meter

if TYPE_CHECKING:
    from parking.admin.scoping import ZoneScopedAdmin as _Base
else:
    _Base = object

LARGEST_BATCH = 1_000  # meters in one go
MOST_BOOKED = 20  # bookings that are named
HOURS = int(meter_care.LONGEST_MAINTENANCE / timedelta(hours=1))


class WhyForm(forms.Form):
    """Why something is done to meters; it stays on record."""

    why = forms.CharField(label=_("Reason"), max_length=200)


class MaintenanceForm(WhyForm):
    """And when, for how long, and whether the spots are closed for it."""

    start = forms.DateTimeField(
        label=_("Begins"),
        required=False,
        help_text=_("Empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    hours = forms.IntegerField(label=_("Hours"), min_value=1, max_value=HOURS, initial=4)
    closes = forms.BooleanField(
        label=_("Close the spots meanwhile"),
        required=False,
        help_text=_("Nobody can book them in that time; citizens read the reason."),
    )

    def clean_start(self) -> datetime | None:
        """Refuse a beginning that is over, or too far ahead."""
        start: datetime | None = self.cleaned_data["start"]
        now = timezone.now()
        if start and start < now:
            raise forms.ValidationError(_("This time is over already."))
        if start and start > now + meter_care.PLANNED_AHEAD:
            raise forms.ValidationError(_("At most a year ahead."))
        return start


Do = Callable[[list[int], dict[str, Any]], HttpResponse | None]


class MeterCare(_Base):
    """The actions of the meter list that somebody must give a reason for."""

    @admin.action(description=_("Test the lamps …"), permissions=["change"])
    def test_lamps(self, request: HttpRequest, queryset: QuerySet[Meter]) -> HttpResponse | None:
        """Let the lamps that are off show red and amber, five seconds each."""

        def do(ids: list[int], said: dict[str, Any]) -> None:
            tested = meter_care.test_lamps(
                meter_ids=ids, why=said["why"], by=_person(request), now=timezone.now()
            )
            for meter_id in tested.meter_ids:
                tasks.nudge_meter(meter_id)
            told = ngettext(
                "%(n)s lamp is tested for ten seconds.",
                "%(n)s lamps are tested for ten seconds.",
                tested.lamps,
            ) % {"n": formatting.number(tested.lamps)}
            if tested.left:
                told += " " + ngettext(
                    "%(n)s lamp was left alone: it has something to show.",
                    "%(n)s lamps were left alone: they have something to show.",
                    tested.left,
                ) % {"n": formatting.number(tested.left)}
            level = messages.SUCCESS if tested.lamps else messages.WARNING
            self.message_user(request, told, level)

        return self._ask(
            request,
            queryset,
            do,
            action="test_lamps",
            form_class=WhyForm,
            title=_("Test lamps"),
            note=_(
                "Each lamp that is off now shows red and then amber, five seconds each, and never "
                "green: that means that somebody has paid."
            ),
        )

    @admin.action(description=_("Make new keys …"), permissions=["change"])
    def rotate_keys(self, request: HttpRequest, queryset: QuerySet[Meter]) -> HttpResponse | None:
        """Make a key for each meter and hand the secrets out in a file, this once."""

        def do(ids: list[int], said: dict[str, Any]) -> HttpResponse:
            keys = meter_care.rotate_keys(
                meter_ids=ids, why=said["why"], by=_person(request), now=timezone.now()
            )
            answer = HttpResponse(content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = 'attachment; filename="meter-keys.csv"'
            writer = csv.writer(answer)
            writer.writerow(meter_care.NewKey._fields)
            writer.writerows(keys)
            return answer

        return self._ask(
            request,
            queryset,
            do,
            action="rotate_keys",
            form_class=WhyForm,
            title=_("Make new keys"),
            note=_(
                "You get a file with the new secrets. They are kept encrypted and are not shown "
                "again. The key before stays valid until the next one is made; all older ones end."
            ),
        )

    @admin.action(description=_("Begin or plan maintenance …"), permissions=["change"])
    def begin_maintenance(
        self, request: HttpRequest, queryset: QuerySet[Meter]
    ) -> HttpResponse | None:
        """Let commands and alarms of the meters rest for some hours, now or later."""

        def do(ids: list[int], said: dict[str, Any]) -> None:
            now = timezone.now()
            start = said["start"] or now
            until = start + timedelta(hours=said["hours"])
            try:
                begun = meter_care.begin_maintenance(
                    meter_ids=ids,
                    start=start,
                    until=until,
                    closes=said["closes"],
                    why=said["why"],
                    by=_person(request),
                    now=now,
                )
            except IntegrityError:
                busy = _("Somebody else has just planned work or closed spots here: try again.")
                self.message_user(request, busy, messages.ERROR)
                return
            for meter_id in begun:
                tasks.nudge_meter(meter_id)
            if start > now:
                told = ngettext(
                    "Maintenance of %(n)s meter is planned.",
                    "Maintenance of %(n)s meters is planned.",
                    len(begun),
                )
            else:
                told = ngettext("%(n)s meter rests.", "%(n)s meters rest.", len(begun))
            self._tell(request, told, len(begun))
            self._tell_booked(request, begun, start, until)

        return self._ask(
            request,
            queryset,
            do,
            action="begin_maintenance",
            form_class=MaintenanceForm,
            title=_("Begin or plan maintenance"),
            note=_(
                "Nobody calls these meters meanwhile, and nothing about them is an alarm. What is "
                "booked stays booked and paid; afterwards they get their plans. It takes the place "
                "of what was planned for them in that time."
            ),
        )

    @admin.action(description=_("End or call off maintenance …"), permissions=["change"])
    def end_maintenance(
        self, request: HttpRequest, queryset: QuerySet[Meter]
    ) -> HttpResponse | None:
        """Call the meters again, and call off what is planned."""

        def do(ids: list[int], said: dict[str, Any]) -> None:
            ended = meter_care.end_maintenance(
                meter_ids=ids, why=said["why"], by=_person(request), now=timezone.now()
            )
            for meter_id in ended:
                tasks.nudge_meter(meter_id)
            told = ngettext(
                "%(n)s meter is in use as usual.", "%(n)s meters are in use as usual.", len(ended)
            )
            self._tell(request, told, len(ended))

        return self._ask(
            request,
            queryset,
            do,
            action="end_maintenance",
            form_class=WhyForm,
            title=_("End or call off maintenance"),
            note=_(
                "They are called again at once, and what is planned for them is called off. Spots "
                "that were closed for it can be booked again."
            ),
        )

    def _ask(
        self,
        request: HttpRequest,
        queryset: QuerySet[Meter],
        do: Do,
        *,
        action: str,
        form_class: type[WhyForm],
        title: str | Promise,
        note: str | Promise,
    ) -> HttpResponse | None:
        """Ask for the reason, then do it to the person's own meters."""
        meters = self.own(request, queryset).order_by("serial")[:LARGEST_BATCH]
        form = form_class(request.POST if "why" in request.POST else None)
        if form.is_valid():
            return do([meter.pk for meter in meters], form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "note": note,
            "action": action,
            "meters": meters.values_list("pk", "serial", "zone__name"),
            "form": form,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/parking/meter/why.html", context)

    def _tell(self, request: HttpRequest, told: str, count: int) -> None:
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, told % {"n": formatting.number(count)}, level)

    def _tell_booked(
        self, request: HttpRequest, meter_ids: list[int], start: datetime, until: datetime
    ) -> None:
        """Say what is booked in that time, so that somebody can speak with its citizens."""
        slots = meter_care.booked_meanwhile(meter_ids=meter_ids, start=start, until=until)
        if not (count := slots.count()):
            return
        told = ngettext(
            "%(n)s stay is booked in that time. It stays valid:",
            "%(n)s stays are booked in that time. They stay valid:",
            count,
        ) % {"n": formatting.number(count)}
        links = format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            (
                (reverse("admin:parking_booking_change", args=[one.booking_id]), one.booking)
                for one in slots.select_related("booking")[:MOST_BOOKED]
            ),
        )
        more = " …" if count > MOST_BOOKED else ""
        self.message_user(request, format_html("{} {}{}", told, links, more), messages.WARNING)


def _person(request: HttpRequest) -> Any:
    return request.user
