"""What each row says of price and stay, read once per wording; doubts are counted, not repeated."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.formatting import number
from parking.imports.errors import RowRefused
from parking.imports.hours import Policy, per_hour, policy_of
from parking.imports.mapping import ImportMapping
from parking.imports.rows import Row
from parking.imports.wishes import WantedZone


class PolicyReader:
    """Reads the policy of row after row. A policy that is not understood never stops a spot."""

    def __init__(self, mapping: ImportMapping) -> None:
        self._tariff = mapping.tariff
        self._longest = mapping.stay_rules.longest
        self._currency = settings.CITY_CURRENCY
        self._known: dict[tuple[str, str], tuple[Policy | None, str]] = {}
        self._doubts: dict[str, list[int]] = {}

    def vote(self, row: Row, zone: WantedZone) -> None:
        """Give the row's voice on hours, rate and longest stay to its zone."""
        policy = self._hours(row)
        if policy is not None:
            zone.vote(policy, row.number)
        try:
            longest = self._stay(row)
        except RowRefused as refused:
            self._doubt(str(refused), row)
        else:
            if longest is not None:
                zone.stays[longest] += 1

    def notes(self) -> Iterator[tuple[int, str]]:
        """Return the first row of each doubt with the doubt, and how many rows share it."""
        for text, rows in self._doubts.items():
            more = len(rows) - 1
            if more:
                text = ngettext(
                    "%(doubt)s (and %(n)s more row)", "%(doubt)s (and %(n)s more rows)", more
                ) % {"doubt": text, "n": number(more)}
            yield rows[0], text

    def _hours(self, row: Row) -> Policy | None:
        rules = self._tariff
        if rules is None or rules.hours is None:
            return None
        text = rules.hours.of(row.values)
        rate = rules.rate.of(row.values) if rules.rate is not None else ""
        if not text:
            return None
        if (text, rate) not in self._known:
            self._known[text, rate] = self._read_once(text, rate)
        policy, doubt = self._known[text, rate]
        if doubt:
            self._doubt(doubt, row)
        return policy

    def _read_once(self, text: str, rate: str) -> tuple[Policy | None, str]:
        assert self._tariff is not None  # noqa: S101  (only asked where there is one)
        rules, currency = self._tariff, self._currency
        try:
            policy = policy_of(text, rate=rate, rules=rules, currency=currency)
        except RowRefused as refused:
            return None, str(refused)
        if not rate:
            return policy, ""
        try:
            own = per_hour(rate, unit_min=rules.rate_unit_min, currency=currency)
        except RowRefused as refused:
            return policy, str(refused)
        if all(band.per_hour == own for band in policy.bands):
            return policy, ""
        return policy, _("the rate is %(rate)s, but the hours say “%(hours)s”: they were taken") % {
            "rate": rate,
            "hours": text,
        }

    def _stay(self, row: Row) -> int | None:
        if self._longest is None:
            return None
        text = self._longest.of(row.values)
        if not text:
            return None
        if not text.isdecimal() or not 1 <= int(text) <= 527_040:
            raise RowRefused(
                _("%(key)s: “%(text)s” is no number of minutes")
                % {"key": self._longest.path, "text": text}
            )
        return int(text)

    def _doubt(self, text: str, row: Row) -> None:
        self._doubts.setdefault(text, []).append(row.number)
