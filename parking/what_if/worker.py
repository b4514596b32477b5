"""Price stays in a process of its own: `python -m parking.what_if.worker`. No Django, no database.

Standard input: the tariff document as one line of JSON, then blocks: a line with a number of bytes,
and so many bytes of CSV (see `parking.what_if.stays`). Every block is answered with a line, the
number of its rows. At the end of the input the figures follow as one line of JSON.
"""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from typing import BinaryIO

from parking.pricing import QuoteError, Tariff, quote
from parking.pricing.clock import moment_of
from parking.what_if.figures import Figures, length_group

GENTLE = 10  # the site's own work goes first


def count_block(figures: Figures, tariff: Tariff, block: str) -> int:
    """Price the stays of a block into the figures; return how many there were."""
    rows = 0
    zone = tariff.zone
    for left_out, start_min, minutes, amount, vehicle_class in csv.reader(io.StringIO(block)):
        rows += 1
        paid = int(amount)
        if left_out:
            figures.note_left_out(left_out, paid)
            continue
        start, length = moment_of(int(start_min)), int(minutes)
        try:
            new = quote(
                tariff=tariff,
                start=start,
                end=moment_of(int(start_min) + length),
                vehicle_class=vehicle_class or None,
            ).total
        except QuoteError as error:
            figures.note_unsold(error.code, paid)
            continue
        local = start.astimezone(zone)
        key = (local.hour, length_group(length), local.weekday(), vehicle_class)
        figures.note(key, paid, new)
    return rows


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer blocks until the input ends."""
    tariff = Tariff.parse(json.loads(incoming.readline()))
    figures = Figures()
    while head := incoming.readline():
        rows = count_block(figures, tariff, incoming.read(int(head)).decode())
        outgoing.write(b"%d\n" % rows)
        outgoing.flush()
    outgoing.write(json.dumps(figures.as_json()).encode() + b"\n")
    outgoing.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; then the input ends
    os.nice(GENTLE)
    serve(sys.stdin.buffer, sys.stdout.buffer)
