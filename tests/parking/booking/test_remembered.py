"""What a process remembers of a zone makes holds quicker, and never other than the city says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking import refusals, remembered
from parking.models import (
    Closure,
    ClosureKind,
    Slot,
    Spot,
    StayRules,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.pricing import QuoteError, Tariff
from parking.terms import NotPriced, SpotUnknown, StayRefused
from tests import cast
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(spot: Spot) -> Spot:
    """A spot of a zone that this process has met."""
    cast.a_hold(spot, cast.at(700))
    return spot


@contextmanager
def statements(expected: int) -> Iterator[None]:
    """Expect so many, and the savepoint of the test's own transaction."""
    with CaptureQueriesContext(connection) as asked:
        yield
    assert len(asked) == expected + 2, [query["sql"] for query in asked]


def costs_anew(zone: Zone, tariff: dict[str, object] | None) -> None:
    """Put another tariff in force from NOW on, later ones from a little later; None: no other."""
    versions = TariffVersion.objects.filter(zone=zone)
    begins = cast.at(5 * (versions.count() - 1))
    for version in versions.filter(in_force__endswith=None):
        version.in_force = DateTimeTZRange(version.in_force.lower, begins)
        version.save(update_fields=["in_force"])
    if tariff:
        versions.create(
            zone=zone,
            version=versions.count() + 1,
            document=tariff,
            sha256=Tariff.parse(tariff).sha256,
            state=TariffState.APPROVED,
            in_force=DateTimeTZRange(begins, None),
        )


def closes(zone: Zone, **fields: object) -> None:
    kind = ClosureKind.EVENT if fields.get("longest_stay_min") else ClosureKind.WORKS
    period = DateTimeTZRange(cast.at(0), cast.at(600))
    Closure.objects.create(zone=zone, period=period, kind=kind, reason="Works", **fields)


def test_a_zone_that_is_known_takes_one_statement_for_each_of_its_spots(known: Spot) -> None:
    other = cast.a_spot(known.zone, "K-2")
    remembered.forget()
    cast.a_hold(known)
    for spot in (known, other):
        with statements(1):
            slot = cast.a_hold(spot, cast.at(60))
        assert (slot.spot.number, slot.spot.street) == (spot.number, "Fredrikinkatu")
        assert slot.spot.lon_lat == pytest.approx((24.935, 60.168))
        assert (slot.spot.meter_id, slot.spot.zone.code) == (spot.meter_id, "kamppi")
        assert Slot.objects.get(id=slot.pk).tariff.zone == spot.zone


def test_a_spot_that_came_later_is_met_once(known: Spot) -> None:
    later = cast.a_spot(known.zone, "K-2")
    for expected in (2, 1):
        with statements(expected):
            cast.a_hold(later, cast.at(60 * expected))


def test_taken_is_taken(known: Spot) -> None:
    cast.a_hold(known)
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(known, cast.at(30))
    assert Slot.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda zone: StayRules.objects.update(longest_stay_min=30), StayRefused),
        (lambda zone: costs_anew(zone, None), NotPriced),
        (lambda zone: Spot.objects.update(is_active=False), SpotUnknown),
        (lambda zone: Zone.objects.update(is_active=False), SpotUnknown),
        (lambda zone: closes(zone), StayRefused),
        (lambda zone: closes(zone, street="Fredrikinkatu"), StayRefused),
        (lambda zone: closes(zone, spot=Spot.objects.get()), StayRefused),
        (lambda zone: closes(zone, longest_stay_min=30), StayRefused),
    ],
)
def test_what_the_city_took_back_is_refused(
    known: Spot, change: Callable[[Zone], object], error: type[Exception]
) -> None:
    change(known.zone)
    with pytest.raises(error):
        cast.a_hold(known)
    assert Slot.objects.count() == 1


def test_what_the_city_allowed_meanwhile_is_to_be_had(zone: Zone, spot: Spot) -> None:
    StayRules.objects.update(longest_stay_min=30)
    cast.a_hold(spot, cast.at(700), minutes=30)
    StayRules.objects.update(longest_stay_min=60)
    assert cast.a_hold(spot).amount == 200


def test_the_price_is_that_of_the_tariff_in_force_when_it_is_written(known: Spot) -> None:
    costs_anew(known.zone, cast.FOUR_EURO_AN_HOUR)
    for minute in (0, 60):
        slot = cast.a_hold(known, cast.at(minute))
        assert (slot.amount, slot.tariff.version) == (400, 2)


def test_a_spot_that_moved_to_another_zone_costs_what_it_costs_there(known: Spot) -> None:
    there = cast.a_zone("punavuori", tariff=cast.FOUR_EURO_AN_HOUR)
    Spot.objects.update(zone=there, number="P-1")
    for minute in (0, 60):
        slot = cast.a_hold(known, cast.at(minute))
        assert (slot.amount, slot.spot.number, slot.spot.zone.code) == (400, "P-1", "punavuori")


