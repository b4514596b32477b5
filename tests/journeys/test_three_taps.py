"""A returning citizen opens the site and pays: three taps, and nothing is typed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import walk
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey

COUNT = """
addEventListener("click", (event) => event.isTrusted && tapped("tap"), true);
addEventListener("input", (event) => event.isTrusted && tapped("typing"), true);
"""


def test_three_taps_from_opening_to_paying(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    walk.sign_in(page, "citizen")
    before = walk.hold(page, place)
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    walk.expect_confirmed(page, place)
    stack.change(  # that was two days ago
        "UPDATE parking_slot slot SET period = tstzrange("
        " lower(period) - interval '2 days', upper(period) - interval '2 days')"
        " FROM parking_booking booking WHERE booking.id = slot.booking_id AND reference = %s",
        before,
    )

    done: list[str] = []
    page.context.expose_binding("tapped", lambda _source, what: done.append(what))
    page.context.add_init_script(COUNT)
    page.goto("/")
    page.get_by_role("link", name=re.compile(f"Spot {place.number}.*1 h.*from")).click()
    page.get_by_role("button", name=re.compile("Hold this spot and pay")).click()
    page.wait_for_url(re.compile(r"/bookings/\w{8}/$"))
    expect(page.get_by_text(f"You book spot {place.number}")).to_be_visible()
    walk.go_to_pay(page, stack)
    assert done == ["tap", "tap", "tap"]
    expect(page.get_by_label("Card number")).to_be_visible()
