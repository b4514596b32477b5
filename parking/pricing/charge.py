"""The price of a stay: the steps of the tariff's order, one after the other."""

from datetime import datetime

from parking.pricing.bill import PER_MINUTE, PER_UNIT, Bill
from parking.pricing.clock import day_text, minute_of, moment_of
from parking.pricing.errors import QuoteError
from parking.pricing.explanation import Quote, Tax
from parking.pricing.parts import DAY_MIN, Step
from parking.pricing.stay import IN_WINDOW, Piece, Window, pieces_of, windows_of
from parking.pricing.tariff import Tariff
from parking.pricing.week import OUTSIDE

LONGEST_STAY_DAYS = 366


def quote(
    *, tariff: Tariff, start: datetime, end: datetime, vehicle_class: str | None = None
) -> Quote:
    """Price the stay `[start, end)` under the tariff; the same question has the same answer.

    `start` and `end` are aware, in any zone, on whole minutes. A stay of no minutes costs nothing.
    Without a vehicle class the full price holds.

    Raises:
        QuoteError: `naive_time`, `not_whole_minute`, `time_out_of_range`, `nonexistent_start`,
            `nonexistent_end`, `end_before_start`, `stay_too_long`, `unknown_vehicle_class`,
            `ladder_exceeded`.
    """
    first, last = minute_of(start, "start"), minute_of(end, "end")
    _refuse_length(last - first)
    percent = _percent(tariff, vehicle_class)
    windows = windows_of(tariff, first, last) if tariff.window_flats and last > first else []
    pieces = pieces_of(tariff, first, last, windows)
    chargeable = sum(piece.end - piece.begin for piece in pieces if piece.band >= 0)

    bill = Bill(tariff.currency, by_day=tariff.cap_per_local_day is not None)
    _charge_minutes(tariff, pieces, chargeable, bill)
    _charge_windows(tariff, windows, bill)
    _apply_caps(tariff, bill)
    _apply_class(vehicle_class, percent, bill)
    _apply_limits(tariff, bill)
    _round(tariff, bill)
    if chargeable and tariff.fixed_fee:
        bill.add("fixed_fee", tariff.fixed_fee * PER_UNIT)
    tax = _tax(tariff, bill)
    return Quote(
        currency=tariff.currency,
        time_zone=tariff.time_zone,
        start=moment_of(first),
        end=moment_of(last),
        vehicle_class=vehicle_class,
        chargeable_min=chargeable,
        total=bill.shown,
        lines=tuple(bill.lines),
        tax=tax,
        tariff_sha256=tariff.sha256,
    )


def _refuse_length(minutes: int) -> None:
    if minutes < 0:
        raise QuoteError("end_before_start", "The end is before the start.")
    if minutes > LONGEST_STAY_DAYS * DAY_MIN:
        raise QuoteError(
            "stay_too_long",
            f"No stay is longer than {LONGEST_STAY_DAYS} days.",
            {"days": LONGEST_STAY_DAYS},
        )


def _percent(tariff: Tariff, vehicle_class: str | None) -> int:
    if vehicle_class is None:
        return 100
    percent = tariff.vehicle_classes.get(vehicle_class)
    if percent is None:
        known = ", ".join(sorted(tariff.vehicle_classes)) or "none"
        raise QuoteError(
            "unknown_vehicle_class",
            f"The tariff has no vehicle class {vehicle_class!r}; it has: {known}.",
            {"vehicle_class": vehicle_class, "known": known},
        )
    return percent


def _charge_minutes(tariff: Tariff, pieces: list[Piece], chargeable: int, bill: Bill) -> None:
    """Charge bands or ladder, with what is free and with the lots that minutes are sold in."""
    if 0 < chargeable <= tariff.free_if_leq_min:
        for piece in pieces:
            _leave_free(piece, "free_if_leq", bill)
        bill.write_spans({"free_if_leq": tariff.free_if_leq_min})
        return
    sold = tariff.increment.apply(chargeable)
    if tariff.ladder:
        _charge_ladder(tariff, pieces, chargeable, sold, bill)
    else:
        _charge_bands(tariff, pieces, sold, bill)


