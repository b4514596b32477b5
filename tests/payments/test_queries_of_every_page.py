"""No page asks the database more often because a city is larger or a history longer.

Every address of the site stands in one of the tables below; who adds an address adds a line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from parking import extension, roles, vehicles
from parking.models import Spot
from payments import checkout, exception_list, ledger, receipts
from payments.models import ExportLog, MoneyException, Payment
from tests import cast
from tests.parking.admin.situations import rows_of
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking

pytestmark = pytest.mark.django_db


class World:
    """A city with people in it, that can grow."""

    def __init__(self, processor: Processor, now: datetime) -> None:
        self.processor, self.now = processor, now
        self.start = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
        processor.start_again(self.start)  # all is made in the minute in which the stay begins
        self.zone = cast.a_zone(longest_stay_min=600, most_stays_ahead=99, reservable_percent=99)
        self.spot = cast.a_spot(self.zone, meter=cast.a_meter(self.zone), position=1)
        self.free = cast.a_spot(self.zone, "K-FREE", metres_east=900)
        self.citizen, self.guest = cast.a_person("citizen"), None
        self.chief = cast.a_person("chief", is_staff=True, is_superuser=True)
        self.warden, self.auditor = cast.a_person("warden"), cast.a_person("auditor")
        roles.give(user=self.warden, role=roles.WARDEN)
        roles.give(user=self.auditor, role=roles.AUDITOR)
        self.vehicle = vehicles.add(owner=self.citizen, plate="ABC123", now=now)
        self._numbers = itertools.count()
        self.slot = self._stay(self.spot, self.start)
        self.keys: dict[str, Any] = {}
        self.grow(1)
        ledger.seal()
        auditor = Client()
        auditor.force_login(self.auditor)
        auditor.get(reverse("payments:audit-file", args=["lines", "csv"])).getvalue()
        self.export = ExportLog.objects.get()
        self.trouble = self._trouble()

    @property
    def reference(self) -> str:
        return self.slot.booking.reference

    def grow(self, by: int) -> None:
        """Add zones, meters, spots, tariffs, bookings, payments, vehicles; and to the one stay."""
        for number in itertools.islice(self._numbers, by):
            near = cast.a_spot(self.zone, f"N-{number}", metres_east=6 * (number + 1))
            self._stay(near, self.start + timedelta(hours=3))
            cast.a_stay(cast.a_spot(self.zone, f"L-{number}", metres_east=-6 * (number + 1)), 60)
            other = cast.a_zone(f"zone-{number}", tariff=_cheap(number))
            self.keys = rows_of(other, serial=f"MTR-{number}") | {
                "parking_zone": self.zone.pk,
                "parking_spot": self.spot.pk,
                "parking_meter": self.spot.meter_id,
                "parking_booking": self.slot.booking_id,
                "payments_payment": self.slot.payments.get().pk,
            }
            cast.a_spot(other, f"Z-{number}", metres_east=6 * (number + 1) + 3)
            vehicles.add(owner=self.citizen, plate=f"XYZ{number}", now=self.now)
            self._longer()
            self._trouble()
            ledger.seal()

    def _trouble(self) -> MoneyException:
        key = f"orphan:{MoneyException.objects.count()}"
        payment = self.slot.payments.get()
        exception_list.put(
            kind=MoneyException.Kind.ORPHAN, key=key, detail="late", payment=payment, now=self.now
        )
        return MoneyException.objects.get(key=key)

    def _stay(self, spot: Spot, start: datetime) -> Any:
        """Book and pay, an hour."""
        paid = a_paid_booking(
            spot, self.processor, start=start, now=self.start, user=self.citizen, plate="ABC123"
        )
        return paid.slot

    def _longer(self) -> None:
        last = self.slot.booking.slots.order_by("-id")[0]
        slot = extension.extend(
            booking_id=self.slot.booking_id,
            to=last.end + timedelta(minutes=30),
            now=self.start,
            actor="citizen",
        )
        checkout.start(slot_id=slot.pk, now=self.start)
        payment = Payment.objects.get(slot=slot)
        self.processor.pay(payment.session_id or "")
        checkout.sync_payment(payment_id=payment.id, now=self.start)

    def stay_query(self) -> str:
        start = timezone.localtime(self.start + timedelta(minutes=30))
        return urlencode({"on": f"{start:%Y-%m-%d}", "at": f"{start:%H:%M}", "length": "60"})

    def period(self) -> str:
        start, end = self.start + timedelta(minutes=30), self.start + timedelta(minutes=90)
        return urlencode({"from": start.isoformat(), "to": end.isoformat()})


def _cheap(number: int) -> dict[str, Any]:
    """A tariff of its own for each zone, so that none is known already."""
    band = {**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 100 + number}]}
    return {**cast.TWO_EURO_AN_HOUR, "bands": [band]}


Address = Callable[[World], str]


def of_booking(name: str) -> Address:
    return lambda world: reverse(name, args=[world.reference])


def of_spot(name: str, query: Callable[[World], str]) -> Address:
    return lambda world: f"{reverse(name, args=[world.spot.pk])}?{query(world)}"


def of_desk(name: str, key: str) -> Address:
    return lambda world: reverse(f"admin:{name}", args=[world.keys[key]])


def of_document(name: str) -> Address:
    def address(world: World) -> str:
        number = receipts.of(world.slot.booking)[0].document
        return reverse(name, args=[world.reference, number])

    return address


def of_payment(name: str) -> Address:
    return lambda world: reverse(name, args=[world.slot.payments.get().pk])


BBOX = "bbox=24.92,60.16,24.96,60.18"
# Who reads it; its address; and of the pages that are read most, how many queries there are.
PAGES: dict[str, tuple[str, Address, int | None]] = {
    "healthz": ("guest", lambda _: reverse("healthz"), 1),
    "parking:accessibility": ("guest", lambda _: reverse("parking:accessibility"), 0),
    "parking:offline": ("guest", lambda _: reverse("parking:offline"), 0),
    "parking:manifest": ("guest", lambda _: reverse("parking:manifest"), 0),
    "service-worker": ("guest", lambda _: reverse("service-worker"), 0),
    "parking:find": ("citizen", lambda w: f"/?{w.stay_query()}&show=all&zone=kamppi", 12),
    "parking:spot": ("citizen", of_spot("parking:spot", World.stay_query), 14),
    "parking:my-bookings": ("citizen", lambda _: reverse("parking:my-bookings"), 6),
    "parking:calendar": ("citizen", of_booking("parking:calendar"), None),
    "parking:correct-plate": ("citizen", of_booking("parking:correct-plate"), None),
    "parking:vehicles": ("citizen", lambda _: reverse("parking:vehicles"), 6),
    "parking:vehicle": (
        "citizen",
        lambda w: reverse("parking:vehicle", args=[w.vehicle.pk]),
        None,
    ),
    "parking:any-spot": (
        "citizen",
        lambda w: f"{reverse('parking:any-spot', args=['kamppi'])}?{w.stay_query()}",
        10,
    ),
    "parking:tariff": ("guest", lambda _: reverse("parking:tariff", args=["kamppi"]), 2),
    "parking:map-layer": ("guest", lambda _: reverse("parking:map-layer"), None),
    "parking:map-streets": ("guest", lambda _: reverse("parking:map-streets"), None),
    "parking:map-busy": (
        "guest",
        lambda w: f"{reverse('parking:map-busy')}?{BBOX}&{w.period()}",
        1,
    ),
    "parking:privacy": ("guest", lambda _: reverse("parking:privacy"), 1),
    "payments:own-data": ("citizen", lambda _: reverse("payments:own-data"), None),
    "payments:own-data-file": ("citizen", lambda _: reverse("payments:own-data-file"), None),
    "payments:erase": ("citizen", lambda _: reverse("payments:erase"), None),
    "payments:booking-data": ("citizen", of_booking("payments:booking-data"), None),
    "parking:warden": ("warden", lambda _: f"{reverse('parking:warden')}?zone=kamppi", 8),
    "payments:booking": ("citizen", of_booking("payments:booking"), 20),
    "payments:booking-status": ("citizen", of_booking("payments:booking-status"), 12),
    "payments:extend": ("citizen", of_booking("payments:extend"), None),
    "payments:change": ("citizen", of_booking("payments:change"), None),
    "payments:taken": ("citizen", of_booking("payments:taken"), None),
    "payments:cancel": ("citizen", of_booking("payments:cancel"), None),
    "payments:receipt": ("citizen", of_booking("payments:receipt"), None),
    "payments:document": ("citizen", of_document("payments:document"), None),
    "payments:document-pdf": ("citizen", of_document("payments:document-pdf"), None),
    **{
        name: ("auditor", lambda _, name=name: reverse(name), None)
        for name in (
            *("payments:report", "payments:audit-lines", "payments:audit-totals"),
            *("payments:audit-comparison", "payments:audit-chain", "payments:audit-files"),
            *("payments:exceptions", "payments:periods"),
        )
    },
    "payments:audit-file": (
        "auditor",
        lambda _: reverse("payments:audit-file", args=["lines", "csv"]),
        None,
    ),
    "payments:exception": (
        "auditor",
        lambda w: reverse("payments:exception", args=[w.trouble.pk]),
        None,
    ),
    "payments:refund-requests": ("chief", lambda _: reverse("payments:refund-requests"), None),
    "payments:refund": ("chief", of_payment("payments:refund"), None),
    "payments:release": ("chief", of_payment("payments:release"), None),
    "payments:manifest": (
        "auditor",
        lambda w: reverse("payments:manifest", args=[w.export.pk]),
        None,
    ),
    "api:spots": ("guest", lambda w: f"{reverse('api:spots')}?{BBOX}&{w.period()}", 1),
    "api:spot-quote": ("guest", of_spot("api:spot-quote", World.period), 3),
    "api:booking": ("citizen", of_booking("api:booking"), 4),
    "api:extension": ("citizen", of_booking("api:extension"), None),
    "api-change": (
        "citizen",
        lambda w: (
            f"{reverse('api-change', args=[w.reference])}"
            f"?{urlencode({'to': (w.start + timedelta(minutes=45)).isoformat()})}"
        ),
        None,
    ),
    "api-docs": ("guest", lambda _: reverse("api-docs"), 0),
    "admin:index": ("chief", lambda _: reverse("admin:index"), None),
    "admin:parking_street_drawing": (
        "chief",
        lambda _: reverse("admin:parking_street_drawing") + "?" + BBOX,
        None,
    ),
    "admin:parking_meter_alarms": ("chief", lambda _: reverse("admin:parking_meter_alarms"), None),
    "admin:parking_meter_gateways": (
        "chief",
        lambda _: reverse("admin:parking_meter_gateways"),
        None,
    ),
    "admin:parking_meter_lights": ("chief", lambda _: reverse("admin:parking_meter_lights"), None),
    "admin:parking_meter_lamp": (
        "chief",
        lambda w: reverse("admin:parking_meter_lamp", args=[w.spot.meter_id, 1]),
        None,
    ),
    "admin:parking_demandrule_proposal": (
        "chief",
        of_desk("parking_demandrule_proposal", "parking_demandrule"),
        None,
    ),
    "admin:parking_tariffsimulation_status": (
        "chief",
        of_desk("parking_tariffsimulation_status", "parking_tariffsimulation"),
        None,
    ),
    "admin:parking_tariffversion_compare": (
        "chief",
        of_desk("parking_tariffversion_compare", "parking_tariffversion"),
        None,
    ),
    "admin:parking_tariffversion_download": (
        "chief",
        of_desk("parking_tariffversion_download", "parking_tariffversion"),
        None,
    ),
    "admin:parking_tariffversion_upload": (
        "chief",
        lambda _: reverse("admin:parking_tariffversion_upload"),
        None,
    ),
}
# They do one thing and show nothing, or lead away; what they call is counted where it is tested.
DO_AND_LEAD_AWAY = {
    *("favicon", "parking:language", "parking:forget-bookings", "parking:hold"),
    *("parking:more-time", "parking:vehicle-first", "parking:vehicle-forget"),
    *("payments:pay", "payments:return", "payments:give-up", "webhook"),
    "payments:longer-hold",
    *("api:bookings", "api-cancel", "api-checkout", "api-longer-hold"),
    *("edge:time", "edge:plan", "edge:acks", "edge:state", "edge:events"),
    *("admin:parking_meter_key", "admin:parking_tariffversion_step"),
    *("admin:parking_tariffversion_preview", "admin:parking_tariffversion_preview_new"),
    # Only where there is an answer, a large file, a light that failed; where a token lets in.
    *("admin:parking_tariffsimulation_csv", "payments:export-job", "payments:export-job-file"),
    *("payments:export-job-status", "payments:unlit", "payments:closed", "metrics"),
    "parking:style-guide",  # only with DEBUG
    # Only for guests; only in a demonstration.
    *("payments:erase-booking", "payments:mailbox", "payments:mailbox-letter"),
    *("payments:mailbox-letter-html", "parking:map-tile"),
    "schema",  # drawn from the code alone, and slowly
}
# Of Django and its accounts; they show no rows of ours, or name all that hangs on one row.
OF_DJANGO = {
    *("admin:login", "admin:logout", "admin:password_change", "admin:password_change_done"),
    *("admin:autocomplete", "admin:jsi18n", "admin:view_on_site", "admin:app_list"),
    "admin:auth_user_password_change",
}


def desk_pages() -> dict[str, tuple[str, Address, int | None]]:
    """Return the list, the form and the empty form of every noun of the desk."""
    found: dict[str, tuple[str, Address, int | None]] = {}
    for model in admin.site._registry:
        noun = f"{model._meta.app_label}_{model._meta.model_name}"
        for way in ("changelist", "add"):
            name = f"admin:{noun}_{way}"
            found[name] = ("chief", lambda _, name=name: reverse(name), None)
        found[f"admin:{noun}_change"] = ("chief", _form_of(noun), None)
    return found


def _form_of(noun: str) -> Address:
    def address(world: World) -> str:
        key = world.keys.get(noun)
        if key is None:
            model = next(
                one
                for one in admin.site._registry
                if f"{one._meta.app_label}_{one._meta.model_name}" == noun
            )
            key = model._default_manager.values_list("pk", flat=True).first()
        return reverse(f"admin:{noun}_change", args=[key]) if key else ""

    return address


def names_of_the_site() -> Iterator[str]:
    def walk(resolver: Any, spaces: tuple[str, ...]) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLPattern):
                if pattern.name:
                    yield ":".join([*spaces, pattern.name])
            else:
                inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
                yield from walk(pattern, inner)

    yield from walk(get_resolver(), ())


def counted(world: World, pages: dict[str, tuple[str, Address, int | None]]) -> dict[str, int]:
    """Read every page twice; return how many queries the second time asked."""
    found = {}
    for name, (who, address, _pinned) in pages.items():
        path, client = address(world), Client()
        if not path:
            continue
        person: User | None = getattr(world, who)
        if person is not None:
            client.force_login(person)
        first = client.get(path)
        assert first.status_code in {200, 403}, (name, path, first.status_code)
        with CaptureQueriesContext(connection) as asked:
            answer: Any = client.get(path)
            if answer.streaming:
                b"".join(answer.streaming_content)
        found[name] = len(asked)
    return found


def test_every_address_is_counted_or_does_one_thing() -> None:
    known = {*PAGES, *desk_pages(), *DO_AND_LEAD_AWAY, *OF_DJANGO}
    names = {
        name
        for name in names_of_the_site()
        if not name.startswith(("account_", "mfa_", "socialaccount_", "openid_connect_"))
        and not name.endswith(("_delete", "_history"))  # Django's own
    }
    assert names - known == set(), "a new address has no line in this file"
    assert known - names == set(), "an address is gone, its line is not"


def test_no_page_asks_more_often_where_there_is_more(processor: Processor, now: datetime) -> None:
    world = World(processor, now)
    pages = PAGES | desk_pages()
    few = counted(world, pages)
    world.grow(3)
    many = counted(world, pages)
    assert {name: (few[name], many[name]) for name in few if few[name] != many[name]} == {}, (
        "queries with few rows, and with many"
    )
    pinned = {name: count for name, (_who, _address, count) in PAGES.items() if count is not None}
    assert {name: many[name] for name in pinned} == pinned


def test_a_taken_spot_is_refused_with_as_many_queries_however_many_are_free_nearby(
    processor: Processor, now: datetime
) -> None:
    world = World(processor, now)
    client = Client()
    client.force_login(world.citizen)
    start = timezone.localtime(world.start + timedelta(minutes=30))
    wish = {
        "on": f"{start:%Y-%m-%d}",
        "at": f"{start:%H:%M}",
        "length": "60",
        "vehicle": world.vehicle.pk,
        "email": "citizen@example.org",
    }

    def refused() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as asked:
            answer = client.post(reverse("parking:hold", args=[world.spot.pk]), wish)
        assert answer.status_code == 409
        return len(asked), len(answer.context["alternatives"])

    refused()  # what is read once in a process
    few, spots = refused()
    world.grow(3)
    refused()
    many, more_spots = refused()
    assert (few, more_spots > spots) == (many, True)
