"""Tariffs and questions in few words."""

from datetime import UTC, timedelta
from typing import Any

from parking.pricing import Quote, Tariff, parse_local, quote

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WORKDAYS = EVERY_DAY[:5]


def band(
    begin: str = "00:00",
    end: str = "24:00",
    per_hour: int = 400,
    days: list[str] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """A band of one rate, every day and all day unless said otherwise."""
    return {
        "days": days or EVERY_DAY,
        "from": begin,
        "to": end,
        "tiers": [{"per_hour": per_hour}],
        **rest,
    }


def document(*bands: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A document in euro and Zürich time; by default 4.00 an hour at all times."""
    whole: dict[str, Any] = {"currency": "EUR", "time_zone": "Europe/Zurich", **keys}
    if bands or "ladder" not in keys:
        whole["bands"] = list(bands) or [band()]
    return whole


def tariff(*bands: dict[str, Any], **keys: Any) -> Tariff:
    """The tariff of such a document."""
    return Tariff.parse(document(*bands, **keys))


def ask(
    priced_by: Tariff, start: str, length: int | str, vehicle_class: str | None = None
) -> Quote:
    """Quote a stay from a local time, for so many minutes or until a local time."""
    begin = parse_local(start, priced_by.time_zone)
    if isinstance(length, str):
        end = parse_local(length, priced_by.time_zone, "end")
    else:
        end = begin.astimezone(UTC) + timedelta(minutes=length)
    return quote(tariff=priced_by, start=begin, end=end, vehicle_class=vehicle_class)


def cost(priced_by: Tariff, start: str, length: int | str) -> int:
    """The total of such a stay."""
    return ask(priced_by, start, length).total


def kinds(answer: Quote) -> list[str]:
    """The kinds of the lines, in order."""
    return [line.kind for line in answer.lines]
