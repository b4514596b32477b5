"""How many decimals each currency has, and how an amount of minor units is written.

Money is an integer of minor units everywhere. The exponents are those of ISO 4217, with one
exception: the Iranian rial, whose dinar has not been struck or priced for decades, has none.
"""

from collections.abc import Iterator
from typing import Final

_BY_EXPONENT: Final[dict[int, str]] = {
    0: "BIF CLP DJF GNF IRR ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
        "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KPW KYD KZT "
        "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN "
        "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE "
        "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES "
        "WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS: Final = {code: n for n, codes in _BY_EXPONENT.items() for code in codes.split()}


class UnknownCurrency(ValueError):
    """The code is not in the table, so nobody can say what its minor unit is."""

    def __init__(self, currency: object) -> None:
        super().__init__(f"{currency!r} is not a currency of ISO 4217, such as EUR")
        self.currency = currency


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency, by its three capital letters.

    Raises:
        UnknownCurrency: the code is not in the table.
    """
    try:
        return _EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(currency) from None


def currencies() -> Iterator[str]:
    """Yield every known code."""
    yield from _EXPONENTS


def plain_amount(amount: int, currency: str) -> str:
    """Write minor units as a plain decimal number: 1250 EUR is `12.50`, 1250 JPY `1250`.

    Raises:
        UnknownCurrency: the code is not in the table.
    """
    decimals = exponent(currency)
    sign = "−" if amount < 0 else ""
    if not decimals:
        return f"{sign}{abs(amount)}"
    whole, rest = divmod(abs(amount), 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}"
