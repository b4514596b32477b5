"""Cases of spots that were taken: closed with a note, by whom and when."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.urls import reverse

from parking.models import SpotReport, Zone
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import rows_of


def test_a_case_is_closed_with_what_was_found(zone: Zone, operator: User, enter: Enter) -> None:
    rows_of(zone, serial="MTR-1")
    case = SpotReport.objects.get()
    browser = enter(operator)
    open_cases = reverse("admin:parking_spotreport_changelist") + "?case=open"
    assert browser.get(open_cases).context["cl"].result_count == 1

    page = reverse("admin:parking_spotreport_change", args=[case.pk])
    answer = browser.post(page, {"note": "fined, towed away"})

    assert answer.status_code == 302
    case.refresh_from_db()
    assert (case.closed_by, case.note) == (operator, "fined, towed away")
    assert case.closed_at is not None
    assert browser.get(open_cases).context["cl"].result_count == 0
    closed = open_cases.replace("open", "closed")
    assert browser.get(closed).context["cl"].result_count == 1

    browser.post(page, {"note": ""})
    case.refresh_from_db()
    assert (case.closed_at, case.closed_by) == (None, None), "without a word it is open again"
