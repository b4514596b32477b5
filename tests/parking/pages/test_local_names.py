"""Zones and streets are called as the reader's language calls them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from django.test import Client

from parking.models import Spot, Street, Zone
from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db
STAY = {"on": "2026-03-03", "at": "10:00", "length": "60"}


@pytest.fixture
def named(spot: Spot) -> Spot:
    Zone.objects.update(names={"ru": "Камппи", "vi": ""})
    Spot.objects.update(street_names={"ru": "улица Фредрика"})
    line = MultiLineString(LineString((24.93, 60.168), (24.94, 60.168)))
    Street.objects.create(name="Fredrikinkatu", names={"ru": "улица Фредрика"}, geometry=line)
    spot.refresh_from_db()
    return spot


def test_every_page_has_the_readers_name_or_else_the_citys(client: Client, named: Spot) -> None:
    cast.a_spot(named.zone, "K-2", metres_east=10, street_names={"ru": "улица Анны"})
    cast.a_hold(named)
    stay = "on=2026-03-03&at=10:00&length=60&show=all"
    for path in (
        *(f"/?{stay}", f"/spots/{named.pk}/?{stay}", f"/zones/kamppi/any/?{stay}"),
        "/zones/kamppi/tariff/",
    ):
        russian = text_of(client.get(f"/ru{path}"))
        assert "Камппи" in russian, path
        assert "Kamppi" not in russian, path
        for prefix in ("", "/vi"):
            other = text_of(client.get(f"{prefix}{path}"))
            assert "Kamppi" in other, path
            assert "Камппи" not in other, path
    spot_page = text_of(client.get(f"/ru/spots/{named.pk}/", STAY))
    assert "улица Фредрика" in spot_page
    assert "улица Анны" in spot_page, "a spot nearby"


def test_the_map_writes_the_readers_names(client: Client, named: Spot) -> None:
    def names(prefix: str) -> list[Any]:
        ground = client.get(f"{prefix}/map/streets.json").json()
        layer = client.get(f"{prefix}/map/spots.json").json()
        return [ground["zones"][0]["name"], ground["streets"][0]["name"], layer["streets"]]

    assert names("/ru") == ["Камппи", "улица Фредрика", ["улица Фредрика"]]
    assert names("") == ["Kamppi", "Fredrikinkatu", ["Fredrikinkatu"]]


def test_a_new_name_makes_a_new_version_of_the_map(client: Client, named: Spot) -> None:
    before = client.get("/ru/map/streets.json")["ETag"]
    Street.objects.update(names={"ru": "Фредрикинкату"})
    assert client.get("/ru/map/streets.json")["ETag"] != before


def test_the_desk_asks_for_a_name_in_each_language(client: Client, named: Spot) -> None:
    client.force_login(cast.a_person("chief", is_staff=True, is_superuser=True))
    page = f"/admin/parking/street/{Street.objects.get().pk}/change/"
    form = client.get(page).context["adminform"].form
    assert 'name="names_ru" value="улица Фредрика"' in str(form["names"])
    data = {"name": "Fredrikinkatu", "width_m": 14, "geometry": form["geometry"].value().wkt}
    answer = client.post(page, data | {"names_ru": "Новая", "names_en": "", "names_fa": " نو "})
    assert answer.status_code == 302, answer.context["errors"]
    assert Street.objects.get().names == {"ru": "Новая", "fa": "نو"}
