"""The pages in a real browser: paid by keyboard, without script, found sound by axe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.payments.sandbox.box import CHALLENGED, Box
from tests.payments.sandbox.receiver import Receiver

WIDTHS = [1280, 390]


@pytest.fixture(params=WIDTHS)
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield context.new_page()
    context.close()


def sound(page: Page) -> None:
    """Fail if axe finds anything, or if the page is wider than the window."""
    found: Any = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert wide is False


def settled(box: Box) -> dict[str, str]:
    """Return the address of a page in each of its states."""
    paid, expired = box.a_session(), box.a_session()
    box.pay(paid.url)
    box.client().checkout.sessions.expire(expired.id)
    challenged = box.a_session()
    box.pay(challenged.url, CHALLENGED)
    return {
        "open": box.a_session().url,
        "filled in": f"{box.a_session().url}?card=4242424242424242",
        "paid": f"{box.base}/c/pay/{paid.id}",
        "expired": f"{box.base}/c/pay/{expired.id}",
        "challenged": challenged.url,
        "unknown": f"{box.base}/c/pay/cs_test_nobody",
    }


def test_every_state_of_the_page_is_accessible(box: Box, page: Page) -> None:
    for url in settled(box).values():
        page.goto(url)
        sound(page)


def test_refusals_are_accessible_and_lead_to_their_field(box: Box, page: Page) -> None:
    page.goto(box.a_session().url)
    page.get_by_label("Card number").fill("4111 1111 1111 1111")
    page.get_by_role("button", name="Pay").click()
    assert page.get_by_role("alert").is_visible()
    field = page.get_by_label("Card number")
    assert field.get_attribute("aria-describedby") == "card-problem"
    assert field.input_value() == ""
    sound(page)
    page.get_by_label("Card number").fill("4000000000000002")
    page.get_by_label("Expiry").fill("12/49")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay").click()
    assert "declined" in page.get_by_role("alert").inner_text()
    sound(page)


def test_the_controls_are_accessible(box: Box, page: Page) -> None:
    page.goto(f"{box.base}/")
    sound(page)
    settled(box)
    box.a_paid_intent(card="4000000000000259")
    slow = box.a_paid_intent(card="4000000000007726")
    box.client().refunds.create({"payment_intent": slow.id})
    box.control("faults", kind="latency")
    page.goto(f"{box.base}/")
    sound(page)
    page.emulate_media(color_scheme="dark")
    sound(page)


def test_a_payment_needs_a_keyboard_only_and_follows_the_way_back(
    box: Box, receiver: Receiver, browser: Browser
) -> None:
    """Scripts are off, and the policy of the page lets the redirect to the site pass."""
    back = box.base.replace("127.0.0.1", "localhost") + "/_control/health"
    session = box.a_session(success_url=back)
    context = browser.new_context(java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto(session.url)
    page.get_by_label("Card number").focus()
    for text in ("4000002500003155", "12/49", "123"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Complete authentication").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(back)
    context.close()
    assert box.client().checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_cancel_leads_back_unpaid(box: Box, page: Page) -> None:
    session = box.a_session(cancel_url=f"{box.base}/_control/health")
    page.goto(session.url)
    page.get_by_role("link", name="Cancel and go back").click()
    page.wait_for_url(f"{box.base}/_control/health")
    assert box.client().checkout.sessions.retrieve(session.id).status == "open"
