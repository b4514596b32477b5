"""What Lighthouse says of the pages on its mobile profile, and what a first view costs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

from scripts import node_tools
from scripts.places import CHECKOUT
from tests.browser import ARGUMENTS, path_of_chromium
from tests.journeys import walk
from tests.journeys.conftest import PHONE, new_page
from tests.journeys.stack import Stack

pytestmark = [pytest.mark.journey, pytest.mark.torture]  # a score wants the machine for itself

REPORTS = CHECKOUT / "artifacts" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SPOT, HOME, BOOKING = "spot", "home", "booking"
TRIES = 3  # of a machine that has other things to do


def address_of(page: Page, stack: Stack, name: str) -> str:
    """Return the address of a page; the visitor of `page` may see it."""
    if name == HOME:
        return f"{stack.address}/"
    place = walk.next_spot(stack)
    if name == SPOT:
        return f"{stack.address}/spots/{place.id}/?length=60"
    walk.hold(page, place, email="guest@example.org")
    return page.url


@pytest.mark.parametrize("name", [HOME, SPOT, BOOKING])
def test_a_first_view_is_small_and_nothing_moves_in_it(
    browser: Browser, page: Page, stack: Stack, name: str
) -> None:
    address = address_of(page, stack, name)
    context, phone = new_page(browser, stack, viewport=PHONE)
    context.add_cookies(page.context.cookies())
    received: dict[str, int] = {}
    names: dict[str, str] = {}
    network = context.new_cdp_session(phone)
    network.send("Network.enable")
    network.on(
        "Network.requestWillBeSent",
        lambda sent: names.update({sent["requestId"]: sent["request"]["url"]}),
    )
    network.on(
        "Network.loadingFinished",
        lambda done: received.update({done["requestId"]: int(done["encodedDataLength"])}),
    )
    answers: list[Response] = []
    phone.on("response", lambda answer: answers.append(answer))
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    moved = phone.evaluate(
        """() => new Promise((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            list.getEntries().forEach((entry) => { sum += entry.value; });
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => resolve(sum), 100);
        })"""
    )
    # What the page's worker fetches has no name here, but weighs.
    sizes = {
        names.get(key, key): size
        for key, size in received.items()
        if not names.get(key, key).startswith("data:")
    }
    ways = {
        (answer.header_value("content-encoding"), answer.header_value("cache-control"))
        for answer in answers
        if answer.url.endswith((".css", ".js")) and "/static/" in answer.url
    }
    context.close()
    say(f"{name}: {len(sizes)} requests, {sum(sizes.values())} bytes, layout shift {moved}")
    assert len(sizes) <= 20, sizes
    assert sum(sizes.values()) <= 60_000, sizes
    assert moved == 0
    assert ways == {("br", "max-age=315360000, public, immutable")}
    assert {url for url in names.values() if not url.startswith((stack.address, "data:"))} == set()


@pytest.mark.parametrize("name", [HOME, SPOT, BOOKING])
def test_lighthouse_gives_95_in_all_four(page: Page, stack: Stack, name: str) -> None:
    REPORTS.mkdir(parents=True, exist_ok=True)
    address = address_of(page, stack, name)
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    for _ in range(TRIES):
        scores = lighthouse(address, cookies, REPORTS / f"{name}.json")
        say(f"{name}: {scores}")
        if min(scores.values()) >= 95:
            break
    assert min(scores.values()) >= 95, scores


def lighthouse(address: str, cookies: str, file: Path) -> dict[str, int]:
    """Return the score of each category, of 100."""
    chromium = path_of_chromium()
    assert chromium is not None
    done = node_tools.lighthouse(
        address,
        *("--output=json", f"--output-path={file}", "--quiet", "--no-enable-error-reporting"),
        f"--only-categories={','.join(CATEGORIES)}",
        f"--chrome-flags={' '.join(['--headless=new', *ARGUMENTS])}",
        f"--extra-headers={json.dumps({'Cookie': cookies})}",
        env={**os.environ, "CHROME_PATH": chromium},
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(file.read_text())
    return {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}


def say(text: str) -> None:
    """Write a figure for whoever runs the tests with `-s` or `-rP`."""
    sys.stdout.write(text + "\n")
