"""What a document would mean: in words, beside the law in force, and for one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from parking import formatting, price_words, tariff_diff, tariff_words
from parking.models import TariffState, TariffVersion
from parking.pricing import QuoteError, Tariff, TariffError, parse_local, quote
from parking.pricing.week import day_number

_LONGEST_QUESTION = 60 * 24 * 60


@dataclass
class Question:
    """What is asked, such as "Tuesday 19:00 for 2 h", as typed."""

    day: str = "1"  # a weekday; Monday is 0
    on: str = ""  # or a date
    clock: str = "19:00"
    minutes: str = "120"
    vehicle_class: str = ""

    @classmethod
    def posted(cls, data: Mapping[str, Any]) -> Question:
        """Read the question that came with a form, or ask the usual one."""
        usual = cls()
        return cls(
            **{key: data.get(f"ask-{key}", getattr(usual, key)) for key in cls.__dataclass_fields__}
        )


@dataclass
class Preview:
    """What the template shows; without a `tariff` the document is not valid yet."""

    tariff: Tariff | None
    question: Question
    against: str = ""
    differences: list[str] = field(default_factory=list)
    bands: list[tariff_words.BandRow] = field(default_factory=list)
    ladder: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def weekdays(self) -> list[tuple[str, str, bool]]:
        """Return the choices of the question's day."""
        return [(str(n), str(name), str(n) == self.question.day) for n, name in WEEKDAYS.items()]

    @property
    def classes(self) -> list[tuple[str, str, bool]]:
        """Return the vehicle classes that the question may name."""
        names = sorted(self.tariff.vehicle_classes) if self.tariff else []
        wanted = self.question.vehicle_class
        return [(name, price_words.class_words(name), name == wanted) for name in names]


def preview(
    document: object, *, question: Question, before: TariffVersion | None, now: datetime
) -> Preview:
    """Say what a document means; `before` is the version that it would follow."""
    try:
        tariff = Tariff.parse(document)  # type: ignore[arg-type]  # whatever it is, it is checked
    except TariffError:
        return Preview(None, question)
    shown = Preview(
        tariff,
        question,
        bands=tariff_words.bands(tariff),
        ladder=tariff_words.ladder(tariff),
        notes=tariff_words.notes(tariff),
        answer=_answer(tariff, question, now),
    )
    if before is not None:
        shown.against = str(before)
        shown.differences = tariff_diff.differences(Tariff.parse(before.document), tariff)
    return shown


def version_before(
    *, zone_id: int | None, start: datetime, but: int | None = None
) -> TariffVersion | None:
    """Return the approved version of the zone that something from `start` on would follow."""
    return (
        TariffVersion.objects.filter(
            Q(in_force__startswith__lte=start) | Q(in_force__startswith__isnull=True),
            zone=zone_id,
            state=TariffState.APPROVED,
        )
        .exclude(pk__in=[but] if but else [])
        .select_related("zone")
        .order_by("-in_force")
        .first()
    )


def _answer(tariff: Tariff, question: Question, now: datetime) -> dict[str, Any]:
    """Price the question, or say why it has no price."""
    try:
        minutes = int(question.minutes)
        if not 0 < minutes <= _LONGEST_QUESTION:
            raise ValueError
    except ValueError:
        return {"refused": _("Ask for 1 to 86400 minutes.")}
    try:
        day = _day_asked(tariff, question, now)
    except ValueError:
        return {"refused": _("Ask for a date such as 2026-12-24, or a day of the week.")}
    try:
        start = parse_local(f"{day.isoformat()}T{question.clock}", tariff.time_zone)
        priced = quote(
            tariff=tariff,
            start=start,
            end=start + timedelta(minutes=minutes),
            vehicle_class=question.vehicle_class or None,
        )
    except QuoteError as error:
        return {"refused": price_words.why_not(error)}
    return {
        "asked": _("%(day)s %(time)s for %(length)s")
        % {
            "day": formatting.day(day),
            "time": question.clock,
            "length": formatting.duration(minutes),
        },
        "total": formatting.money(priced.total, priced.currency),
        "rows": [
            (row.text, formatting.money(row.amount, row.currency))
            for row in price_words.rows(priced)
        ],
    }


def _day_asked(tariff: Tariff, question: Question, now: datetime) -> date:
    """Return the date asked, or the next such weekday that is no holiday."""
    if question.on:
        return date.fromisoformat(question.on)
    weekday = int(question.day)
    if not 0 <= weekday <= 6:
        raise ValueError(question.day)
    today = now.astimezone(tariff.zone).date()
    first = today + timedelta(days=(weekday - today.weekday()) % 7)
    weeks = (first + timedelta(weeks=number) for number in range(53))
    return next((day for day in weeks if day_number(day) not in tariff.holidays), first)
