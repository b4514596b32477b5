"""People find a place as they spell it: without accents, with mistakes, in another script."""

from __future__ import annotations

import pytest
from django.db import connection

from parking.models import Spot, Zone
from parking.place_names import words_of
from tests import cast

pytestmark = pytest.mark.django_db

HELSINKI = ["Fredrikinkatu", "Lönnrotinkatu", "Bulevardi", "Iso Roobertinkatu", "Kruununhaka"]
TEHRAN = ["خیابان ولیعصر", "خیابان گاندی", "بلوار میرداماد", "خیابان ملاصدرا", "خیابان آفریقا"]


@pytest.fixture
def city(db: None) -> Zone:
    zone = cast.a_zone("kamppi")
    streets = [*HELSINKI, *TEHRAN, "Đường Lê Lợi", "Tarkk'ampujankatu"]
    for nth, street in enumerate(streets):
        Spot.objects.filter(pk=cast.a_spot(zone, f"K-{nth}").pk).update(street=street)
    Zone.objects.filter(pk=cast.a_zone("vanak").pk).update(name="ونک")
    return zone


def meant(place: str) -> list[str]:
    names = dict(Zone.objects.values_list("pk", "name"))
    return [
        name
        for word in words_of(place)
        for name in (*(names[zone] for zone in word.zones), *word.streets)
    ]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *[(place, "Kamppi") for place in ("Kamppi", "kampi", "KAMPPI", "кампи", "Кампpи", "کامپی")],
        *[(place, "ونک") for place in ("ونك", "ونک", "Vanak", "ванак")],
        *[(place, "Lönnrotinkatu") for place in ("lonnrot", "LÖNNROT", "Лённрот", "lonrotinkattu")],
        *[(place, "Bulevardi") for place in ("bulvardi", "булеварди", "بولواردی")],
        *[(place, "Fredrikinkatu") for place in ("fredricinkatu", "Фредрикинкату")],
        *[
            (place, "خیابان ولیعصر")
            for place in ("valiasr", "Vali'asr", "Vali Asr", "وليعصر", "валиаср")
        ],
        *[(place, "خیابان گاندی") for place in ("gandhi", "Gandi", "گاندي", "ганди")],
        *[(place, "بلوار میرداماد") for place in ("mirdamad", "Мирдамад")],
        *[(place, "خیابان ملاصدرا") for place in ("mollasadra", "Molla Sadra")],
        *[(place, "خیابان آفریقا") for place in ("africa", "افریقا")],
        *[(place, "Đường Lê Lợi") for place in ("le", "Lợi", "duong")],
    ],
)
def test_a_name_is_found_however_it_is_spelled(city: Zone, place: str, name: str) -> None:
    assert name in meant(place)
    assert len(meant(place)) < 3


def test_what_is_spelled_right_is_not_guessed(city: Zone) -> None:
    cast.a_zone("kampen")
    (word,) = words_of("kamppi")
    assert (word.guesses, len(word.zones)) == ([], 1)
    (close,) = words_of("bulevadri")
    assert (close.guesses, close.number) == (["Bulevardi"], "")


@pytest.mark.parametrize("place", ["nowhere", "zz", "xyzxyz", "%", "_", "\\", "'", "ь"])
def test_what_is_like_nothing_means_nothing(city: Zone, place: str) -> None:
    (word,) = words_of(place)
    assert (word.zones, [name for name in word.streets if place not in name]) == ([], [])


def test_a_word_that_only_says_street_is_not_in_the_way(city: Zone) -> None:
    assert [word.text for word in words_of("valiasr street")] == ["valiasr"]
    assert [word.text for word in words_of("street")] == ["street"]
    assert len(words_of("خیابان ولیعصر")) == 2  # here it is part of the name


def test_numbers_are_read_in_all_digits(city: Zone) -> None:
    assert [word.number for word in words_of("K-۱۲ ٣")] == ["k-12", "3"]


def test_a_search_is_one_query_and_none_at_all_without_words(
    city: Zone, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):
        assert words_of("  ") == []
    with django_assert_num_queries(1):
        words_of("kamppi bulevardi k-2 " * 9)


def test_both_functions_can_be_asked_of_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT parking_plain(''), parking_bones(''), parking_plain(NULL)")
        assert cursor.fetchone() == ("", "", None)


def test_a_street_is_found_by_its_name_in_another_language(city: Zone) -> None:
    spots = Spot.objects.filter(street="Fredrikinkatu")
    spots.update(street_names={"sv": "Fredriksgatan"})
    assert meant("Fredriksgatan") == meant("fredrikinkatu") == ["Fredrikinkatu"]
    Zone.objects.filter(pk=city.pk).update(names={"sv": "Kampen"})
    assert meant("kampen") == ["Kamppi"]