def _leave_free(piece: Piece, reason: str, bill: Bill) -> None:
    """Note minutes that cost nothing; those in a window have their own line."""
    if piece.band != IN_WINDOW:
        reason = "outside" if piece.band == OUTSIDE else reason
        bill.span("free", reason, (piece.begin, piece.end, piece.offset), piece.day)


def _charge_bands(tariff: Tariff, pieces: list[Piece], sold: int, bill: Bill) -> None:
    """Charge the first `sold` chargeable minutes by band and tier, and add those that lack."""
    free_first, reset = tariff.free_first_min, tariff.progression_reset
    counted = progress = rate = chargeable = 0
    before: Piece | None = None
    for piece in pieces:
        begin, end, offset, day, index = piece
        if index < 0:
            _leave_free(piece, "outside", bill)
            continue
        chargeable += end - begin
        if before is not None and (
            (reset == "local_day" and before.day != day)
            or (reset == "band" and before.band != index)
        ):
            progress = 0
        before = piece
        end = min(end, begin + sold - counted)
        tiers = tariff.bands[index].tiers
        while begin < end:
            place = 0
            upto = tiers[0].upto_min
            while upto is not None and upto <= progress:
                place += 1
                upto = tiers[place].upto_min
            rate = tiers[place].per_hour
            step = end - begin if upto is None else min(end - begin, upto - progress)
            if counted < free_first:
                step = min(step, free_first - counted)
                bill.span("free", "free_first", (begin, begin + step, offset), day)
            else:
                stretch = (begin, begin + step, offset)
                bill.span("band", "", stretch, day, index, place, rate)
            begin += step
            counted += step
            progress += step
    bill.write_spans({"free_first": free_first})
    if before is not None and sold != chargeable:
        _charge_lots(tariff, before.day, sold - chargeable, counted, rate, bill)


def _charge_lots(
    tariff: Tariff, day: int, minutes: int, counted: int, rate: int, bill: Bill
) -> None:
    """Charge the minutes that fill the last lot, or tell which were given up (`minutes` < 0)."""
    data: dict[str, str | int] = {"lot_min": tariff.increment.minutes}
    if minutes < 0:
        bill.add("increment", 0, minutes=minutes, data=data)
        return
    free = min(minutes, max(0, tariff.free_first_min - counted))
    if free:
        data["free_min"] = free
    bill.add(
        "increment",
        (minutes - free) * rate * PER_MINUTE,
        day=day,
        minutes=minutes,
        per_hour=rate,
        data=data,
    )


def _charge_ladder(
    tariff: Tariff, pieces: list[Piece], chargeable: int, sold: int, bill: Bill
) -> None:
    """Charge the total of the ladder's step that holds the minutes sold."""
    free = 0 < sold <= tariff.free_first_min
    counted = [piece for piece in pieces if piece.band >= 0]
    for piece in pieces:
        if piece.band < 0 or free:
            _leave_free(piece, "free_first", bill)
    bill.write_spans({"free_first": tariff.free_first_min})
    if sold != chargeable:
        data = {"lot_min": tariff.increment.minutes}
        bill.add("increment", 0, minutes=sold - chargeable, data=data)
    if free or not sold:
        return
    step = _step(tariff, sold)
    first, last = counted[0], counted[-1]
    bill.add(
        "ladder",
        step.total * PER_UNIT,
        minutes=sold,
        period=(first.begin, first.offset, last.end, last.offset),
        data={"upto_min": step.upto_min},
    )
    if bill.by_day:
        _spread_over_days(tariff, counted, sold, step.total, bill)


