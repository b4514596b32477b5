"""Every page that a citizen meets, each with something on it, for tests in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page

from parking import vehicles
from parking.models import Slot, Spot
from payments import receipts
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking


class Citizen:
    """A citizen with a vehicle, a stay that runs, a spot that is held."""

    def __init__(self, processor: Processor) -> None:
        now = timezone.now()
        start = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
        processor.start_again(start)
        zone = cast.a_zone(longest_stay_min=600, most_stays_ahead=99, reservable_percent=99)
        spots = [cast.a_spot(zone, f"K-{n}", metres_east=9 * n) for n in range(4)]
        self.user: User = cast.a_person("citizen")
        vehicles.add(owner=self.user, plate="XYZ987", now=now)
        self.free: Spot = spots[3]
        who = {"user": self.user, "plate": "ABC123", "email": self.user.email}
        paid = a_paid_booking(spots[0], processor, start=start, minutes=120, now=start, **who)
        self.stay: Slot = paid.slot
        self.held: Slot = cast.a_hold(spots[1], start + timedelta(hours=3), now=now, **who)
        self.taken: Slot = cast.a_hold(spots[2], start + timedelta(minutes=5), now=now)

    def sign_in(self, page: Page, site: str) -> None:
        """Give the browser the citizen's session."""
        client = Client()
        client.force_login(self.user)
        value = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": value, "url": site}])

    def pages(self, language: str) -> dict[str, str]:
        """Return the address of every page in a language; this alone knows how one is named."""
        with translation.override(language):
            return {name: address() for name, address in self._addresses().items()}

    def _addresses(self) -> dict[str, Callable[[], str]]:
        stay, held = self.stay.booking.reference, self.held.booking.reference
        start = timezone.localtime(self.taken.start)
        query = f"?on={start:%Y-%m-%d}&at={start:%H:%M}&length=60"

        def of(name: str, *args: Any, query: str = "") -> Callable[[], str]:
            return lambda: reverse(name, args=args) + query

        return {
            "find": of("parking:find", query=query),
            "find-wrong": of("parking:find", query="?on=x&place=nowhere"),
            "spot": of("parking:spot", self.free.pk, query=query),
            "spot-taken": of("parking:spot", self.taken.spot_id, query=query),
            "any-spot": of("parking:any-spot", "kamppi", query=query),
            "held": of("payments:booking", held),
            "booked": of("payments:booking", stay),
            "my-bookings": of("parking:my-bookings"),
            "extend": of("payments:extend", stay),
            "change": of("payments:change", stay),
            "change-taken": of("payments:change", stay, query="?spot=K-2&length=180"),
            "cancel": of("payments:cancel", stay),
            "taken": of("payments:taken", stay),
            "plate": of("parking:correct-plate", stay),
            "receipt": of("payments:receipt", stay),
            "document": of("payments:document", stay, receipts.of(self.stay.booking)[0].document),
            "vehicles": of("parking:vehicles"),
            "tariff": of("parking:tariff", "kamppi"),
            "accessibility": of("parking:accessibility"),
            "offline": of("parking:offline"),
            "sign-out": of("account_logout"),
            "missing": of("parking:spot", 999_999),
        }
