"""Book, pay, light, desk, report: what the product is for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import walk
from tests.journeys.conftest import new_page
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey


def test_from_the_map_to_the_green_light_and_the_auditors_file(
    page: Page, browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    place = walk.next_spot(stack)
    walk.sign_in(page, "citizen")

    # Find: the list and the map have the spot; the price is explained.
    page.goto(f"/?place={place.number}")
    page.get_by_role("link", name=place.number).first.click()
    page.wait_for_url(f"**/spots/{place.id}/**")
    expect(page.get_by_text("To pay")).to_be_visible()

    reference = walk.hold(page, place)
    assert walk.slot(stack, reference)[0] == "held"
    expect(page.locator("[data-until]")).to_contain_text(":")
    assert walk.books(stack, reference) == {}, "booked before anybody paid"

    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    walk.expect_confirmed(page, place)

    # The rows are right.
    state, amount = walk.slot(stack, reference)
    assert state == "confirmed"
    books = walk.books(stack, reference)
    assert sum(books.values()) == 0
    revenue = sum(money for account, money in books.items() if "revenue" in account)
    assert revenue == -amount < 0

    # The lamp is green on the street, and the citizen's page says so.
    stack.wait("a green lamp", lambda: walk.lamp(stack, place)["light"] == "green")
    expect(page.locator("[data-status-field=light_reported]")).to_contain_text(
        "green", timeout=20_000
    )

    # The operator sees desired and reported in the admin.
    context, desk = new_page(browser, stack)
    walk.sign_in(desk, "operator")
    desk.goto(f"/admin/parking/booking/?q={reference}")
    expect(desk.get_by_role("link", name=reference)).to_be_visible()
    desk.goto(f"/admin/parking/spot/?q={place.number}")
    expect(desk.get_by_role("row").filter(has_text=place.number).first).to_contain_text("green")
    context.close()

    # The auditor's report and file carry it.
    context, audit = new_page(browser, stack)
    walk.sign_in(audit, "auditor")
    audit.goto("/audit/")
    expect(audit.get_by_text("The chain of the whole ledger holds")).to_be_visible()
    audit.get_by_role("link", name="Lines", exact=True).click()
    with audit.expect_download() as download:
        audit.get_by_role("link", name="Lines as CSV", exact=True).click()
    file = tmp_path / "ledger.csv"
    download.value.save_as(file)
    rows = [row for row in csv.DictReader(file.open()) if row["booking"] == reference]
    assert {row["kind"] for row in rows} == {"capture", "fee"}
    assert f"{amount / 100:.2f}" in {row["revenue"] for row in rows}
    assert "ABC123" not in file.read_text()
    context.close()


def test_a_declined_card_leaves_the_spot_held_and_another_card_pays(
    page: Page, stack: Stack
) -> None:
    place = walk.next_spot(stack)
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)

    walk.type_card(page, walk.DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert walk.slot(stack, reference)[0] == "held"
    assert walk.books(stack, reference) == {}

    walk.type_card(page, walk.GOOD)
    walk.expect_confirmed(page, place)
    assert (
        len(
            stack.rows(
                "SELECT 1 FROM payments_payment WHERE state = 'paid' AND slot_id IN"
                " (SELECT id FROM parking_slot WHERE spot_id = %s)",
                place.id,
            )
        )
        == 1
    )


def test_three_d_secure_asks_and_then_pays(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.CHALLENGED)
    page.get_by_role("button", name="Complete authentication").click()
    walk.expect_confirmed(page, place)


def test_who_cancels_on_the_processors_page_still_holds_the_spot(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    page.get_by_role("link", name="Cancel and go back").click()
    page.wait_for_url(f"**/bookings/{reference}/")
    expect(page.locator("[data-until]")).to_be_visible()
    assert walk.slot(stack, reference)[0] == "held"


def test_a_hold_that_runs_out_gives_the_spot_back(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)  # the processor's page stays open in this tab
    paying = page.url
    stack.let_the_hold_run_out(reference)
    stack.wait("the release", lambda: walk.slot(stack, reference)[0] == "released")

    # Whoever comes back to the processor's page finds it closed; nothing can be paid for nothing.
    page.goto(paying, wait_until="commit")
    expect(page.get_by_text("expired")).to_be_visible()
    page.goto(f"/bookings/{reference}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("The spot was not booked")
    assert walk.books(stack, reference) == {}
    again = walk.hold(page, place, email="guest@example.org")
    assert again != reference


def test_cancelling_refunds_and_puts_the_light_out(page: Page, stack: Stack) -> None:
    place = walk.next_spot(stack)
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    walk.expect_confirmed(page, place)
    stack.wait("a green lamp", lambda: walk.lamp(stack, place)["light"] == "green")

    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This booking is cancelled")
    assert walk.slot(stack, reference)[0] == "cancelled"
    stack.wait("the lamp off", lambda: walk.lamp(stack, place)["light"] == "off")

    def refunded() -> bool:
        books = walk.books(stack, reference)
        return not any(money for account, money in books.items() if "revenue" in account)

    stack.wait("the refund in the books", refunded)
    assert sum(walk.books(stack, reference).values()) == 0


@pytest.fixture
def without_javascript(browser: Browser, stack: Stack) -> Iterator[Page]:
    context, window = new_page(browser, stack, java_script_enabled=False)
    yield window
    context.close()


def test_the_whole_journey_works_without_javascript(without_javascript: Page, stack: Stack) -> None:
    page = without_javascript
    place = walk.next_spot(stack)
    page.goto("/")
    zone = stack.rows(
        "SELECT zone.name FROM parking_zone zone JOIN parking_spot spot ON spot.zone_id = zone.id"
        " WHERE spot.id = %s",
        place.id,
    )[0][0]
    page.get_by_role("link", name=zone).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    reference = walk.hold(page, place, email="guest@example.org")
    walk.go_to_pay(page, stack)
    walk.type_card(page, walk.GOOD)
    page.wait_for_url(f"**/bookings/{reference}/**")
    stack.wait("the confirmation", lambda: walk.slot(stack, reference)[0] == "confirmed")
    page.goto(f"/bookings/{reference}/")
    walk.expect_confirmed(page, place)
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_text(reference)).to_be_visible()
