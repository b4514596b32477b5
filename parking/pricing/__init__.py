"""The price: tariff × period → quote with lines. Pure: no clock, no database, no Django.

The rules, and how they are read where a sentence leaves room:

**Minutes.** Periods are half-open and on whole minutes; seconds are refused, the caller decides
whether a begun minute counts. Prices follow elapsed minutes. Each minute belongs to the band that
holds its local wall time: in autumn the repeated hour is in its band twice, and a band that ends
inside that hour holds two pieces with a hole between. Minutes in no band are free. A stay of no
minutes costs nothing.

**Bands.** `to` before `from` runs past midnight; such a band belongs to the day on which it began,
also for the question whether that day is a holiday. A holiday is priced as the weekday
`holiday_behaves_like`; without that key the dates only have names. The lower priority wins; two
bands of one priority that share a minute in the plain week, or around one of the holidays, are
refused. Without bands, a ladder counts every minute. With a ladder, bands only say which minutes
count, and their rates are not used.

**Progression** counts chargeable minutes of the stay, the free first ones too. `local_day` starts
again when the local date differs from that of the chargeable minute before, `band` when the band
of the document does: one band on two days is one band. A ladder and `free_first_min` look at the
whole stay, whatever the reset.

**Increment.** The chargeable minutes of the stay are sold in lots. Added minutes have the rate and
the day of the last chargeable minute, and those that are still among the first free ones are free.
Minutes given up (`completed`, `nearest`) are the last ones. Half a lot is nearest to a whole one. A
ladder is asked for the minutes sold.

**Free.** `free_if_leq_min` looks at the stay's own chargeable minutes, before they are rounded to
lots; it frees what bands or ladder would charge, not the flats, whose minutes are not among them.
Under a ladder `free_first_min` frees a stay that sells no more minutes than that; a longer one pays
the ladder's total, for a ladder has a price of the stay and not of its first minutes. What is free
is also not beyond the ladder.

**Flats** exist on every day, holidays too, and whether or not any band is there. A window is what
local clocks show: a window in the hour that spring leaves out does not exist that night. Two
windows that overlap each add their amount.

**Caps** hold for local dates. A band's minute falls on its own date, a flat on the date on which
its window begins, and of a ladder's total each date bears what the ladder rises on it.

**Order.** Bands or ladder, flats, cap, class, the highest charge, then the lowest charge (a stay
that comes to nothing stays free), one rounding (half a unit is nearest to a whole one), fixed fee
(whenever a minute was chargeable, so not for a stay that is wholly inside flats), and last a tax
that is not `included`, which goes on top and has a line of its own.
"""

from parking.pricing.changes import (
    extension_price,
    extension_quote,
    less_paid,
    refund_of_unused,
)
from parking.pricing.charge import quote
from parking.pricing.clock import parse_local
from parking.pricing.errors import QuoteError, TariffError
from parking.pricing.explanation import Line, Quote, Tax
from parking.pricing.tariff import Tariff

__all__ = [
    "Line",
    "Quote",
    "QuoteError",
    "Tariff",
    "TariffError",
    "Tax",
    "extension_price",
    "extension_quote",
    "less_paid",
    "parse_local",
    "quote",
    "refund_of_unused",
]
