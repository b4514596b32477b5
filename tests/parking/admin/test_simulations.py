"""What if, on the desk: who may ask, what they see, and what they can take home."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from parking import tariff_versions, tasks
from parking.models import Spot, TariffSimulation, TariffVersion, Zone
from parking.tasks import simulations as task
from parking.what_if import runs
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.pages.browser import a_page, sideways
from tests.parking.what_if.situations import a_past_stay

CHEAPER = {
    **cast.TWO_EURO_AN_HOUR,
    "bands": [{**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 100}]}],
    "vehicle_classes": {"=1+1": {"percent": 300}},
}
ADD = "admin:parking_tariffsimulation_add"
Capture = Callable[..., Any]


@pytest.fixture(autouse=True)
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Keep what is enqueued from the Redis of the tests."""
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        task.run_simulations, "apply_async", lambda *args, **kwargs: sent.append(args)
    )
    return sent


@pytest.fixture
def version(zone: Zone) -> TariffVersion:
    """A draft at half the price."""
    return tariff_versions.draft(zone_id=zone.pk, document=CHEAPER, in_force=None)


def asked(version: TariffVersion, *, answered: bool = True) -> TariffSimulation:
    simulation = runs.ask(
        version=version,
        start_on=date(2026, 3, 3),
        end_on=date(2026, 3, 4),
        by=None,
        now=timezone.now(),
    )
    if answered:
        tasks.run_simulations()
    simulation.refresh_from_db()
    return simulation


def page_of(simulation: TariffSimulation, name: str = "change") -> str:
    return reverse(f"admin:parking_tariffsimulation_{name}", args=[simulation.pk])


def test_an_operator_asks_and_is_led_to_where_the_answer_will_be(
    operator: User,
    version: TariffVersion,
    enter: Enter,
    nudged: list[tuple[object, ...]],
    django_capture_on_commit_callbacks: Capture,
) -> None:
    browser = enter(operator)
    link = f"{reverse(ADD)}?version={version.pk}"
    written = browser.get(reverse("admin:parking_tariffversion_change", args=[version.pk]))
    assert link in written.content.decode()
    assert f'<option value="{version.pk}" selected>' in browser.get(link).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.post(
            link, {"version": version.pk, "start_on": "2026-03-03", "last_on": "2026-03-04"}
        )

    simulation = TariffSimulation.objects.get()
    assert answer["Location"] == page_of(simulation)
    assert (simulation.start_on, simulation.end_on) == (date(2026, 3, 3), date(2026, 3, 5))
    assert (simulation.state, simulation.asked_by) == ("queued", operator)
    assert simulation.sha256 == version.sha256
    assert len(nudged) == 1
    shown = browser.get(page_of(simulation))
    assert "It starts in a moment." in shown.content.decode()
    assert "going to start by itself" not in shown.content.decode()


def test_without_redis_the_page_says_so_and_keeps_the_question(
    monkeypatch: pytest.MonkeyPatch,
    operator: User,
    version: TariffVersion,
    enter: Enter,
    django_capture_on_commit_callbacks: Capture,
) -> None:
    monkeypatch.setattr(tasks, "nudge_simulations", lambda: False)
    with django_capture_on_commit_callbacks(execute=True):
        shown = enter(operator).post(
            reverse(ADD),
            {"version": version.pk, "start_on": "2026-03-03", "last_on": "2026-03-03"},
        )

    assert TariffSimulation.objects.get().state == "queued"
    messages = [str(message) for message in shown.wsgi_request._messages]  # type: ignore[attr-defined]
    assert messages == ["The queue of work is away. Your question is kept and starts by itself."]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-03-04", "2026-03-03", "The last day is before the first one."),
        ("2016-03-04", "2026-03-03", "Ask about three years at most."),
        ("yesterday", "2026-03-03", "Enter a valid date."),
    ],
)
def test_a_wrong_period_is_refused_in_words(
    operator: User, version: TariffVersion, enter: Enter, first: str, last: str, words: str
) -> None:
    answer = enter(operator).post(
        reverse(ADD), {"version": version.pk, "start_on": first, "last_on": last}
    )

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not TariffSimulation.objects.exists()


def test_nobody_asks_about_the_zone_of_somebody_else(
    operator: User, other_zone: Zone, enter: Enter
) -> None:
    foreign = other_zone.tariffs.get()
    answer = enter(operator).post(
        reverse(ADD), {"version": foreign.pk, "start_on": "2026-03-03", "last_on": "2026-03-03"}
    )

    assert "Select a valid choice" in answer.content.decode()
    assert not TariffSimulation.objects.exists()


@pytest.mark.parametrize(
    ("role", "own", "other"),
    [
        ("operator", 200, 404),
        ("auditor", 200, 200),
        ("warden", 403, 403),
        ("superuser", 200, 200),
        ("citizen", 302, 302),
    ],
)
@pytest.mark.parametrize("name", ["change", "status", "csv"])
def test_an_answer_is_open_to_those_who_may_read_the_tariff(
    request: pytest.FixtureRequest,
    spot: Spot,
    other_zone: Zone,
    enter: Enter,
    role: str,
    name: str,
    own: int,
    other: int,
) -> None:
    a_past_stay(spot, cast.NOW)
    mine, theirs = asked(spot.zone.tariffs.get()), asked(other_zone.tariffs.get())
    person = cast.a_person(role) if role == "citizen" else request.getfixturevalue(role)
    browser = enter(person)

    assert browser.get(page_of(mine, name)).status_code == own
    assert browser.get(page_of(theirs, name)).status_code == other