def _spread_over_days(
    tariff: Tariff, counted: list[Piece], sold: int, total: int, bill: Bill
) -> None:
    """Let each local day bear what the ladder rises on it; added minutes fall on the last."""
    minutes = value = 0
    for piece in counted:
        minutes = min(sold, minutes + piece.end - piece.begin)
        upto = _step(tariff, minutes).total if minutes > tariff.free_first_min else 0
        bill.day_values[piece.day] += (upto - value) * PER_UNIT
        value = upto
    bill.day_values[counted[-1].day] += (total - value) * PER_UNIT


def _step(tariff: Tariff, minutes: int) -> Step:
    """Return the first step that is not below the minutes."""
    for step in tariff.ladder:
        if minutes <= step.upto_min:
            return step
    longest = tariff.ladder[-1].upto_min
    raise QuoteError(
        "ladder_exceeded",
        f"The longest stay sold is {longest} chargeable minutes; this one has {minutes}.",
        {"longest_min": longest, "minutes": minutes},
    )


def _charge_windows(tariff: Tariff, windows: list[Window], bill: Bill) -> None:
    for window in windows:
        bill.add(
            "window_flat",
            tariff.window_flats[window.flat].amount * PER_UNIT,
            day=window.day,
            minutes=window.minutes,
            period=(window.begin, window.begin_offset, window.end, window.end_offset),
            data={"flat": window.flat},
        )


def _apply_caps(tariff: Tariff, bill: Bill) -> None:
    if tariff.cap_per_local_day is None:
        return
    cap = tariff.cap_per_local_day * PER_UNIT
    for day, value in sorted(bill.day_values.items()):
        if value > cap:
            data: dict[str, str | int] = {"day": day_text(day), "limit": tariff.cap_per_local_day}
            bill.add("cap", cap - value, data=data)


def _apply_class(vehicle_class: str | None, percent: int, bill: Bill) -> None:
    if vehicle_class is not None and percent != 100 and bill.value:
        # Exact: every value so far is a multiple of PER_MINUTE, which is a hundred.
        data: dict[str, str | int] = {"vehicle_class": vehicle_class, "percent": percent}
        bill.add("class", bill.value // 100 * (percent - 100), data=data)


def _apply_limits(tariff: Tariff, bill: Bill) -> None:
    """Apply the highest price of a stay, then the lowest, which leaves a free stay free."""
    highest, lowest = tariff.max_charge, tariff.min_charge
    if highest is not None and bill.value > highest * PER_UNIT:
        bill.add("max", highest * PER_UNIT - bill.value, data={"limit": highest})
    if 0 < bill.value < lowest * PER_UNIT:
        bill.add("min", lowest * PER_UNIT - bill.value, data={"limit": lowest})


def _round(tariff: Tariff, bill: Bill) -> None:
    rounding = tariff.rounding
    total = rounding.apply(bill.value, PER_UNIT)
    if total == bill.shown:
        bill.value = total * PER_UNIT
    else:
        data: dict[str, str | int] = {"unit": rounding.unit, "mode": rounding.mode}
        bill.add("rounding", total * PER_UNIT - bill.value, data=data)


def _tax(tariff: Tariff, bill: Bill) -> Tax:
    """Split the tax out of the total, or put it on top, to the nearest minor unit."""
    code, rate, included = tariff.tax.code, tariff.tax.rate_bp, tariff.tax.included
    if included:
        net = nearest(bill.shown * 10_000, 10_000 + rate)
        return Tax(code, rate, included, net, bill.shown - net)
    net = bill.shown
    tax = nearest(net * rate, 10_000)
    if tax:
        bill.add("tax", tax * PER_UNIT, data={"code": code, "rate_bp": rate})
    return Tax(code, rate, included, net, tax)


def nearest(amount: int, divisor: int) -> int:
    """Divide and round to the nearest whole number; half goes up."""
    return (2 * amount + divisor) // (2 * divisor)
