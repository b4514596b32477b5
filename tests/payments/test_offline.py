"""Without a network a citizen still reads the running booking; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.parking.pages.browser import a_page
from tests.payments.citizens_pages import Citizen
from tests.payments.processor import Processor

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = """async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith("booking-"));
  const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return keys.flat().map((one) => new URL(one.url).pathname);
}"""
END_THE_STAY = """async () => {
  const name = (await caches.keys()).find((name) => name.startsWith("booking-"));
  const cache = await caches.open(name);
  const [key] = await cache.keys();
  const html = await (await cache.match(key)).text();
  const past = html.replace(/data-keep-until="[^"]+"/, 'data-keep-until="2020-01-01T00:00:00Z"');
  await cache.put(key, new Response(past, { headers: { "Content-Type": "text/html" } }));
}"""


@pytest.fixture
def citizen(processor: Processor, live_server: LiveServer) -> Citizen:
    return Citizen(processor)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, citizen: Citizen) -> Iterator[Page]:
    """A browser that has shown the running stay and then lost its network."""
    with a_page(browser, live_server.url) as window:
        citizen.sign_in(window, live_server.url)
        booked = citizen.pages("en")["booked"]
        window.goto(booked)
        expect_kept(window, [booked])
        yield window


def expect_kept(page: Page, addresses: list[str]) -> None:
    """Wait until exactly these bookings are kept in the browser."""
    for _ in range(100):
        if (kept := page.evaluate(KEPT)) == addresses:
            return
        page.wait_for_timeout(50)
    assert kept == addresses


def test_the_running_booking_is_read_without_a_network(page: Page, citizen: Citizen) -> None:
    pages = citizen.pages("en")
    page.context.set_offline(True)
    page.goto(pages["booked"])
    expect(page.get_by_role("heading", level=1)).to_contain_text("is yours")
    expect(page.get_by_text("No network: this is your booking as it stood at")).to_be_visible()
    # Any other page says that there is no network, and leads to the booking.
    page.goto(pages["my-bookings"])
    expect(page.get_by_role("heading", level=1)).to_have_text("No network")
    page.get_by_role("link", name="Your booking, as it was last seen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("is yours")
    # With the network, the page is the site's own again.
    page.context.set_offline(False)
    page.goto(pages["booked"])
    expect(page.get_by_text("No network")).to_be_hidden()


def test_who_signs_out_leaves_nothing_in_the_browser(page: Page, citizen: Citizen) -> None:
    pages = citizen.pages("en")
    page.goto(pages["held"])
    expect_kept(page, [pages["booked"]])  # what is not paid is not kept, and displaces nothing
    page.get_by_role("navigation").get_by_role("button", name="Sign out").click()
    expect_kept(page, [])
    page.context.set_offline(True)
    page.goto(pages["booked"])
    expect(page.get_by_role("heading", level=1)).to_have_text("No network")
    expect(page.get_by_role("link", name="Your booking")).to_be_hidden()
    assert "ABC123" not in page.content()


def test_a_stay_that_is_over_is_not_shown_any_more(page: Page, citizen: Citizen) -> None:
    page.evaluate(END_THE_STAY)
    page.context.set_offline(True)
    page.goto(citizen.pages("en")["booked"])
    expect(page.get_by_role("heading", level=1)).to_have_text("No network")
    assert page.evaluate(KEPT) == []


def test_nothing_else_of_a_citizen_is_kept(page: Page, citizen: Citizen) -> None:
    pages = citizen.pages("en")
    for name in ("my-bookings", "receipt", "vehicles"):
        page.goto(pages[name])
        page.wait_for_load_state("networkidle")
    kept = page.evaluate(
        """async () => {
          const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
          const keys = await Promise.all(caches_.map((cache) => cache.keys()));
          return keys.flat().map((one) => new URL(one.url).pathname);
        }"""
    )
    assert {path for path in kept if not path.startswith("/static/")} == {
        pages["booked"],
        pages["offline"],
    }
