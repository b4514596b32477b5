"""Fill an empty database with a demo city, and with some weeks of its life."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from tqdm import tqdm

from config.demo import CITIES, build, history, processor, ways
from config.demo.plan import City
from parking import lights
from parking.models import Meter
from payments import ledger
from payments.checkout import CheckoutError
from payments.gateway import GatewayError
from payments.models import Mail


class Command(BaseCommand):
    """Make the city's rows, then live its history through the public rules."""

    help = "Fill an empty database with a demo city, its people and some weeks of bookings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the city and how much of its past."""
        parser.add_argument("--city", choices=sorted(CITIES), required=True)
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="do nothing, successfully, where the database already holds a city",
        )
        parser.add_argument(
            "--history-days",
            type=int,
            default=21,
            metavar="N",
            help="days of bookings and payments, 0 to 60 (default: %(default)s)",
        )

        for way in ("polling", "by-broker"):
            parser.add_argument(
                f"--{way}",
                type=int,
                choices=range(51),
                metavar="PERCENT",
                help=f"of the meters that are {way}, 0 to 50; also where a city is held already",
            )

    def handle(
        self,
        *args: Any,
        polling: int | None = None,
        by_broker: int | None = None,
        **options: Any,
    ) -> None:
        """Seed, then share out the ways to the meters.

        Raises:
            CommandError: see `_seed`.
        """
        self._seed(**options)
        asked = {ways.POLLING: polling, ways.BROKER: by_broker}
        shares = {way: percent for way, percent in asked.items() if percent is not None}
        ways.share_out(shares=shares, now=timezone.now())

    def _seed(self, *, city: str, if_empty: bool, history_days: int, **_: Any) -> None:
        """Seed, or say why not.

        Raises:
            CommandError: the database is not empty, the settings are another city's, or the
                payment sandbox does not answer.
        """
        if not 0 <= history_days <= 60:
            raise CommandError("--history-days must be from 0 to 60")
        if not build.is_empty():
            if if_empty:
                self.stdout.write("The database already holds a city: nothing to do.")
                return
            raise CommandError(
                "The database already holds a city. seed_demo only fills an empty one; "
                "with --if-empty it leaves a full one alone."
            )
        plan = CITIES[city]
        _check_settings(city, plan)
        if not history_days or processor.is_real():
            self._build(city, plan)
            if history_days:
                self.stdout.write(
                    "No history: payments go to Stripe itself, and nobody pays its pages here."
                )
            return
        try:
            with processor.Sandbox() as sandbox:
                self._build(city, plan)
                try:
                    self._live(plan, sandbox, history_days)
                finally:
                    self._settle()
        except processor.SandboxAway as error:
            raise CommandError(
                f"No payment sandbox answers at STRIPE_API_BASE ({error}). Start it "
                "(python -m payments.sandbox), or seed without a past: --history-days 0"
            ) from error
        except (
            processor.SandboxFailed,
            httpx.HTTPError,
            GatewayError,
            CheckoutError,
        ) as error:
            raise CommandError(
                f"The payment sandbox failed in the middle: {error}. The city stands, with a part "
                "of its past; empty the database and seed again to have all of it."
            ) from error

    def _build(self, name: str, city: City) -> None:
        made = build.build(city=city, now=timezone.now())
        self.stdout.write(
            f"{name}: {made.zones} zones, {made.meters} meters, {made.spots} spots. "
            f"Accounts such as {build.OPERATOR}, password {build.PASSWORD}"
        )

    def _live(self, city: City, sandbox: processor.Sandbox, days: int) -> None:
        logging.getLogger("stripe").setLevel(logging.WARNING)  # a line for each call otherwise
        with connection.cursor() as cursor:
            # Nothing is lost by a crash that seeding again would not bring back.
            cursor.execute("SET synchronous_commit = off")
        with tqdm(desc=f"{days} days of bookings", unit="", disable=None, file=sys.stderr) as bar:

            def advance(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            tally = history.live(
                city=city,
                sandbox=sandbox,
                days=days,
                now=timezone.now(),
                citizen=User.objects.get(email=build.CITIZEN),
                on_story=advance,
            )
        told = ", ".join(f"{number} {what}" for what, number in tally.most_common())
        self.stdout.write(f"{sum(tally.values()) - tally['cancelled']} visits: {told}")

    def _settle(self) -> None:
        """Bring up to now what the history left in its own time."""
        ledger.seal()
        now = timezone.now()
        for meter_id in Meter.objects.order_by("id").values_list("id", flat=True):
            with transaction.atomic():
                lights.replan(meter_ids=[meter_id], now=now)
        # The people of the history do not exist: nobody waits for their letters.
        Mail.objects.filter(sent_at=None, given_up_at=None).update(given_up_at=F("created_at"))


def _check_settings(name: str, city: City) -> None:
    wanted = (("CITY_CURRENCY", city.currency), ("CITY_TIME_ZONE", city.time_zone))
    wrong = [
        f"{setting} is {getattr(settings, setting)} and must be {value}"
        for setting, value in wanted
        if getattr(settings, setting) != value
    ]
    if wrong:
        raise CommandError(f"The settings are not those of {name}: {'; '.join(wrong)}.")
