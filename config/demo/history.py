"""Some weeks in the life of a demo city, lived through the public rules, step by step.

Each visit is a small story: hold, open the processor's page, pay or not, perhaps cancel. The
stories interleave in the order of their moments, with the sandbox's clock set to each, so that
slots, payments and books look as if people had come by day after day. The dice are fixed: the same
day gives the same stories. Only references and keys differ, for they must not be guessable.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from config.demo.plan import City
from config.demo.processor import CHALLENGED_CARD, DECLINED_CARDS, GOOD_CARDS, Sandbox
from parking import booking, holds, refusals, terms
from parking.models import Spot
from payments import cancel, checkout, expiry, refunds
from payments.models import Payment

_SEED = 20_260_303
_STEP = timedelta(minutes=5)
VISITS_A_DAY = 24  # over the whole city
RUNNING_NOW = 90
COMING_TODAY = 40
# How likely an hour is, from 0 to 23; mornings and early evenings are busy.
_HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 10, 10, 11, 10, 9, 9, 10, 11, 10, 7, 4, 2, 1, 0)
_STAYS = (30, 30, 45, 60, 60, 60, 75, 90, 90, 120, 120, 150, 180, 240)  # minutes

Story = Iterator[datetime]  # yields the moment at which it goes on


@dataclass
class Visit:
    """Somebody who comes to park: when they ask, and for which stay."""

    at: datetime
    start: datetime
    minutes: int
    zone_id: int
    user: User | None = None


@dataclass
class Town:
    """What the stories share: the processor, the dice, the spots, and the tally."""

    sandbox: Sandbox
    dice: random.Random
    city: City
    spots: Mapping[int, Sequence[int]]  # zone id → spot ids
    longest: Mapping[int, int]  # zone id → minutes
    tally: Counter[str] = field(default_factory=Counter)
    now: datetime = field(init=False)


def live(
    *,
    city: City,
    sandbox: Sandbox,
    days: int,
    now: datetime,
    citizen: User,
    on_story: Callable[[int, int], None],
) -> Counter[str]:
    """Live the last `days` days until `now`; return how the stories ended.

    `on_story(done, of)` is called whenever one has ended.
    """
    town = _town(city, sandbox)
    visits = _visits(town, days=days, now=now, citizen=citizen)
    order = count()
    waiting = [(visit.at, next(order), _story(town, visit)) for visit in visits]
    heapq.heapify(waiting)
    done = 0
    while waiting:
        town.now, _number, story = heapq.heappop(waiting)
        then = next(story, None)
        if then is not None and then <= now:
            heapq.heappush(waiting, (then, next(order), story))
            continue
        done += 1
        on_story(done, len(visits))
    return town.tally


def _town(city: City, sandbox: Sandbox) -> Town:
    spots: dict[int, list[int]] = {}
    longest: dict[int, int] = {}
    rows = Spot.objects.order_by("id").values_list(
        "id", "zone_id", "zone__stay_rules__longest_stay_min"
    )
    for spot_id, zone_id, minutes in rows:
        spots.setdefault(zone_id, []).append(spot_id)
        longest[zone_id] = minutes
    return Town(sandbox, random.Random(_SEED), city, spots, longest)  # noqa: S311 (no secret)


def _visits(town: Town, *, days: int, now: datetime, citizen: User) -> list[Visit]:
    """Invent who comes: day by day, those who are parked now, those who booked for later."""
    dice, zones = town.dice, sorted(town.spots)
    here = now.astimezone(ZoneInfo(town.city.time_zone))
    visits = []
    for day in range(days, 0, -1):
        morning = (here - timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(VISITS_A_DAY if morning.weekday() < 5 else VISITS_A_DAY // 2):
            hour = dice.choices(range(24), _HOURS)[0]
            start = morning + timedelta(hours=hour, minutes=5 * dice.randrange(12))
            ahead = timedelta(minutes=dice.choice((1, 2, 2, 3, 3, 4, 45, 300)))
            visits.append(_visit(town, start - ahead, start, dice.choice(zones)))
    for _ in range(RUNNING_NOW if days else 0):
        start = _on_grid(now - timedelta(minutes=dice.randrange(6, 110)))
        zone_id = dice.choice(zones)
        visit = _visit(town, start - timedelta(minutes=2), start, zone_id)
        until_now = int((now - start).total_seconds() // 60)
        visit.minutes = min(
            town.longest[zone_id], -(-(until_now + dice.randrange(15, 120)) // 5) * 5
        )
        visits.append(visit)
    for _ in range(COMING_TODAY if days else 0):
        start = _on_grid(now + timedelta(minutes=dice.randrange(10, 420)))
        asked = now - timedelta(minutes=dice.randrange(3, 180))
        visits.append(_visit(town, asked, start, dice.choice(zones)))
    for visit in visits[:: max(len(visits) // 14, 1)]:
        visit.user = citizen
    return sorted(visits, key=lambda visit: visit.at)


def _visit(town: Town, at: datetime, start: datetime, zone_id: int) -> Visit:
    fitting = [minutes for minutes in _STAYS if minutes <= town.longest[zone_id]]
    at += timedelta(seconds=town.dice.randrange(50))
    return Visit(at, start, town.dice.choice(fitting), zone_id)


def _story(town: Town, visit: Visit) -> Story:
    """Hold a spot, then pay for it, or not."""
    slot_id, reference, amount = _hold(town, visit)
    if slot_id is None:
        town.tally["nothing free"] += 1
        return
    if amount == 0:
        town.tally["free of charge"] += 1
        return
    yield visit.at + timedelta(seconds=town.dice.randrange(8, 40))
    town.sandbox.set_clock(town.now)
    page = checkout.start(slot_id=slot_id, now=town.now)
    payment_id = Payment.objects.values_list("id", flat=True).get(slot=slot_id)
    fate = town.dice.random()
    if fate < 0.04:
        town.tally["left without paying"] += 1
        yield from _let_it_run_out(town, visit)
        return
    yield town.now + timedelta(seconds=town.dice.randrange(20, 90))
    town.sandbox.set_clock(town.now)
    if fate < 0.14:
        town.sandbox.pay(page=page, card=town.dice.choice(DECLINED_CARDS))
        if fate < 0.07:
            town.tally["declined"] += 1
            yield from _let_it_run_out(town, visit)
            return
        yield town.now + timedelta(seconds=town.dice.randrange(20, 60))
        town.sandbox.set_clock(town.now)
    town.sandbox.pay(
        page=page, card=CHALLENGED_CARD if fate > 0.9 else town.dice.choice(GOOD_CARDS)
    )
    yield town.now + timedelta(seconds=2)
    town.sandbox.set_clock(town.now)
    checkout.sync_payment(payment_id=payment_id, now=town.now)
    town.tally["paid"] += 1
    if 0.5 < fate < 0.56:
        yield from _cancel(town, visit, reference)


def _hold(town: Town, visit: Visit) -> tuple[int | None, str, int]:
    """Try some spots of the zone, as somebody does who looks at the map."""
    end = visit.start + timedelta(minutes=visit.minutes)
    number = town.dice.randrange(1000)
    who = visit.user.email if visit.user else f"guest{number:03d}@example.org"
    plate = _plate(town.city, town.dice)
    for spot_id in town.dice.sample(town.spots[visit.zone_id], 5):
        try:
            slot = holds.hold(
                spot_id=spot_id,
                start=visit.start,
                end=end,
                plate=plate,
                email=who,
                now=town.now,
                user=visit.user,
                language=town.city.language,
            )
        except refusals.SpotTaken:
            continue
        except (terms.StayRefused, terms.NotPriced):
            return None, "", 0
        return slot.pk, slot.booking.reference, slot.amount
    return None, "", 0


def _let_it_run_out(town: Town, visit: Visit) -> Story:
    """Come back when the hold is over; the processor's page ends first, then the spot is free."""
    yield visit.at + booking.HOLD_FOR + timedelta(seconds=5)
    town.sandbox.set_clock(town.now)
    for payment_id in expiry.sweep(now=town.now):
        expiry.end_page(payment_id=payment_id, now=town.now)


def _cancel(town: Town, visit: Visit, reference: str) -> Story:
    """Change one's mind: before the start, or after some of the time is used."""
    waits = timedelta(minutes=town.dice.choice((3, visit.minutes // 2, visit.minutes * 2 // 3)))
    yield max(visit.start + waits, town.now + timedelta(minutes=1))
    town.sandbox.set_clock(town.now)
    actor = f"user:{visit.user.pk}" if visit.user else "citizen"
    done = cancel.cancel_booking(
        reference=reference, now=town.now, actor=actor, reason="plans changed"
    )
    for refund_id in done.refund_ids:
        refunds.submit(refund_id=refund_id, now=town.now)
    town.tally["cancelled"] += 1


def _plate(city: City, dice: random.Random) -> str:
    letter = {"L": city.plate_letters, "D": "0123456789"}
    return "".join(dice.choice(letter.get(sign, sign)) for sign in city.plate_form)


def _on_grid(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)
