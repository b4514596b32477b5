"""The two scripts of a booking's page: the countdown, and the poller that keeps it true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.parking.pages.browser import a_page

SCRIPTS = Path(__file__).parents[3] / "static" / "js"
SITE = "http://city.test"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with a_page(browser, SITE) as opened:
        opened.clock.install(time="2026-03-03T08:00:00Z")
        opened.clock.pause_at("2026-03-03T08:00:01Z")
        yield opened


def show(page: Page, body: str, script: str) -> None:
    page.route(f"{SITE}/", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("/")
    page.add_script_tag(path=SCRIPTS / script)


def countdown(page: Page, **data: str) -> None:
    words = {"soon": "{time} minutes left", "last": "{time} left", "over": "time is over"}
    attributes = " ".join(f'data-{name}="{text}"' for name, text in {**words, **data}.items())
    show(page, f'<span class="countdown" {attributes}>until 10:10</span>', "countdown.js")


def test_it_shows_thirty_seconds_less_than_there_are(page: Page) -> None:
    countdown(page, until="2026-03-03T08:10:01Z")
    expect(page.locator(".countdown")).to_have_text("9:30")
    page.clock.run_for(61_000)
    expect(page.locator(".countdown")).to_have_text("8:29")


def test_it_says_two_minutes_and_half_a_minute_and_the_end_once_each(page: Page) -> None:
    countdown(page, until="2026-03-03T08:03:01Z")
    voice, shown = page.locator("[role=status]"), page.locator(".countdown")
    expect(voice).to_have_text("")
    page.clock.run_for(30_000)
    expect(voice).to_have_text("2:00 minutes left")
    page.clock.run_for(30_000)
    expect(voice).to_have_text("2:00 minutes left")
    expect(shown).to_have_attribute("data-state", "soon")
    page.clock.run_for(60_000)
    expect(voice).to_have_text("0:30 left")
    page.clock.run_for(31_000)
    expect(voice).to_have_text("time is over")
    expect(shown).to_have_text("time is over")
    expect(shown).to_have_attribute("data-state", "over")


def test_a_clock_that_is_wrong_is_corrected(page: Page) -> None:
    countdown(page, until="2026-03-03T09:10:01Z", now="2026-03-03T09:00:01Z")
    expect(page.locator(".countdown")).to_have_text("9:30")


STATUS = """<div data-status-url="/status.json" data-status-state="confirmed">
  <b data-status-field="age">old</b>
  <i class="lamp" data-status-lamp="reported" data-light="off" data-pattern="none"></i></div>"""


def answers(page: Page, *bodies: dict[str, Any] | int) -> list[int]:
    """Answer the poller with these, the last one for ever; return the list of asked times."""
    asked: list[int] = []

    def answer(route: Route) -> None:
        body = bodies[min(len(asked), len(bodies) - 1)]
        asked.append(len(asked))
        if isinstance(body, int):
            route.fulfill(status=body)
        else:
            route.fulfill(body=json.dumps(body), content_type="application/json")

    page.route("**/status.json", answer)
    show(page, STATUS, "booking-status.js")
    return asked


MOVING = {"state": "confirmed", "is_moving": True, "fields": {"age": "5 seconds ago"}, "lamps": {}}


def answered_after(page: Page, milliseconds: int) -> None:
    """Let time pass in which the poller asks once, and wait until it has read the answer."""
    with page.expect_response("**/status.json"):
        page.clock.run_for(milliseconds)
    page.wait_for_timeout(150)


def silent_for(page: Page, milliseconds: int, asked: list[int]) -> None:
    """Let time pass in which the poller must not ask."""
    before = len(asked)
    page.clock.run_for(milliseconds)
    page.wait_for_timeout(150)
    assert len(asked) == before


def test_texts_and_lamps_are_put_in_place(page: Page) -> None:
    lamp = {"light": "green", "pattern": "steady"}
    answers(page, {**MOVING, "lamps": {"reported": lamp}})
    answered_after(page, 2_000)
    expect(page.locator("b")).to_have_text("5 seconds ago")
    expect(page.locator("i")).to_have_attribute("data-light", "green")
    expect(page.locator("i")).to_have_attribute("data-pattern", "steady")


def test_another_state_is_worth_a_new_page(page: Page) -> None:
    answers(page, {**MOVING, "state": "cancelled"})
    with page.expect_navigation():
        page.clock.run_for(2_000)


def test_it_stops_when_nothing_moves(page: Page) -> None:
    asked = answers(page, MOVING, {**MOVING, "is_moving": False})
    answered_after(page, 2_000)
    answered_after(page, 2_300)
    silent_for(page, 120_000, asked)


def test_it_asks_less_often_while_nobody_answers_and_goes_on_afterwards(page: Page) -> None:
    asked = answers(page, 404, 404, MOVING)
    answered_after(page, 2_000)
    silent_for(page, 3_900, asked)
    answered_after(page, 100)
    silent_for(page, 7_900, asked)
    answered_after(page, 100)
    expect(page.locator("b")).to_have_text("5 seconds ago")


def test_the_end_of_the_countdown_asks_at_once(page: Page) -> None:
    asked = answers(page, 404)
    answered_after(page, 2_000)
    answered_after(page, 4_000)
    silent_for(page, 1_000, asked)
    page.evaluate("document.dispatchEvent(new CustomEvent('countdown:over'))")
    answered_after(page, 2_000)
