"""The page of the street, in a real browser."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from parking.meter_protocol import Entry, Show, message
from parking.signatures import Key
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.cast import NOW, at
from tests.parking.street import RunningStreet

SHOWS = [
    Show("green", "slow_blink"),
    Show("green", "steady"),
    Show("green", "fast_blink"),
    Show("red", "steady"),
    Show("red", "blink"),
    Show("amber", "double_blink"),
    Show("off", "none"),
]


def spec(number: int) -> MeterSpec:
    return MeterSpec(
        serial=f"MTR-{number:06d}",
        keys=(Key(f"mk_{number}", b"secret"),),
        is_called=True,
        zone="Kamppi" if number <= 40 else "Punavuori",
        street=["Fredrikinkatu", "Annankatu", "Eerikinkatu"][number % 3],
        longitude=24.9 + number / 1000,
        latitude=60.1,
        spots=tuple(SpotSpec(lamp=lamp, number=f"{number:02d}-{lamp}") for lamp in range(1, 9)),
    )


@pytest.fixture(scope="module")
def street() -> Iterator[RunningStreet]:
    """Sixty meters of eight lamps; the third shows everything that a lamp can show."""
    running = RunningStreet("http://127.0.0.1:9").start()
    running.put_up([spec(number) for number in range(1, 61)])
    running.do(lambda: setattr(running.street, "clock", NOW.timestamp))

    def plan() -> None:
        device = running.street.devices["MTR-000003"]
        entries = {
            lamp: [Entry(at(-5), at(60), show, "7QK4M2")] for lamp, show in enumerate(SHOWS, 1)
        }
        body = message(
            serial="MTR-000003",
            revision=1,
            command_id=None,
            issued_at=NOW,
            not_after=at(60),
            plan=entries,
            now=NOW,
        )
        running.street.took(device, device.take(body, now=NOW.timestamp()))

    running.do(plan)
    yield running
    running.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, street: RunningStreet) -> Iterator[Page]:
    """The page, drawn; it must not have complained in the end."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(street.url)
    opened.locator(".meter").first.wait_for()
    yield opened
    assert complaints == []


def test_all_lamps_are_drawn_with_colour_pattern_and_word(page: Page) -> None:
    expect(page.locator(".road .lamp")).to_have_count(480)
    meter = page.get_by_role("button", name="MTR-000003")
    lamps = meter.locator(".lamp")
    assert [
        (lamp.get_attribute("data-light"), lamp.get_attribute("data-pattern"))
        for lamp in lamps.all()
    ] == [*SHOWS, ("off", "none")]
    words = meter.locator(".word").all_text_contents()
    assert words == ["soon", "booked", "ending", "closed", "unpaid", "no plan", "off", "off"]
    name = meter.get_attribute("aria-label") or ""
    assert "03-1 soon" in name


def test_lamps_blink_unless_no_motion_is_wanted(
    browser: Browser, page: Page, street: RunningStreet
) -> None:
    def animations(of: Page) -> list[str]:
        lit = of.get_by_role("button", name="MTR-000003").locator(".lit")
        return [one.evaluate("it => getComputedStyle(it).animationName") for one in lit.all()][:7]

    assert animations(page) == ["blink", "none", "blink", "none", "blink", "double", "none"]
    still = browser.new_context(reduced_motion="reduce").new_page()
    still.goto(street.url)
    still.locator(".meter").first.wait_for()
    assert set(animations(still)) == {"none"}
    ring = still.get_by_role("button", name="MTR-000003").locator(".ring--one").first
    assert ring.evaluate("it => getComputedStyle(it).opacity") == "1"
    still.context.close()


def test_meters_are_chosen_by_zone_street_and_light(page: Page) -> None:
    page.locator("#zone").select_option("Punavuori")
    expect(page.locator(".meter")).to_have_count(20)
    page.locator("#street").select_option("Annankatu")
    expect(page.locator(".road")).to_have_count(1)
    page.locator("#zone").select_option("")
    page.locator("#street").select_option("")
    expect(page.locator(".meter")).to_have_count(60)


def test_a_meter_opens_by_keyboard_and_tells_its_plan(page: Page) -> None:
    page.get_by_role("button", name="MTR-000003").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Meter MTR-000003")).to_be_visible()
    expect(dialog.locator("#plan tr")).to_have_count(7)
    expect(dialog.locator("#plan")).to_contain_text("7QK4M2")
    expect(dialog.locator("#log")).to_contain_text("boot")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_change_is_seen_without_a_reload(page: Page, street: RunningStreet) -> None:
    meter = page.get_by_role("button", name="MTR-000004")
    expect(meter).to_have_attribute("data-online", "true")
    street.faults({"kind": "offline", "meters": "MTR-000004"})
    expect(meter).to_have_attribute("data-online", "false")
    expect(page.get_by_role("status")).to_contain_text("1 offline")
    street.faults()
    expect(meter).to_have_attribute("data-online", "true")


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
)
def test_everybody_can_use_it_at_every_width(
    browser: Browser, street: RunningStreet, width: int, scheme: str
) -> None:
    opened = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = opened.new_page()
    page.goto(street.url)
    page.locator(".meter").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#zone").select_option("Kamppi")
    page.locator("#street").select_option("Fredrikinkatu")  # axe takes its time with each lamp
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="MTR-000003").click()
    expect(page.locator("#plan tr")).to_have_count(7)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    opened.close()
