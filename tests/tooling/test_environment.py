"""What the person set stays, secrets are made once, tests are on their own."""

import re
import stat
from pathlib import Path

import pytest
from django.conf import settings

from scripts import environment
from scripts.environment import Ports
from scripts.places import Place, SetupError


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place("run", tmp_path)
    place.make()
    return place


def for_site(place: Place, **environ: str) -> dict[str, str]:
    return environment.for_site(
        environ, place, Ports(), database_url="postgis:///private", redis_url="unix:///private"
    )


def test_an_unknown_city_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SetupError, match=r"CITY=paris: .* helsinki or tehran"):
        environment.city({"CITY": "paris"})


def test_no_city_means_helsinki() -> None:
    assert environment.city({}) == environment.city({"CITY": ""}) == "helsinki"


def test_a_city_brings_its_currency_and_time_zone(place: Place) -> None:
    env = for_site(place, CITY="tehran")
    assert (env["CITY_CURRENCY"], env["CITY_TIME_ZONE"]) == ("IRR", "Asia/Tehran")


def test_what_the_person_set_stays_and_an_empty_value_counts_as_none(place: Place) -> None:
    env = for_site(place, DATABASE_URL="postgis://theirs", CITY_NAME="Espoo", REDIS_URL="")
    assert env["DATABASE_URL"] == "postgis://theirs"
    assert env["CITY_NAME"] == "Espoo"
    assert env["REDIS_URL"] == "unix:///private"


def test_without_a_key_the_sandbox_is_the_processor(place: Place) -> None:
    env = for_site(place)
    assert env["STRIPE_API_BASE"] == "http://127.0.0.1:8010"
    assert env["STRIPE_API_KEY"].startswith("sk_test_")
    assert env["STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")


def test_with_a_real_key_nothing_of_the_sandbox_is_set(place: Place) -> None:
    env = for_site(place, STRIPE_API_KEY="sk_test_of_a_person")
    assert env["STRIPE_API_KEY"] == "sk_test_of_a_person"
    assert "STRIPE_API_BASE" not in env
    assert "STRIPE_WEBHOOK_SECRETS" not in env


def test_a_real_key_is_refused_where_stripe_does_not_settle_the_currency(place: Place) -> None:
    with pytest.raises(SetupError, match="does not settle IRR"):
        for_site(place, CITY="tehran", STRIPE_API_KEY="sk_test_of_a_person")


def test_secrets_are_made_once_and_for_the_owner_only(place: Place) -> None:
    first, second = for_site(place), for_site(place)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["SECRET_KEY"] != first["METER_KEYS_SECRET"]
    assert stat.S_IMODE((place.home / "secrets.json").stat().st_mode) == 0o600


def test_damaged_secrets_are_named_and_not_replaced(place: Place) -> None:
    (place.home / "secrets.json").write_text("{")
    with pytest.raises(SetupError, match=r"secrets\.json is damaged"):
        for_site(place)
    assert (place.home / "secrets.json").read_text() == "{"


def test_tests_do_not_see_the_settings_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_of_a_person")
    monkeypatch.setenv("DATABASE_URL", "postgis://production")
    monkeypatch.setenv("HOME_OF_OTHERS", "kept")
    env = environment.for_tests("postgis:///tests", "unix:///tests")
    assert "STRIPE_API_KEY" not in env
    assert env["DATABASE_URL"] == "postgis:///tests"
    assert env["HOME_OF_OTHERS"] == "kept"


def test_every_setting_is_known_here_and_told_in_the_readme() -> None:
    """One that is not would reach the tests from a person's shell."""
    source = "".join(
        file.read_text() for file in (settings.BASE_DIR / "config" / "settings").glob("*.py")
    )
    read = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", source))
    assert len(read) > 40
    assert read - set(environment._SETTINGS) == set()
    told = set(re.findall(r"[A-Z_]{3,}", (settings.BASE_DIR / "README.md").read_text()))
    assert read - told == set()


def test_addresses_of_the_running_site_are_gone_when_it_ends(place: Place) -> None:
    environment.remember_addresses(place, {"DATABASE_URL": "postgis:///x", "PATH": "/bin"})
    noted = environment.of_running_site(place)
    assert noted is not None
    assert noted["DATABASE_URL"] == "postgis:///x"
    assert "PATH" not in (place.home / "running.json").read_text()
    environment.forget_addresses(place)
    assert environment.of_running_site(place) is None
