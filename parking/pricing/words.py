"""Say a line of a quote in plain English: for logs, commands and people without a translation.

What `data` holds, by kind:
    band: `band` and `tier`, their places in the document.
    free: `reason` (outside, free_first, free_if_leq) and, but for outside, `limit_min`.
    ladder: `upto_min`, the step that was reached.
    increment: `lot_min`, and `free_min` where added minutes cost nothing.
    window_flat: `flat`, its place in the document.
    cap: `day` and `limit`. max, min: `limit`.
    class: `vehicle_class` and `percent`. rounding: `unit` and `mode`.
    tax: `code` and `rate_bp`. paid: nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from parking.money import plain_amount

if TYPE_CHECKING:
    from parking.pricing.explanation import Line

_DAY: Final = timedelta(days=1)


def line_text(line: Line, *, with_date: bool) -> str:
    """Write a line as "what → amount"."""
    return f"{_what(line, with_date=with_date)} → {plain_amount(line.amount, line.currency)}"


def duration_text(minutes: int) -> str:
    """Write minutes as "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest or not hours else [])
    return " ".join(parts)


def _what(line: Line, *, with_date: bool) -> str:
    data = line.data
    length = duration_text(abs(line.minutes or 0))
    when = _when(line, with_date=with_date)
    match line.kind:
        case "band":
            return f"{when}, {length} at {_money(line, line.per_hour)}"
        case "free":
            return f"{when}, {length} {_free(line)}"
        case "ladder":
            return f"{length} counted, up to {duration_text(int(data['upto_min']))}"
        case "increment":
            return _increment(line, length)
        case "window_flat":
            return f"{when}, one price for these hours, {length} of them"
        case "cap":
            return f"no more than {_money(line, data['limit'])} on {data['day']}"
        case "class":
            return f"{data['vehicle_class']} pays {data['percent']} %"
        case "max":
            return f"no stay costs more than {_money(line, data['limit'])}"
        case "min":
            return f"no stay costs less than {_money(line, data['limit'])}"
        case "rounding":
            return f"rounded to {_money(line, data['unit'])} ({data['mode']})"
        case "fixed_fee":
            return "fee for each stay"
        case "tax":
            whole, rest = divmod(int(data["rate_bp"]), 100)
            return f"tax {data['code']}, {whole}.{rest:02} % on top"
        case "paid":
            return "paid already"
        case _:
            return line.kind


def _when(line: Line, *, with_date: bool) -> str:
    if line.begins is None or line.ends is None:
        return ""
    begin_day, begin_time = line.begins[:10], line.begins[11:16]
    end_day, end_time = line.ends[:10], line.ends[11:16]
    if begin_day != end_day:
        if (
            end_time != "00:00"
            or date.fromisoformat(end_day) - date.fromisoformat(begin_day) > _DAY
        ):
            return f"{begin_day} {begin_time} – {end_day} {end_time}"
        end_time = "24:00"
    return f"{begin_day} {begin_time}–{end_time}" if with_date else f"{begin_time}–{end_time}"


def _free(line: Line) -> str:
    match line.data["reason"]:
        case "free_first":
            return f"free: the first {line.data['limit_min']} min cost nothing"
        case "free_if_leq":
            return f"free: up to {line.data['limit_min']} min cost nothing"
        case _:
            return "free: no charge at this time"


def _increment(line: Line, length: str) -> str:
    lot = duration_text(int(line.data["lot_min"]))
    if (line.minutes or 0) < 0:
        return f"{length} not charged: sold in lots of {lot}"
    if line.per_hour is None:
        return f"{length} added: sold in lots of {lot}"
    return f"{length} added at {_money(line, line.per_hour)}: sold in lots of {lot}"


def _money(line: Line, amount: str | int | None) -> str:
    return plain_amount(int(amount or 0), line.currency)
