"""Say what demand makes of a zone's prices, and draft it for two people to approve."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from parking import demand, formatting
from parking.models import Zone


class Command(BaseCommand):
    """Print the proposal; without --dry-run write it as a draft."""

    help = "Propose prices by demand, as a draft that two people must approve."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for the zone."""
        parser.add_argument("--zone", required=True, metavar="CODE", help="the zone's code")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")

    def handle(self, *, zone: str, dry_run: bool, **options: Any) -> None:
        """Print each band, then the draft or why there is none.

        Raises:
            CommandError: no such zone, or no draft can be made.
        """
        found = Zone.objects.filter(code=zone).first()
        if found is None:
            known = ", ".join(Zone.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no zone {zone!r}. Zones: {known or 'none'}.")
        now = timezone.now()
        made = demand.proposal(zone_id=found.pk, now=now)
        if made.bands:
            self.stdout.write(f"{found.name}, {formatting.period(made.since, made.until)}")
        for band in made.bands:
            prices = ", ".join(
                f"{formatting.money(old)} → {formatting.money(new)}" for old, new in band.prices
            )
            self.stdout.write(f"  {band.hours}: {prices}. {band.reason}")
        if made.refusals:
            raise CommandError("No draft: " + " ".join(made.refusals))
        if dry_run:
            self.stdout.write("Nothing is written (--dry-run).")
            return
        try:
            version = demand.make_draft(zone_id=found.pk, now=now)
        except demand.DemandRefused as refused:  # somebody made one meanwhile
            raise CommandError(f"No draft: {refused}") from refused
        self.stdout.write(
            f"Draft: {version}, from {formatting.moment(version.in_force.lower)}."
            " One person proposes it and another approves it, in the admin."
        )
