"""Price the past stays of a zone under a draft: revenue, who pays less, who pays more."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from parking import tariff_versions
from parking.formatting import day, money, number
from parking.models import Zone
from parking.pricing.cases import UnreadableFile, read_json
from parking.what_if import words
from parking.what_if.crew import WorkerDied
from parking.what_if.figures import Figures, Sums
from parking.what_if.simulate import MOST_PROCESSES, OnProgress, simulate

_BAR = 30  # signs
_NEAR = 5
_LINE_EVERY_S = 5.0


class Command(BaseCommand):
    """Ask what if; write nothing to the database."""

    help = "Price the past stays of a zone under a tariff document. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("tariff", metavar="NEW.json", help="a tariff document")
        parser.add_argument("--zone", required=True, metavar="CODE", help="the code of the zone")
        parser.add_argument(
            "--from",
            dest="start_on",
            required=True,
            type=_date,
            metavar="DATE",
            help="first local day on which stays begin, such as 2026-10-01",
        )
        parser.add_argument(
            "--to",
            dest="end_on",
            required=True,
            type=_date,
            metavar="DATE",
            help="the day after the last one",
        )
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write every figure there")
        parser.add_argument("--json", action="store_true", help="print every figure as JSON")
        parser.add_argument(
            "--processes",
            type=_processes,
            metavar="N",
            help="worker processes (default: one for each core)",
        )

    def handle(self, *, start_on: date, end_on: date, **options: Any) -> None:
        """Check the question, run it with a bar, print the answer."""
        document = _document(options["tariff"])
        zone = _zone(options["zone"])
        if start_on >= end_on:
            raise CommandError(
                _("--to %(to)s is not after --from %(from)s.")
                % {"to": end_on.isoformat(), "from": start_on.isoformat()}
            )
        try:
            with self._progress() as on_progress:
                figures = simulate(
                    zone_id=zone.pk,
                    document=document,
                    start_on=start_on,
                    end_on=end_on,
                    processes=options["processes"],
                    on_progress=on_progress,
                )
        except WorkerDied as error:
            raise CommandError(
                _("A worker process was ended from outside (%(why)s). Nothing was written.")
                % {"why": error}
            ) from error
        except KeyboardInterrupt:
            raise CommandError(_("Stopped. Nothing was written."), returncode=130) from None
        if not figures.total.stays and not figures.unsold:
            raise CommandError(
                _("Zone %(zone)s has no stays that begin from %(from)s until before %(to)s.")
                % {"zone": zone.code, "from": start_on.isoformat(), "to": end_on.isoformat()}
            )
        if options["json"]:
            self.stdout.write(json.dumps(_answer(figures, document["currency"])))
        else:
            self._print(zone, start_on, end_on, figures)
        if options["csv"]:
            self._write_csv(options["csv"], figures)

    @contextmanager
    def _progress(self) -> Iterator[OnProgress]:
        """Give what shows the progress: a bar on a terminal, now and then a line elsewhere."""
        said = monotonic()

        def say(done: int, total: int) -> None:
            nonlocal said
            if monotonic() - said >= _LINE_EVERY_S:
                said = monotonic()
                text = ngettext(
                    "%(done)s of %(total)s stay priced.",
                    "%(done)s of %(total)s stays priced.",
                    total,
                )
                self.stderr.write(text % {"done": number(done), "total": number(total)})

        if not self.stderr.isatty():
            yield say
            return
        with tqdm(unit=" " + _("stays"), leave=False) as bar:

            def advance(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield advance

    def _print(self, zone: Zone, start_on: date, end_on: date, figures: Figures) -> None:
        total, apart = figures.total, figures.unsold_total
        heading = _("%(zone)s, stays that begin from %(from)s until before %(to)s")
        self.stdout.write(
            heading % {"zone": zone.name, "from": day(start_on), "to": day(end_on)} + "\n\n"
        )
        for name, text in (
            (_("stays compared"), number(total.stays)),
            (_("revenue then"), money(total.old)),
            (_("revenue under the draft"), money(total.new)),
            (_("difference"), words.change(total)),
            (_("pay less"), f"{number(total.winners)}  ({money(-total.saved)})"),
            (_("pay more"), f"{number(total.losers)}  ({words.signed(total.extra)})"),
            (_("pay the same"), number(total.same)),
            (_("not sold by the draft"), f"{number(apart.stays)}  ({money(apart.paid)})"),
        ):
            self.stdout.write(f"  {name:<26}{text:>22}")
        for row in words.unsold(figures):
            self.stdout.write(f"    {number(row.stays):>10}  {row.name}")
        for row in words.left_out(figures):
            text = _("left out: %(reason)s") % {"reason": row.name}
            self.stdout.write(f"    {number(row.stays):>10}  {text}")
        for table in words.tables(figures):
            self._print_table(table)

    def _print_table(self, table: words.Table) -> None:
        """Print a table with, at the end of each row, bars of who pays less and more."""
        rows = [row for row in table.rows if row.sums.stays]
        longest = max((max(row.sums.winners, row.sums.losers) for row in rows), default=0)
        width = max((len(row.name) for row in rows), default=0) + 2
        heads = (_("stays"), _("then"), _("draft"), _("less"), _("more"))
        self.stdout.write(f"\n{self.style.MIGRATE_HEADING(table.title)}")
        self.stdout.write(
            f"{'':<{width}}{heads[0]:>10}{heads[1]:>18}{heads[2]:>18}{heads[3]:>10}{heads[4]:>10}"
        )
        for row in rows:
            sums = row.sums
            self.stdout.write(
                f"{row.name:<{width}}{number(sums.stays):>10}{money(sums.old):>18}"
                f"{money(sums.new):>18}{number(sums.winners):>10}{number(sums.losers):>10}"
                f"  {_bar('-', sums.winners, longest):>{_BAR // 2}}|"
                f"{_bar('+', sums.losers, longest)}".rstrip()
            )

    def _write_csv(self, path: Path, figures: Figures) -> None:
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                words.write_csv(figures, currency=settings.CITY_CURRENCY, to=file)
        except OSError as error:
            text = _("%(file)s cannot be written: %(why)s")
            raise CommandError(text % {"file": path, "why": error.strerror}) from error


def _document(path: str) -> dict[str, Any]:
    try:
        document = read_json(Path(path).read_text(encoding="utf-8"), path)
    except UnreadableFile as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(_("%(file)s is not UTF-8 text.") % {"file": path}) from error
    if wrong := tariff_versions.problems(document):
        refused = _("%(file)s is refused:") % {"file": path}
        raise CommandError("\n".join([refused, *wrong]))
    return dict(document)


def _zone(code: str) -> Zone:
    zone = Zone.objects.filter(code=code).first()
    if zone is None:
        codes = list(Zone.objects.order_by("code").values_list("code", flat=True))
        near = get_close_matches(code, codes, n=_NEAR, cutoff=0.5) or codes[:_NEAR]
        known = ", ".join(near) or _("none yet")
        raise CommandError(
            _("There is no zone %(code)s; there is: %(known)s.") % {"code": code, "known": known}
        )
    return zone


def _answer(figures: Figures, currency: str) -> dict[str, Any]:
    """Return every figure for programs; amounts are minor units."""
    return {
        "currency": currency,
        "total": _sums(figures.total),
        **{
            f"by_{table.key}": {row.key: _sums(row.sums) for row in table.rows}
            for table in words.tables(figures)
        },
        "unsold": {row.key: _apart(row) for row in words.unsold(figures)},
        "left_out": {row.key: _apart(row) for row in words.left_out(figures)},
    }


def _sums(sums: Sums) -> dict[str, int]:
    names = ("stays", "old", "new", "difference", "winners", "losers", "same", "saved", "extra")
    return {name: getattr(sums, name) for name in names}


def _apart(row: words.ApartRow) -> dict[str, int]:
    return {"stays": row.stays, "paid": row.paid}


def _bar(sign: str, value: int, longest: int) -> str:
    """Draw a bar; whatever is there at all has one sign."""
    return sign * -(-value * (_BAR // 2) // longest) if longest else ""


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        said = _("“%(text)s” is not a date such as 2026-10-01") % {"text": text}
        raise ArgumentTypeError(said) from None


def _processes(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PROCESSES:
        return int(text)
    said = _("“%(text)s” is not a number from 1 to %(most)s")
    raise ArgumentTypeError(said % {"text": text, "most": MOST_PROCESSES})
