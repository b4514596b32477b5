"""What breaks outside costs a light some seconds, and nobody a booking."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.journeys import walk
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey


def pay(page: Page, stack: Stack, place: walk.Place) -> str:
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    walk.expect_confirmed(page, place)
    return reference


def test_a_booking_confirms_while_the_meters_are_away_and_the_light_follows(
    page: Page, stack: Stack
) -> None:
    place = walk.next_spot(stack)
    stack.end("meters")
    try:
        reference = pay(page, stack, place)
        assert walk.slot(stack, reference)[0] == "confirmed"
    finally:
        stack.begin("meters")
    stack.wait("a green lamp", lambda: lit(stack, place), seconds=90)


def test_a_booking_confirms_while_redis_is_away_and_the_light_follows(
    page: Page, stack: Stack
) -> None:
    place = walk.next_spot(stack)
    stack.end("redis")
    try:
        reference = pay(page, stack, place)  # the return page asks the processor itself
        assert walk.slot(stack, reference)[0] == "confirmed"
    finally:
        stack.begin("redis")
    stack.wait("a green lamp", lambda: lit(stack, place), seconds=90)


def test_a_payment_is_found_although_every_notice_of_it_was_lost(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    page.route(f"{stack.address}/**", lambda route: route.abort())  # never comes back
    stack.end("worker")
    stack.end("web")  # the webhooks find nobody
    walk.type_card(page, walk.GOOD)
    stack.begin("web")
    stack.begin("worker")
    stack.change(
        "UPDATE payments_payment SET next_check_at = now() WHERE slot_id IN"
        " (SELECT id FROM parking_slot WHERE spot_id = %s)",
        place.id,
    )
    stack.wait("the confirmation", lambda: walk.slot(stack, reference)[0] == "confirmed", 120)
    stack.wait("a green lamp", lambda: lit(stack, place), seconds=90)
    stack.wait_for_the_site()  # the lamp may be green before it: the worker saw to that


def lit(stack: Stack, place: walk.Place) -> bool:
    """Say whether the lamp is green; False also while the street is starting."""
    try:
        return bool(walk.lamp(stack, place)["light"] == "green")
    except (OSError, ValueError):
        return False
