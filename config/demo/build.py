"""Write a demo city into an empty database: people, streets, zones, prices, meters, spots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, User
from django.contrib.gis.geos import LineString, MultiLineString, MultiPolygon, Point, Polygon
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from config.demo.plan import City, ZonePlan
from parking import roles, tariff_versions
from parking.meter_keys import create_keys
from parking.models import DemandRule, Feature, Light, Meter, Spot, StayRules, Street, Zone
from payments.models import RefundLimit

PASSWORD = "curblight-demo"  # noqa: S105 (a demo's, printed on the screen)
CITIZEN, OPERATOR, OPERATOR_OF_ONE, WARDEN, AUDITOR, FINANCE, ADMIN = (
    f"{name}@example.org"
    for name in ("citizen", "operator", "operator2", "warden", "auditor", "finance", "admin")
)
PRICES_SINCE = timedelta(days=400)  # before any history
PRICES_CHANGED = timedelta(days=10)  # where a zone has a second version
GATEWAY = "gateway"  # the installation's own (METER_GATEWAY_URL)


@dataclass(frozen=True)
class Counted:
    """What was made."""

    zones: int
    meters: int
    spots: int


def is_empty() -> bool:
    """Say whether the database holds no city yet."""
    return not Zone.objects.exists()


@transaction.atomic
def build(*, city: City, now: datetime) -> Counted:
    """Write the city, whole or not at all."""
    people = {email: _person(email) for email in (CITIZEN, OPERATOR, OPERATOR_OF_ONE, WARDEN)}
    people |= {email: _person(email) for email in (AUDITOR, FINANCE)}
    people |= {ADMIN: _person(ADMIN, is_superuser=True, is_staff=True)}
    for email, role in (
        (OPERATOR, roles.OPERATOR),
        (OPERATOR_OF_ONE, roles.OPERATOR),
        (WARDEN, roles.WARDEN),
        (AUDITOR, roles.AUDITOR),
        (FINANCE, roles.FINANCE),
    ):
        roles.give(user=people[email], role=role)
    operators = Group.objects.get(name=roles.OPERATOR)
    RefundLimit.objects.create(group=operators, amount=city.refund_limit)
    Street.objects.bulk_create(
        Street(
            name=street.name,
            names=dict(street.names),
            geometry=MultiLineString(LineString(*street.line)),
            width_m=street.width_m,
        )
        for street in city.streets
    )
    serials = (f"{city.serials}-{number:06d}" for number in count(1))
    meters = spots = 0
    for index, plan in enumerate(city.zones):
        zone = _zone(plan)
        zone.operators.add(people[OPERATOR], *([people[OPERATOR_OF_ONE]] if index == 0 else []))
        _prices(plan, zone, proposer=people[OPERATOR], approver=people[ADMIN], now=now)
        made = _meters(city, plan, zone, serials)
        meters, spots = meters + made.meters, spots + made.spots
    return Counted(zones=len(city.zones), meters=meters, spots=spots)


def _person(email: str, **rights: bool) -> User:
    person = User.objects.create_user(
        username=email.partition("@")[0], email=email, password=PASSWORD, **rights
    )
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


def _zone(plan: ZonePlan) -> Zone:
    ring = [*plan.boundary, plan.boundary[0]]
    zone = Zone.objects.create(
        code=plan.code,
        name=plan.name,
        names=dict(plan.names),
        boundary=MultiPolygon(Polygon(ring)),
    )
    StayRules.objects.create(zone=zone, **plan.rules)
    if plan.demand:
        DemandRule.objects.create(zone=zone, **plan.demand)
    return zone


def _prices(plan: ZonePlan, zone: Zone, *, proposer: User, approver: User, now: datetime) -> None:
    """Make every version law in its own time, through the rule that everybody uses."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [today - PRICES_SINCE, today - PRICES_CHANGED]
    for document, start in zip(plan.tariffs, starts, strict=False):
        before = start - timedelta(days=7)
        version = tariff_versions.draft(
            zone_id=zone.pk, document=document, in_force=DateTimeTZRange(start, None)
        )
        tariff_versions.propose(version_id=version.pk, by=proposer, now=before)
        tariff_versions.approve(version_id=version.pk, by=approver, now=before)


def _meters(city: City, plan: ZonePlan, zone: Zone, serials: Iterator[str]) -> Counted:
    layout = city.meters_of(plan)
    meters = Meter.objects.bulk_create(
        Meter(
            serial=next(serials),
            zone=zone,
            location=Point(*meter.place, srid=4326),
            edge_url=GATEWAY,
        )
        for meter in layout
    )
    create_keys(meter.pk for meter in meters)
    numbers = count(1)
    names = {street.name: dict(street.names) for street in city.streets}
    spots = Spot.objects.bulk_create(
        Spot(
            zone=zone,
            meter=meter,
            position=position,
            number=f"{plan.prefix}-{next(numbers):03d}",
            street=spot.street,
            street_names=names[spot.street],
            location=Point(*spot.place, srid=4326),
            bearing=spot.bearing,
            features=_features(index, position),
        )
        for index, (meter, drawn) in enumerate(zip(meters, layout, strict=True))
        for position, spot in enumerate(drawn.spots, start=1)
    )
    Light.objects.bulk_create(Light(spot=spot) for spot in spots)
    return Counted(zones=1, meters=len(meters), spots=len(spots))


def _features(index: int, position: int) -> list[str]:
    """Set some places aside, by the meter's number in its zone and the lamp's number."""
    found = []
    if position == 1 and index % 3 == 0:
        found.append(Feature.ACCESSIBLE)
    if position >= 7 and index % 4 == 1:
        found.append(Feature.EV)
    if position == 8 and index % 5 == 2:
        found.append(Feature.MOTORCYCLE)
    if position == 4 and index % 6 == 3:
        found.append(Feature.LOADING)
    return [str(feature) for feature in found]
