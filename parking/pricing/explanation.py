"""What a quote says: the total, and the lines that lead to it.

Every line has an exact value; what it shows is how far the running total moves when both ends are
rounded to the nearest minor unit. So the lines always sum to the total, no line is off by a whole
minor unit, a line that is exact is shown as it is, and a `rounding` line stands only where the
tariff's own rounding moved the total. `exact` keeps the fraction where there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from parking.pricing.words import line_text


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a price. `amount` is in minor units and can be negative.

    `kind`: band, ladder, free, increment, window_flat, cap, class, max, min, rounding, fixed_fee,
    tax, paid. `begins` and `ends` are local ISO times with offset; `per_hour` is in minor units;
    `data` holds what the kind needs: see `parking.pricing.words`.
    """

    kind: str
    amount: int
    currency: str
    exact: str | None = None
    minutes: int | None = None
    begins: str | None = None
    ends: str | None = None
    per_hour: int | None = None
    data: Mapping[str, str | int] = field(default_factory=dict)

    def text(self, *, with_date: bool = False) -> str:
        """Write the line in plain English, such as "10:00–12:00, 2 h at 4.00 → 8.00"."""
        return line_text(self, with_date=with_date)

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold; figures that the line does not have are left out."""
        whole: dict[str, Any] = {"kind": self.kind, "amount": self.amount}
        optional = {
            "exact": self.exact,
            "minutes": self.minutes,
            "from": self.begins,
            "to": self.ends,
            "per_hour": self.per_hour,
        }
        whole.update((key, value) for key, value in optional.items() if value is not None)
        whole.update(self.data)
        return whole

    @classmethod
    def from_json(cls, value: Mapping[str, Any], *, currency: str) -> Self:
        """Read what `as_json` wrote."""
        rest = dict(value)
        return cls(
            kind=rest.pop("kind"),
            amount=rest.pop("amount"),
            currency=currency,
            exact=rest.pop("exact", None),
            minutes=rest.pop("minutes", None),
            begins=rest.pop("from", None),
            ends=rest.pop("to", None),
            per_hour=rest.pop("per_hour", None),
            data=rest,
        )


@dataclass(frozen=True, slots=True)
class Tax:
    """How much of the total is tax: `net` + `tax` is the total.

    Where the tax is `included`, it was split out of the price; otherwise it was put on top of it,
    and a line says so. `rate_bp` is in hundredths of a percent.
    """

    code: str
    rate_bp: int
    included: bool
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A final price and why. Amounts are minor units; `start` and `end` are in UTC.

    `chargeable_min` counts the stay's own minutes, before they are rounded to lots.
    """

    currency: str
    time_zone: str
    start: datetime
    end: datetime
    vehicle_class: str | None
    chargeable_min: int
    total: int
    lines: tuple[Line, ...]
    tax: Tax
    tariff_sha256: str

    def texts(self) -> list[str]:
        """Write every line in plain English, with dates where lines begin on several."""
        days = {line.begins[:10] for line in self.lines if line.begins}
        return [line.text(with_date=len(days) > 1) for line in self.lines]

    def as_json(self) -> dict[str, Any]:
        """Return the whole quote as JSON can hold it, to be frozen with a booking."""
        return {
            "currency": self.currency,
            "time_zone": self.time_zone,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "vehicle_class": self.vehicle_class,
            "chargeable_min": self.chargeable_min,
            "total": self.total,
            "lines": [line.as_json() for line in self.lines],
            "tax": {
                "code": self.tax.code,
                "rate_bp": self.tax.rate_bp,
                "included": self.tax.included,
                "net": self.tax.net,
                "tax": self.tax.tax,
            },
            "tariff_sha256": self.tariff_sha256,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote.

        Raises:
            ValueError: a part is missing, or the lines do not sum to the total.
        """
        try:
            quote = cls(
                currency=value["currency"],
                time_zone=value["time_zone"],
                start=datetime.fromisoformat(value["start"]).astimezone(UTC),
                end=datetime.fromisoformat(value["end"]).astimezone(UTC),
                vehicle_class=value["vehicle_class"],
                chargeable_min=value["chargeable_min"],
                total=value["total"],
                lines=tuple(
                    Line.from_json(line, currency=value["currency"]) for line in value["lines"]
                ),
                tax=Tax(**value["tax"]),
                tariff_sha256=value["tariff_sha256"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Not a quote: {error!r}") from error
        if sum(line.amount for line in quote.lines) != quote.total:
            raise ValueError("The lines of the quote do not sum to its total.")
        return quote