def test_a_zone_goes_by_its_new_name(known: Spot) -> None:
    Zone.objects.update(name="Kamppi and Punavuori")
    assert cast.a_hold(known).spot.zone.name == "Kamppi and Punavuori"


def test_minutes_that_a_zone_keeps_free_from_now_on_are_kept(known: Spot) -> None:
    cast.a_hold(known, cast.at(120))
    StayRules.objects.update(buffer_min=15)
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(known, cast.at(50))
    assert cast.a_hold(known, cast.at(45)).claim.upper == cast.at(120)


def test_a_city_with_more_spots_than_are_kept_is_asked_each_time(
    spot: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "SPOTS_AT_MOST", 1)
    other = cast.a_spot(spot.zone, "K-2")
    for minute in (0, 60):
        for one in (spot, other):
            assert cast.a_hold(one, cast.at(minute)).amount == 200
    with statements(1):  # the first that was met is kept
        cast.a_hold(spot, cast.at(120))
    with statements(2):
        cast.a_hold(other, cast.at(120))


@pytest.mark.django_db(transaction=True)
def test_what_another_process_changed_is_obeyed(known: Spot) -> None:
    assert race(_make_stays_short) == ["int"]
    with pytest.raises(StayRefused):
        cast.a_hold(known)


def _make_stays_short() -> int:
    return StayRules.objects.update(longest_stay_min=30)


CHANGES: dict[str, Callable[[Zone, int], object]] = {
    "longest": lambda zone, n: StayRules.objects.filter(zone=zone).update(
        longest_stay_min=30 + 15 * n
    ),
    "buffer": lambda zone, n: StayRules.objects.filter(zone=zone).update(buffer_min=5 * (n % 3)),
    "stays": lambda zone, n: StayRules.objects.filter(zone=zone).update(
        most_stays_ahead=[None, 1, 3][n % 3]
    ),
    "tariff": lambda zone, n: costs_anew(
        zone, [None, cast.TWO_EURO_AN_HOUR, cast.FOUR_EURO_AN_HOUR, cast.FREE_OF_CHARGE][n % 4]
    ),
    "close": lambda zone, n: closes(zone, longest_stay_min=[None, 30, 60][n % 3]),
    "open": lambda zone, n: Closure.objects.all().delete(),
    "zone": lambda zone, n: Zone.objects.filter(id=zone.pk).update(
        name=f"Name {n}", is_active=n != 0
    ),
    "spot": lambda zone, n: Spot.objects.filter(number="K-1").update(
        is_active=n != 0, street=f"Street {n}"
    ),
    "move": lambda zone, n: Spot.objects.filter(number="K-2").update(zone=zone),
}


STAYS = ((0, 60), (30, 30), (200, 60))  # minutes after NOW, and how many
REFUSALS = (StayRefused, NotPriced, QuoteError, SpotUnknown, refusals.SpotTaken)


def outcome(spot: Spot, minute: int, minutes: int) -> tuple[object, ...]:
    """Hold and let go; return what came of it."""
    try:
        with transaction.atomic():
            slot = cast.a_hold(spot, cast.at(minute), minutes)
            found = Slot.objects.select_related("booking").get(id=slot.pk)
            transaction.set_rollback(True)
    except REFUSALS as error:
        return type(error), str(error)
    return (
        *(found.amount, found.tariff_id, found.claim, found.period, found.state, found.quote),
        *(slot.spot.number, slot.spot.street, slot.spot.zone.name, slot.spot.zone_id),
    )


def afresh(spot: Spot, minute: int, minutes: int) -> tuple[object, ...]:
    """Do the same without what is remembered."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(remembered, "_zones", {})
        patched.setattr(remembered, "_zone_of", {})
        return outcome(spot, minute, minutes)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 1), st.integers(0, 5)),
            st.tuples(st.just("keep"), st.integers(0, 1), st.integers(0, 12)),
        ),
        min_size=3,
        max_size=12,
    )
)
def test_it_makes_no_difference(db: None, steps: list[tuple[str, int, int]]) -> None:
    """After any changes a hold ends as in a process that was just started."""
    with transaction.atomic():
        remembered.forget()
        zones = [cast.a_zone(code) for code in ("kamppi", "punavuori")]
        spots = [cast.a_spot(zone, f"K-{n}") for n, zone in enumerate(zones, 1)]
        for name, which, n in steps:
            if name == "keep":
                with suppress(*REFUSALS):
                    cast.a_hold(spots[which], cast.at(15 * n), 30)
            else:
                CHANGES[name](zones[which], n)
            for spot in spots:
                minute, minutes = STAYS[n % len(STAYS)]
                assert outcome(spot, minute, minutes) == afresh(spot, minute, minutes)
        transaction.set_rollback(True)
