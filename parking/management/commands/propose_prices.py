"""Say what demand makes of a zone's prices, and draft it for two people to approve."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

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
            raise CommandError(
                _("There is no zone %(code)s; there is: %(known)s.")
                % {"code": zone, "known": known or _("none yet")}
            )
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
            raise CommandError(_("No draft: %(why)s") % {"why": " ".join(made.refusals)})
        if dry_run:
            self.stdout.write(_("A dry run: nothing was written."))
            return
        try:
            version = demand.make_draft(zone_id=found.pk, now=now)
        except demand.DemandRefused as refused:  # somebody made one meanwhile
            raise CommandError(_("No draft: %(why)s") % {"why": refused}) from refused
        self.stdout.write(
            _(
                "Draft: %(version)s, from %(moment)s. One person proposes it and another approves "
                "it, in the admin."
            )
            % {"version": version, "moment": formatting.moment(version.in_force.lower)}
        )
