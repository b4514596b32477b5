"""A citizen's vehicles: the list, and choosing one of them instead of typing its plate."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect

from parking import vehicles
from parking.languages import in_language
from parking.models import Booking, Slot, Spot, Vehicle, Zone
from tests import cast
from tests.parking.pages.browser import SMALL_TARGETS, a_page, axe_finds, sideways
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db
STAY = {"on": "2026-03-03", "at": "10:00", "length": "60", "email": "citizen@example.org"}
CLASSES = {**cast.TWO_EURO_AN_HOUR, "vehicle_classes": {"motorcycle": {"percent": 50}}}


@pytest.fixture
def citizen(client: Client) -> User:
    person = cast.a_person("citizen")
    client.force_login(person)
    return person


def a_vehicle(owner: User, plate: str = "ABC123", **fields: str) -> Vehicle:
    return vehicles.add(owner=owner, plate=plate, now=cast.NOW, **fields)


def holds(zone: Zone, spot: Spot) -> list[str]:
    return [f"/spots/{spot.pk}/hold/", f"/zones/{zone.code}/any/"]


class TestTheList:
    def test_a_vehicle_is_added_in_the_spelling_of_its_country(
        self, client: Client, citizen: User
    ) -> None:
        typed = {"plate": "12b34567", "country": "IR", "name": "Peykan"}
        answer = client.post("/vehicles/", typed, follow=True)
        assert "Peykan" in text_of(answer)
        known = Vehicle.objects.get()
        assert (known.owner, known.plate, known.is_default) == (citizen, "12ب34567", True)

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"plate": "AB12345", "country": "FI"}, "Finland usually look like \u202dABC-123"),
            ({"plate": "ABC-I23", "country": ""}, "ABCI23\u202c looks much like \u202dABC123"),
        ],
    )
    def test_what_looks_like_a_slip_is_said_and_kept(
        self, client: Client, citizen: User, typed: dict[str, str], words: str
    ) -> None:
        a_vehicle(citizen)
        answer = client.post("/vehicles/", typed, follow=True)
        assert words in text_of(answer)
        assert Vehicle.objects.count() == 2

    @pytest.mark.parametrize(
        ("typed", "status", "words"),
        [
            ({"plate": ""}, 400, "Write the number plate"),
            ({"plate": "AB<1>"}, 400, "“<” is on no number plate"),
            ({"plate": "ABC123", "country": "XX"}, 400, "valid choice"),
            ({"plate": "abc-123", "country": "FI"}, 409, "in your list already"),
        ],
    )
    def test_what_cannot_be_added_is_said_at_its_field(
        self, client: Client, citizen: User, typed: dict[str, str], status: int, words: str
    ) -> None:
        a_vehicle(citizen)
        answer = client.post("/vehicles/", typed)
        assert answer.status_code == status
        assert words in text_of(answer)
        assert Vehicle.objects.count() == 1

    def test_a_vehicle_is_changed_offered_first_and_forgotten(
        self, client: Client, citizen: User
    ) -> None:
        first, second = a_vehicle(citizen, name="Volvo"), a_vehicle(citizen, "XYZ789")
        changed = {"plate": "xyz-788", "country": "FI", "name": "Vespa"}
        client.post(f"/vehicles/{second.pk}/", changed)
        client.post(f"/vehicles/{second.pk}/first/")
        assert [one.plate for one in vehicles.vehicles_of(citizen)] == ["XYZ788", "ABC123"]
        text = text_of(client.get("/vehicles/"))
        assert text.index("Vespa") < text.index("Volvo")
        client.post(f"/vehicles/{first.pk}/forget/")
        assert "Volvo" not in text_of(client.get("/vehicles/"))

    def test_nothing_is_done_by_reading(self, client: Client, citizen: User) -> None:
        a_vehicle(citizen)
        other = a_vehicle(citizen, "XYZ789")
        for step in ("first", "forget"):
            assert client.get(f"/vehicles/{other.pk}/{step}/").status_code == 405
        assert Vehicle.objects.filter(is_default=False).get() == other

    @pytest.mark.parametrize("name", ["vehicle", "vehicle-first", "vehicle-forget"])
    def test_anothers_vehicle_does_not_exist(
        self, client: Client, citizen: User, name: str
    ) -> None:
        theirs = a_vehicle(cast.a_person("other"), "XYZ789")
        a_vehicle(citizen)
        page = reverse(f"parking:{name}", args=[theirs.pk])
        for person in (citizen, cast.a_person("chief", is_staff=True, is_superuser=True)):
            client.force_login(person)
            assert client.post(page, {"plate": "BAD666"}).status_code == 404
        theirs.refresh_from_db()
        assert (theirs.plate, theirs.is_default) == ("XYZ789", True)
        assert "XYZ789" not in text_of(client.get("/vehicles/"))

    @pytest.mark.parametrize("name", ["vehicles", "vehicle", "vehicle-first", "vehicle-forget"])
    def test_a_guest_is_asked_to_sign_in(self, client: Client, name: str) -> None:
        page = reverse(f"parking:{name}", args=[] if name == "vehicles" else [1])
        for answer in (client.get(page), client.post(page)):
            assert answer["Location"].startswith("/accounts/login/")


class TestHolding:
    def test_the_first_one_is_chosen_already(
        self, client: Client, citizen: User, zone: Zone, spot: Spot
    ) -> None:
        a_vehicle(citizen, "XYZ789")
        first = a_vehicle(citizen, name="Volvo")
        vehicles.offer_first(vehicle=first)
        for page in (f"/spots/{spot.pk}/", f"/zones/{zone.code}/any/"):
            form = client.get(page, STAY).context["form"]
            assert form["vehicle"].value() == str(first.pk)
            assert len(form.fields["vehicle"].choices) == 3
            assert not form["plate"].value()

    @pytest.mark.parametrize("which", [0, 1])
    def test_a_chosen_vehicle_needs_no_typing(
        self, client: Client, citizen: User, zone: Zone, spot: Spot, which: int
    ) -> None:
        mine = a_vehicle(citizen)
        client.post(holds(zone, spot)[which], {**STAY, "vehicle": mine.pk, "plate": ""})
        assert Booking.objects.get().plate == "ABC123"

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize("choice", [{"vehicle": "another"}, {}])
    def test_another_plate_can_be_typed_and_remembered(
        self,
        client: Client,
        citizen: User,
        zone: Zone,
        spot: Spot,
        which: int,
        choice: dict[str, str],
    ) -> None:
        a_vehicle(citizen)
        typed = {**STAY, **choice, "plate": "xyz-789", "remember": "on"}
        client.post(holds(zone, spot)[which], typed)
        assert Booking.objects.get().plate == "XYZ789"
        new = Vehicle.objects.get(plate="XYZ789")
        assert (new.owner, new.country, new.is_default) == (citizen, "FI", False)

    def test_a_plate_that_is_known_already_is_no_hindrance(
        self, client: Client, citizen: User, zone: Zone, spot: Spot
    ) -> None:
        a_vehicle(citizen)
        typed = {**STAY, "vehicle": "another", "plate": "abc123", "remember": "on"}
        assert client.post(holds(zone, spot)[0], typed).status_code == 302
        assert Vehicle.objects.count() == 1

    def test_two_answers_are_not_guessed_between(
        self, client: Client, citizen: User, zone: Zone, spot: Spot
    ) -> None:
        mine = a_vehicle(citizen)
        answer = client.post(holds(zone, spot)[0], {**STAY, "vehicle": mine.pk, "plate": "XYZ789"})
        assert answer.status_code == 400
        assert "You chose another vehicle above" in text_of(answer)
        assert not Booking.objects.exists()

    @pytest.mark.parametrize("choice", ["another", ""])
    def test_without_any_plate_nothing_is_held(
        self, client: Client, citizen: User, zone: Zone, spot: Spot, choice: str
    ) -> None:
        a_vehicle(citizen)
        answer = client.post(holds(zone, spot)[0], {**STAY, "vehicle": choice, "plate": ""})
        assert answer.status_code == 400
        assert "Write the number plate" in text_of(answer)

    def test_anothers_vehicle_cannot_be_chosen(
        self, client: Client, citizen: User, zone: Zone, spot: Spot
    ) -> None:
        a_vehicle(citizen)
        theirs = a_vehicle(cast.a_person("other"), "XYZ789")
        answer = client.post(holds(zone, spot)[0], {**STAY, "vehicle": theirs.pk, "plate": ""})
        assert answer.status_code == 400
        assert "XYZ789" not in text_of(answer)
        assert not Booking.objects.exists()

    def test_the_first_ones_class_says_the_price(self, client: Client, citizen: User) -> None:
        zone = cast.a_zone(tariff=CLASSES)
        spot = cast.a_spot(zone)
        a_vehicle(citizen, vehicle_class="motorcycle")
        when = {name: STAY[name] for name in ("on", "at", "length")}
        for page in (f"/spots/{spot.pk}/", f"/zones/{zone.code}/any/"):
            assert "and pay 1.00" in text_of(client.get(page, when))
            assert "and pay 2.00" in text_of(client.get(page, {**when, "vehicle_class": ""}))

    def test_a_guest_types_and_nothing_is_remembered(
        self, client: Client, zone: Zone, spot: Spot
    ) -> None:
        page = client.get(f"/spots/{spot.pk}/", STAY)
        assert 'name="vehicle"' not in page.content.decode()
        assert 'name="remember"' not in page.content.decode()
        client.post(holds(zone, spot)[0], {**STAY, "plate": "abc-123", "remember": "on"})
        assert Booking.objects.get().plate == "ABC123"
        assert not Vehicle.objects.exists()

    def test_no_plate_reaches_the_log(
        self,
        client: Client,
        citizen: User,
        zone: Zone,
        spot: Spot,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        mine = a_vehicle(citizen, "SECRET9")
        client.post(holds(zone, spot)[0], {**STAY, "vehicle": mine.pk, "plate": ""})
        client.post("/vehicles/", {"plate": "SECRET<"})
        client.post(f"/vehicles/{mine.pk}/", {"plate": "SECRET9", "country": "FI"})
        assert "SECRET" not in caplog.text


class TestCorrecting:
    def test_the_vehicles_are_offered_and_the_bookings_own_is_chosen(
        self, client: Client, citizen: User, spot: Spot
    ) -> None:
        mine, other = a_vehicle(citizen), a_vehicle(citizen, "XYZ789")
        slot = cast.a_hold(spot, user=citizen)
        page = f"/bookings/{slot.booking.reference}/plate/"
        assert client.get(page).context["form"]["vehicle"].value() == str(mine.pk)
        client.post(page, {"vehicle": other.pk, "plate": ""})
        assert Booking.objects.get().plate == "XYZ789"

    def test_a_plate_of_no_vehicle_is_the_other_one(
        self, client: Client, citizen: User, spot: Spot
    ) -> None:
        a_vehicle(citizen)
        slot = cast.a_hold(spot, user=citizen, plate="XYZ789")
        form = client.get(f"/bookings/{slot.booking.reference}/plate/").context["form"]
        assert (form["vehicle"].value(), form["plate"].value()) == ("another", "XYZ789")


def test_a_warden_finds_a_plate_however_both_typed_it(
    client: Client, zone: Zone, spot: Spot, settings: Any
) -> None:
    settings.CITY_COUNTRY = "IR"
    client.post(f"/spots/{spot.pk}/hold/", {**STAY, "plate": "12 B 345 67"})
    assert Booking.objects.get().plate == "12ب34567"
    Slot.objects.update(state="confirmed", confirmed_at=cast.NOW)
    client.force_login(cast.a_person("warden", "warden"))
    for typed in ("12b34567", "۱۲ ب ۳۴۵ ۶۷", "12-ب-345-67"):
        answer = client.post("/warden/", {"plate": typed})
        assert len(answer.context["stays"]) == 1
        assert "12ب34567" in text_of(answer)


@pytest.mark.django_db(transaction=True)
class TestInABrowser:
    @pytest.mark.parametrize("language", ["en", "fa"])
    def test_the_pages_are_clean_on_a_phone_and_a_desk(
        self, browser: Browser, live_server: Any, language: str, tmp_path: Any
    ) -> None:
        spot = cast.a_spot(cast.a_zone(tariff=CLASSES))
        citizen = cast.a_person("citizen")
        first = a_vehicle(citizen, name="Family car", country="FI", vehicle_class="motorcycle")
        a_vehicle(citizen, "12ب34567", country="IR")
        slot = cast.a_hold(spot, cast.at(60), user=citizen)
        when = "on=2026-03-03&at=10:00&length=60"
        pages = [
            "/vehicles/",
            f"/vehicles/{first.pk}/",
            f"/spots/{spot.pk}/?{when}",
            f"/zones/kamppi/any/?{when}",
            f"/bookings/{slot.booking.reference}/plate/",
            "/bookings/",
        ]
        with a_page(browser, live_server.url, locale=language) as page:
            sign_in(page, citizen)
            for path in pages:
                page.goto(in_language(path, language))
                assert page.locator("html").get_attribute("lang") == language
                assert page.locator("h1").count() == 1
                for width in (1280, 390):
                    page.set_viewport_size({"width": width, "height": 850})
                    assert (path, width, sideways(page)) == (path, width, 0)
                    assert (path, page.evaluate(SMALL_TARGETS)) == (path, [])
                assert axe_finds(page) == []

    def test_the_plate_is_asked_for_only_where_none_is_chosen(
        self, browser: Browser, live_server: Any
    ) -> None:
        spot = cast.a_spot(cast.a_zone())
        citizen = cast.a_person("citizen")
        a_vehicle(citizen, name="Volvo")
        with a_page(browser, live_server.url) as page:
            sign_in(page, citizen)
            page.goto(f"/spots/{spot.pk}/?on=2026-03-03&at=10:00&length=60")
            plate = page.get_by_label("Number plate")
            expect(plate).to_be_hidden()
            page.get_by_label("Volvo").focus()
            page.keyboard.press("ArrowDown")
            expect(page.get_by_label("another plate")).to_be_checked()
            expect(plate).to_be_visible()
            plate.fill("xyz-789")
            page.get_by_label("Remember this vehicle").check()
            page.get_by_label("Length of stay").select_option("120")  # the offer is drawn anew
            expect(page.get_by_role("button", name="pay 4.00")).to_be_visible()
            expect(page.get_by_label("another plate")).to_be_checked()
            expect(page.get_by_label("Remember this vehicle")).to_be_checked()
            page.get_by_role("button", name="pay 4.00").click()
            page.wait_for_url("**/bookings/**")
        assert Booking.objects.get().plate == "XYZ789"
        assert sorted(Vehicle.objects.values_list("plate", flat=True)) == ["ABC123", "XYZ789"]

    def test_a_plate_reads_from_left_to_right_in_any_language(
        self, browser: Browser, live_server: Any
    ) -> None:
        citizen = cast.a_person("citizen")
        a_vehicle(citizen, "12ب34567", country="IR")
        for language in ("en", "fa"):
            with a_page(browser, live_server.url, locale=language) as page:
                sign_in(page, citizen)
                page.goto(in_language("/vehicles/", language))
                edges = page.locator("h2 [dir=ltr]").evaluate(EDGES)
                assert len(edges) == 8
                assert edges == sorted(edges)

    def test_everything_works_without_scripts(self, browser: Browser, live_server: Any) -> None:
        spot = cast.a_spot(cast.a_zone())
        citizen = cast.a_person("citizen")
        with a_page(browser, live_server.url, java_script_enabled=False) as page:
            sign_in(page, citizen)
            page.goto("/bookings/")
            page.get_by_role("link", name="My vehicles").click()
            for plate in ("ABC-123", "XYZ-789"):
                page.get_by_label("Number plate").fill(plate)
                page.get_by_role("button", name="Add it").click()
            page.get_by_role("button", name="Offer first: XYZ789").click()
            page.get_by_role("button", name="Forget: ABC123").click()
            page.goto(f"/spots/{spot.pk}/?on=2026-03-03&at=10:00&length=60")
            expect(page.get_by_label("XYZ789")).to_be_checked()
            page.get_by_role("button", name="Hold this spot").click()
            page.wait_for_url("**/bookings/**")
        assert Booking.objects.get().plate == "XYZ789"


# Where each sign of an element is drawn.
EDGES = """(element) => [...element.textContent].map((_, at) => {
  const range = document.createRange();
  range.setStart(element.firstChild, at);
  range.setEnd(element.firstChild, at + 1);
  return range.getBoundingClientRect().left;
})"""


def sign_in(page: Any, person: User) -> None:
    client = Client()
    client.force_login(person)
    page.context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": client.cookies["sessionid"].value,
                "domain": "localhost",
                "path": "/",
            }
        ]
    )
