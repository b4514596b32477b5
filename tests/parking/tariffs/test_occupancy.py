"""How much of a zone's time was taken, against a count of every minute."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import occupancy
from parking.models import Closure, ClosureKind, Slot, SlotState, Spot, Zone
from parking.pricing import Tariff
from tests import cast

HELSINKI = ZoneInfo("Europe/Helsinki")
MINUTE = timedelta(minutes=1)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOLIDAY = date(2026, 3, 31)  # a Tuesday
TARIFF = {
    **cast.TWO_EURO_AN_HOUR,
    "bands": [
        {"days": DAYS[:5], "from": "09:00", "to": "21:00", "tiers": [{"per_hour": 400}]},
        {"days": ["sat", "sun"], "from": "22:00", "to": "05:30", "tiers": [{"per_hour": 100}]},
        {"days": ["sun"], "from": "10:00", "to": "12:00", "tiers": [{"per_hour": 100}]},
    ],
    "holidays": {HOLIDAY.isoformat(): "holiday"},
    "holiday_behaves_like": "sun",
}


def _band_of(moment: datetime) -> int | None:
    """Say which band holds a minute, from the page on tariffs and not from the engine."""
    local = moment.astimezone(HELSINKI)

    def kind(day: date) -> str:
        return "sun" if day == HOLIDAY else DAYS[day.weekday()]

    clock = local.hour * 60 + local.minute
    today, yesterday = kind(local.date()), kind(local.date() - timedelta(days=1))
    if today in DAYS[:5] and 540 <= clock < 1260:
        return 0
    if today in {"sat", "sun"} and clock >= 1320:
        return 1
    if yesterday in {"sat", "sun"} and clock < 330:
        return 1
    return 2 if today == "sun" and 600 <= clock < 720 else None


def _minutes(spots: list[Spot], since: datetime, until: datetime) -> dict[int, list[int]]:
    """Count the taken and the open minutes of each band, spot by spot and minute by minute."""
    counted: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    closures, slots = list(Closure.objects.all()), list(Slot.objects.all())
    for spot in spots:
        closed = [
            one.period
            for one in closures
            if one.spot_id in {None, spot.pk}
            and one.street in {"", spot.street}
            and one.longest_stay_min is None
        ]
        taken = []
        for slot in slots:
            if slot.spot_id == spot.pk and slot.state == SlotState.CONFIRMED:
                taken.append((slot.period.lower, slot.period.upper))
            elif slot.spot_id == spot.pk and slot.state == SlotState.CANCELLED:
                taken.append((slot.period.lower, min(slot.ended_at, slot.period.upper)))
        at = since
        while at < until:
            band = _band_of(at)
            if band is not None and not any(one.lower <= at < one.upper for one in closed):
                counted[band][1] += 1
                counted[band][0] += any(begin <= at < end for begin, end in taken)
            at += MINUTE
    return counted


def _slot(spot: Spot, start: datetime, minutes: int, **fields: Any) -> None:
    slot = cast.an_unguarded_slot(spot.pk, start, minutes)
    Slot.objects.filter(pk=slot.pk).update(
        **{"state": SlotState.CONFIRMED, "confirmed_at": start, **fields}
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_it_counts_what_a_walk_through_every_minute_counts(seed: int, zone: Zone) -> None:
    # The clocks go forward on 29 March; the window begins and ends inside bands.
    since, until = datetime(2026, 3, 27, 9, 7, tzinfo=UTC), datetime(2026, 4, 2, 11, 1, tzinfo=UTC)
    dice = random.Random(seed)
    spots = [cast.a_spot(zone, f"K-{number}", metres_east=9 * number) for number in range(3)]
    out_of_use = cast.a_spot(zone, "K-9", is_active=False)
    _slot(out_of_use, since, 600)
    for spot in spots:
        at = since - timedelta(hours=3)
        while at < until:
            at += timedelta(minutes=dice.randrange(0, 300))
            length = dice.randrange(5, 400)
            state = dice.choice([*[SlotState.CONFIRMED] * 4, SlotState.CANCELLED, SlotState.HELD])
            ended = at + timedelta(minutes=dice.randrange(-60, length + 30))
            confirmed = state != SlotState.HELD
            if dice.random() < 0.2:  # cancelled, and taken by another on the step that was running
                _slot(spot, at, 3, state=SlotState.CANCELLED, ended_at=at + 2 * MINUTE)
            _slot(
                spot,
                at,
                length,
                state=state if confirmed else SlotState.RELEASED,
                ended_at=None if state == SlotState.CONFIRMED else ended,
            )
            at += timedelta(minutes=length)
    for where in (
        {},
        {"spot": spots[0]},
        {"street": "Fredrikinkatu"},
        {"street": "Annankatu"},  # none of theirs
        {"kind": ClosureKind.EVENT, "longest_stay_min": 30},
    ):
        begin = since + timedelta(minutes=dice.randrange(6000))
        period = DateTimeTZRange(begin, begin + timedelta(minutes=dice.randrange(600, 1200)))
        Closure.objects.create(zone=zone, period=period, reason="works", **where)

    found = occupancy.shares(zone_id=zone.pk, tariff=Tariff.parse(TARIFF), since=since, until=until)

    assert {
        band: [int(share.taken / 60), int(share.open / 60)] for band, share in found.items()
    } == _minutes(spots, since, until)
    assert set(found) == {0, 1, 2}
    assert all(share.taken <= share.open for share in found.values())


def test_the_night_on_which_clocks_change_has_the_minutes_that_it_has(
    zone: Zone, spot: Spot
) -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        since = datetime(day.year, day.month, day.day, tzinfo=HELSINKI).astimezone(UTC)
        until = since + timedelta(hours=hours)
        share = occupancy.shares(
            zone_id=zone.pk, tariff=Tariff.parse(cast.TWO_EURO_AN_HOUR), since=since, until=until
        )[0]
        assert (share.taken, share.open) == (0, hours * 3600)


def test_spots_of_other_zones_do_not_count(zone: Zone, spot: Spot) -> None:
    other = cast.a_spot(cast.a_zone("punavuori"))
    since = cast.NOW
    tariff = zone.tariffs.get()
    slot = Slot.objects.create(
        booking=cast.a_hold(other).booking,
        spot=other,
        period=DateTimeTZRange(cast.at(120), cast.at(180)),
        state=SlotState.CONFIRMED,
        held_until=since,
        confirmed_at=since,
        amount=1,
        currency="EUR",
        tariff=tariff,
        quote={},
        created_at=since,
    )

    share = occupancy.shares(
        zone_id=zone.pk, tariff=Tariff.parse(tariff.document), since=since, until=cast.at(600)
    )[0]

    assert slot.pk
    assert (share.taken, share.open) == (0, 600 * 60)
