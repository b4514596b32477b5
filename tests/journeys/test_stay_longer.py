"""Take any free spot, stay longer, and end it: one stay, paid in two parts, given back in both."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import walk
from tests.journeys.conftest import PHONE, new_page
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def phone(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Page]:
    context, page = new_page(browser, stack, viewport=PHONE, java_script_enabled=request.param)
    yield page
    context.close()


def slots(stack: Stack, reference: str) -> list[tuple[str, int]]:
    return stack.rows(
        "SELECT slot.state, slot.amount FROM parking_slot slot JOIN parking_booking booking"
        " ON booking.id = slot.booking_id WHERE reference = %s ORDER BY slot.id",
        reference,
    )


def test_any_spot_is_taken_extended_and_ended(phone: Page, stack: Stack) -> None:
    page = phone
    page.goto("/?length=60")
    page.get_by_role("link", name=re.compile("Any free spot")).first.click()
    page.get_by_label("Number plate").fill("abc-123")
    page.get_by_label("E-mail").fill("guest@example.org")
    page.get_by_role("button", name=re.compile("Hold a spot")).click()
    page.wait_for_url(re.compile(r"/bookings/\w{8}/$"))
    reference = page.url.rstrip("/").rsplit("/", 1)[-1]
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    expect(page.get_by_role("heading", level=1)).to_contain_text("is yours", timeout=20_000)

    # How far it can go is told before anybody pays.
    page.get_by_role("link", name="Stay longer").click()
    expect(page.get_by_text("at the latest")).to_be_visible()
    page.get_by_role("radio").nth(2).check()
    page.get_by_role("button", name="Extend and pay").click()
    page.wait_for_url(f"**:{stack.ports.sandbox}/c/pay/**")
    assert [state for state, _amount in slots(stack, reference)] == ["confirmed", "held"]
    walk.type_card(page, walk.GOOD)
    page.wait_for_url(re.compile(rf"/bookings/{reference}/"))
    stack.wait(
        "the longer stay",
        lambda: [state for state, _amount in slots(stack, reference)] == ["confirmed"] * 2,
    )
    page.goto(f"/bookings/{reference}/")
    expect(page.get_by_text("Paid in all:")).to_be_visible()
    paid = sum(amount for _state, amount in slots(stack, reference))
    books = walk.books(stack, reference)
    assert sum(books.values()) == 0
    assert -sum(money for account, money in books.items() if "revenue" in account) == paid

    # All of it comes back within the grace, from both payments.
    page.get_by_role("link", name=re.compile("End now|Cancel")).click()
    page.get_by_role("button", name=re.compile("End it now|Cancel the booking")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This booking is cancelled")
    stack.wait(
        "both refunds",
        lambda: (
            stack.rows(
                "SELECT count(*), sum(refund.amount)::bigint FROM payments_refund refund"
                " JOIN payments_payment payment ON payment.id = refund.payment_id"
                " JOIN parking_slot slot ON slot.id = payment.slot_id"
                " JOIN parking_booking booking ON booking.id = slot.booking_id"
                " WHERE reference = %s AND refund.state = 'succeeded'",
                reference,
            )
            == [(2, paid)]
        ),
    )