def test_nobody_edits_or_deletes_an_answer(
    superuser: User, version: TariffVersion, enter: Enter
) -> None:
    simulation = asked(version)
    browser = enter(superuser)

    assert browser.post(page_of(simulation), {"start_on": "2026-01-01"}).status_code == 403
    assert browser.post(page_of(simulation, "delete"), {"post": "yes"}).status_code == 403
    assert TariffSimulation.objects.get().start_on == date(2026, 3, 3)


def test_the_answer_shows_figures_chart_and_table(
    operator: User, spot: Spot, version: TariffVersion, enter: Enter
) -> None:
    a_past_stay(spot, cast.NOW, 60, paid=200)
    a_past_stay(spot, cast.at(120), 60, paid=200, vehicle_class="=1+1")
    a_past_stay(spot, cast.at(240), 60, paid=200, vehicle_class="unheard_of")

    shown = enter(operator).get(page_of(asked(version))).content.decode()

    text = " ".join(shown.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "0.00 € (0 %)" in text  # one pays a euro less, one a euro more
    assert "pay less, together 1.00 €" in text
    assert "pay more, together 1.00 €" in text
    assert "of a vehicle class that the draft does not have: 1 stay (2.00 € then)" in text
    assert text.count('<svg class="what-if-chart"') == 2
    assert text.count('role="img"') == 2
    assert 'class="what-if-chart__more"' in text
    assert 'class="what-if-chart__less"' in text
    assert '<th scope="row">10:00</th>' in text
    assert '<th scope="row">09:00</th>' not in text
    assert "style=" not in text
    assert "<script>" not in text


def test_a_period_without_stays_says_so(
    operator: User, version: TariffVersion, enter: Enter
) -> None:
    shown = enter(operator).get(page_of(asked(version))).content.decode()

    assert "No stay began in these days" in shown
    assert 'class="what-if-chart"' not in shown


def test_a_failed_run_says_so_and_has_no_file(
    operator: User, version: TariffVersion, enter: Enter
) -> None:
    simulation = asked(version, answered=False)
    TariffSimulation.objects.update(state="failed", ended_at=timezone.now())
    browser = enter(operator)

    assert "The work ended several times" in browser.get(page_of(simulation)).content.decode()
    assert browser.get(page_of(simulation, "csv"))["Location"] == page_of(simulation)


def test_a_draft_that_was_edited_since_is_pointed_out(
    operator: User, version: TariffVersion, enter: Enter
) -> None:
    simulation, browser = asked(version), enter(operator)
    note = "The draft has been edited since"
    assert note not in browser.get(page_of(simulation)).content.decode()

    tariff_versions.redraft(version_id=version.pk, document=cast.FREE_OF_CHARGE, in_force=None)

    assert note in browser.get(page_of(simulation)).content.decode()


def test_the_file_is_harmless_to_a_spreadsheet(
    operator: User, spot: Spot, version: TariffVersion, enter: Enter
) -> None:
    a_past_stay(spot, cast.NOW, 60, paid=200, vehicle_class="=1+1")

    answer = enter(operator).get(page_of(asked(version), "csv"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    (classes,) = [row for row in rows if row["table"] == "vehicle_class"]
    assert (classes["group"], classes["difference"]) == ("'=1+1", "1.00")
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_the_list_takes_the_same_number_of_queries_however_long(
    operator: User,
    version: TariffVersion,
    enter: Enter,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    browser = enter(operator)
    for _ in range(12):
        asked(version, answered=False)

    with django_assert_max_num_queries(12):
        shown = browser.get(reverse("admin:parking_tariffsimulation_changelist"))

    assert shown.content.decode().count("Tue 3 March 2026 – Tue 3 March 2026") == 12


@pytest.mark.django_db(transaction=True)
def test_the_page_waits_and_then_shows_the_answer_by_itself(
    browser: Browser,
    live_server: LiveServer,
    operator: User,
    spot: Spot,
    version: TariffVersion,
    enter: Enter,
) -> None:
    a_past_stay(spot, cast.NOW, 60, paid=200)
    simulation = asked(version, answered=False)
    with a_page(browser, live_server.url) as page:
        cookie = enter(operator).cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
        )
        page.goto(page_of(simulation))
        _is_sound(page)
        run = runs.claim(now=timezone.now())
        assert run is not None
        runs.progress(run=run, done=500, total=2000, now=timezone.now())
        page.get_by_text("500 of 2,000 stays priced.").wait_for()
        assert page.locator("progress").evaluate("(bar) => bar.position") == 0.25
        # Its worker dies here; the next one takes over.
        TariffSimulation.objects.update(beat_at=timezone.now() - timedelta(hours=1))
        tasks.run_simulations()
        page.get_by_role("img", name="By hour of the start").wait_for()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 850})
            _is_sound(page)


def _is_sound(page: Page) -> None:
    assert sideways(page) == 0
    found = {
        one["id"]: [node["target"] for node in one["nodes"]]
        for one in Axe().run(page, options={"preload": False}).response["violations"]
    }
    assert found == {}
