"""How much of a sum is tax: when it comes in, and when parts of it go back. Pure; minor units.

The tariff version in force says the treatment (`outside_scope`, or a code with a rate, inside the
price or on top), and the quote that was frozen with the stay how much tax is in its price.
"""

from __future__ import annotations


def of_capture(amount: int, *, net: int, tax: int) -> int:
    """Return the tax in `amount`, in the proportion of the frozen price `net` + `tax`."""
    return _share(amount, tax, net + tax)


def of_refund(amount: int, *, captured: int, taxed: int, left: int, tax_left: int) -> int:
    """Return the tax that goes back with `amount`.

    `captured` with `taxed` in it came in; `left` with `tax_left` in it is still there. What
    remains afterwards holds its share of the tax, whatever went back before; so nothing is left
    when everything has gone back.
    """
    return tax_left - _share(left - amount, taxed, captured)


def _share(amount: int, part: int, whole: int) -> int:
    """Return `amount` × `part` / `whole`, halves up."""
    return (2 * amount * part + whole) // (2 * whole)
