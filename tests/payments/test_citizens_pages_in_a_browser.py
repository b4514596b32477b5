"""Every citizen's page, on a phone and a desk, in both directions, light and dark."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from scripts.places import CHECKOUT
from tests.parking.pages.browser import SMALL_TARGETS, a_page, sideways
from tests.payments.citizens_pages import Citizen
from tests.payments.processor import Processor

pytestmark = pytest.mark.django_db(transaction=True)

PICTURES = CHECKOUT / "artifacts" / "pictures" / "pages"
LOOKED_AT = {"find", "find-wrong", "spot", "spot-taken", "tariff", "missing"}  # pages/test_browser
WAYS = list(itertools.product(("en", "fa"), (390, 1280), ("light", "dark")))


def look(page: Page, citizen: Citizen, name: str, way: tuple[str, int, str]) -> list[object]:
    """Open a page in one way; return what is wrong with it there."""
    language, width, theme = way
    page.set_viewport_size({"width": width, "height": 850})
    page.emulate_media(color_scheme=theme)
    page.goto(citizen.pages(language)[name])
    page.wait_for_load_state("load")
    wrong: list[object] = [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in Axe().run(page).response["violations"]
    ]
    if page.locator("h1").count() != 1:
        wrong.append("not one heading")
    direction = "rtl" if language == "fa" else "ltr"
    if page.evaluate("document.documentElement.dir") != direction:
        wrong.append(f"not {direction}")
    for narrow in (width, 320):  # what 400 % zoom leaves of 1280 pixels
        page.set_viewport_size({"width": narrow, "height": 850})
        if sideways(page):
            wrong.append(f"{sideways(page)} pixels too wide for {narrow}")
    return wrong + page.evaluate(SMALL_TARGETS)


def found(
    browser: Browser, site: str, citizen: Citizen, ways: dict[str, list[tuple[str, int, str]]]
) -> dict[object, list[object]]:
    """Look at pages, each in its ways; keep a picture of each."""
    wrong: dict[object, list[object]] = {}
    for language in ("en", "fa"):
        with a_page(browser, site, locale=language, service_workers="block") as page:
            citizen.sign_in(page, site)
            for name, way in [(name, way) for name, all_ in ways.items() for way in all_]:
                if way[0] != language:
                    continue
                if at_fault := look(page, citizen, name, way):
                    wrong[name, way] = at_fault
                page.set_viewport_size({"width": way[1], "height": 850})
                file = PICTURES / f"{name}-{'-'.join(map(str, way))}.png"
                page.screenshot(path=file, full_page=True)
    return wrong


def test_each_page_is_sound_in_one_way_after_another(
    live_server: LiveServer, browser: Browser, processor: Processor
) -> None:
    citizen = Citizen(processor)
    names = [name for name in citizen.pages("en") if name not in LOOKED_AT]
    ways = {name: [way] for name, way in zip(names, itertools.cycle(WAYS[::-3]), strict=False)}
    assert found(browser, live_server.url, citizen, ways) == {}


@pytest.mark.torture
def test_each_page_is_sound_in_all_ways(
    live_server: LiveServer, browser: Browser, processor: Processor
) -> None:
    citizen = Citizen(processor)
    ways = dict.fromkeys(citizen.pages("en"), WAYS)
    assert found(browser, live_server.url, citizen, ways) == {}


def test_the_style_guide_is_for_those_who_build_the_site(
    live_server: LiveServer, browser: Browser, settings: Any
) -> None:
    with a_page(browser, live_server.url) as page:
        answer = page.goto("/styleguide/")
        assert answer is not None
        assert answer.status == 404
        settings.DEBUG = True
        page.goto("/styleguide/")
        assert page.get_by_text("--accent-soft").is_visible()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert Axe().run(page).response["violations"] == []
