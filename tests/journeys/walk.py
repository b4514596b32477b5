"""The steps that people take, named as they would name them."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.journeys.stack import Stack

PASSWORD = "curblight-demo"
GOOD, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000002500003155"
_spots = itertools.count(0)


@dataclass(frozen=True)
class Place:
    """A spot as the database has it."""

    id: int
    number: str
    meter: str


def next_spot(stack: Stack) -> Place:
    """Return a spot that no journey has used yet, with a meter."""
    rows = stack.rows(
        "SELECT spot.id, spot.number, meter.serial FROM parking_spot spot"
        " JOIN parking_meter meter ON meter.id = spot.meter_id"
        " WHERE spot.features = '{}' ORDER BY spot.id OFFSET %s LIMIT 1",
        next(_spots) * 9,
    )
    return Place(*rows[0])


def sign_in(page: Page, who: str) -> None:
    """Sign in as one of the demo's people."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(f"{who}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/(bookings|admin|audit)?/?$"))


def hold(page: Page, place: Place, *, plate: str = "abc-123", email: str | None = None) -> str:
    """Hold the spot from now for an hour; return the booking's reference."""
    page.goto(f"/spots/{place.id}/?length=60")
    page.get_by_label("Number plate").fill(plate)
    if email:
        page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name=re.compile("Hold this spot")).click()
    page.wait_for_url(re.compile(r"/bookings/\w{8}/$"))
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def go_to_pay(page: Page, stack: Stack) -> None:
    """Leave the held booking for the processor's page."""
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    page.wait_for_url(f"**:{stack.ports.sandbox}/c/pay/**")


def type_card(page: Page, card: str) -> None:
    """Fill in the hosted form and send it."""
    page.get_by_label("Card number").fill(card)
    page.get_by_label(re.compile("Expiry")).fill("12 / 34")
    page.get_by_label(re.compile("Security code")).fill("123")
    page.get_by_role("button", name=re.compile("^Pay ")).click()


def expect_confirmed(page: Page, place: Place) -> None:
    """Expect the page that says the spot is theirs."""
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Spot {place.number} is yours", timeout=20_000
    )


def lamp(stack: Stack, place: Place) -> dict[str, Any]:
    """Look at the spot's lamp on the street, as somebody who walks by."""
    with urllib.request.urlopen(f"{stack.street}/street.json", timeout=5) as answer:
        street = json.load(answer)
    (found,) = (
        one
        for meter in street["meters"]
        if meter["serial"] == place.meter
        for one in meter["lamps"]
        if one["number"] == place.number
    )
    return found


def slot(stack: Stack, reference: str) -> tuple[str, int]:
    """Return what the database says of the booking's slot: state and price."""
    ((state, amount),) = stack.rows(
        "SELECT slot.state, slot.amount FROM parking_slot slot"
        " JOIN parking_booking booking ON booking.id = slot.booking_id WHERE reference = %s",
        reference,
    )
    return state, amount


def books(stack: Stack, reference: str) -> dict[str, int]:
    """Return what the booking left on each account, in minor units."""
    return dict(
        stack.rows(
            "SELECT line.account, sum(line.amount)::bigint FROM payments_ledgerline line"
            " JOIN payments_ledgerentry entry ON entry.id = line.entry_id"
            " WHERE entry.booking_reference = %s GROUP BY line.account",
            reference,
        )
    )
