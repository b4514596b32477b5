"""What was typed to hold a spot comes back: signing in, an old tab, the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from parking.models import Booking, Spot
from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db
STAY = {"on": "2026-03-03", "at": "12:00", "length": "60"}
TYPED = {**STAY, "plate": "XYZ-987", "email": "typed@example.org"}


@pytest.fixture
def spot(db: None) -> Spot:
    return cast.a_spot(cast.a_zone())


def value(page: Any, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page.content.decode())
    assert found, name
    typed = re.search(r'value="([^"]*)"', found[0])
    return typed[1] if typed else ""


def test_signing_in_on_the_way_keeps_what_was_typed(client: Client, spot: Spot) -> None:
    cast.a_person("citizen")
    left = client.post(f"/spots/{spot.pk}/hold/", {**TYPED, "sign_in": ""})
    assert left["Location"].startswith("/accounts/login/?next=%2Fspots%2F")
    assert "XYZ" not in left["Location"]
    assert "typed" not in left["Location"]
    way = client.get(left["Location"])
    back = client.post(
        "/accounts/login/",
        {
            "login": "citizen@example.org",
            "password": "correct-horse",
            "next": value(way, "next").replace("&amp;", "&"),
        },
    )
    page = client.get(back["Location"])
    assert (value(page, "plate"), value(page, "email")) == ("XYZ-987", "typed@example.org")
    assert (value(page, "at"), value(page, "on")) == ("12:00", "2026-03-03")
    assert "2.00" in text_of(page), "the price of the stay that was chosen"

    held = client.post(f"/spots/{spot.pk}/hold/", TYPED)
    assert held.status_code == 302
    assert "draft" not in client.session
    assert "Sign in first" not in text_of(page)


def test_any_spot_of_a_zone_comes_back_too(client: Client, spot: Spot) -> None:
    Spot.objects.update(features=["ev"])
    left = client.post("/zones/kamppi/any/", {**TYPED, "feature": "ev", "sign_in": ""})
    assert "feature%3Dev" in left["Location"]
    page = client.get(f"/zones/kamppi/any/?on={STAY['on']}&at=12:00&length=60&feature=ev")
    assert value(page, "plate") == "XYZ-987"


def test_an_old_tab_leads_back_to_its_form_and_books_nothing(spot: Spot) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"origin": "http://testserver"})
    strict.get(f"/spots/{spot.pk}/")
    answer = strict.post(f"/spots/{spot.pk}/hold/", {**TYPED, "csrfmiddlewaretoken": "x" * 64})
    assert answer["Location"] == f"/spots/{spot.pk}/?on=2026-03-03&at=12%3A00&length=60"
    page = strict.get(answer["Location"])
    assert "press the button again" in text_of(page)
    assert value(page, "plate") == "XYZ-987"
    assert not Booking.objects.exists()


@pytest.mark.parametrize("origin", ["http://evil.test", "null", None])
def test_other_sites_forms_get_nowhere(spot: Spot, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    strict = Client(enforce_csrf_checks=True, headers=headers)
    answer = strict.post(f"/spots/{spot.pk}/hold/", TYPED)
    assert answer.status_code == 403
    assert "draft" not in strict.session
    assert strict.post("/bookings/forget/").status_code == 403


def test_the_way_back_shows_what_was_typed_the_last_time(client: Client, spot: Spot) -> None:
    client.post(f"/spots/{spot.pk}/hold/", TYPED)
    page = client.get(f"/spots/{spot.pk}/?on=2026-03-03&at=15:00&length=60")
    assert (value(page, "plate"), value(page, "email")) == ("XYZ987", "typed@example.org")


class TestAsTheLastTime:
    def test_a_returning_guest_is_offered_the_spot_for_as_long_as_then(
        self, client: Client, spot: Spot
    ) -> None:
        assert "As the last time" not in text_of(client.get("/"))
        made = cast.a_hold(spot, start=cast.at(-600), minutes=90, now=cast.at(-600))
        session = client.session
        session["bookings"] = [made.booking.reference]
        session.save()
        assert "As the last time" not in text_of(client.get("/")), "it was never booked"
        type(made).objects.update(state="confirmed", confirmed_at=cast.at(-599), free_reason="x")
        page = client.get("/")
        assert "Spot K-1, Fredrikinkatu · 1 h 30 min · from 10:00" in text_of(page)
        assert f'href="/spots/{spot.pk}/?length=90"' in page.content.decode()
        cast.a_hold(spot, start=cast.at(60), email="other@example.org")
        assert "As the last time" not in text_of(client.get("/")), "somebody else has it then"
