"""Currencies, smallest charges, fees. Amounts are whole numbers of minor units, never floats."""

from dataclasses import dataclass, field

from payments.sandbox.errors import ApiError

ZERO_DECIMAL = frozenset([
    "bif", "clp", "djf", "gnf", "irr", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx",
    "vnd", "vuv", "xaf", "xof", "xpf",
])  # fmt: skip
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
TWO_DECIMAL = frozenset([
    "aed", "all", "amd", "ang", "aud", "azn", "bam", "bbd", "bdt", "bgn", "bmd", "bnd",
    "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc",
    "cve", "czk", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "gbp", "gel", "gip",
    "gmd", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd",
    "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl",
    "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn",
    "nio", "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron",
    "rsd", "rub", "sar", "sbd", "scr", "sek", "sgd", "shp", "sos", "srd", "std", "szl",
    "thb", "tjs", "top", "try", "ttd", "twd", "tzs", "uah", "usd", "uyu", "uzs", "wst",
    "xcd", "yer", "zar", "zmw",
])  # fmt: skip
EXPONENTS = (
    dict.fromkeys(TWO_DECIMAL, 2) | dict.fromkeys(ZERO_DECIMAL, 0) | dict.fromkeys(THREE_DECIMAL, 3)
)
SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥", "vnd": "₫", "ils": "₪", "inr": "₹"}
MAX_AMOUNT = 99_999_999
# Nothing limits these to eight digits; a rial price alone would pass that.
LARGE_AMOUNTS = frozenset({"irr", "idr", "vnd", "cop", "huf", "krw", "lbp", "jpy", "inr"})
MAX_LARGE_AMOUNT = 999_999_999_999
DEFAULT_MINIMUMS = {
    "eur": 50, "usd": 50, "chf": 50, "gbp": 30, "cad": 50, "aud": 50, "nzd": 50, "sgd": 50,
    "dkk": 250, "nok": 300, "sek": 300, "pln": 200, "czk": 1500, "huf": 17500, "ron": 200,
    "bgn": 100, "jpy": 50, "mxn": 1000, "hkd": 400, "inr": 50, "aed": 200, "brl": 50, "thb": 1000,
}  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What the processor charges and demands, in minor units."""

    minimums: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_MINIMUMS))
    fee_basis_points: int = 150
    fee_fixed: int = 25
    dispute_fee: int = 2000
    settlement_days: int = 2
    refund_delay: int = 10

    def fee(self, amount: int, currency: str) -> int:
        """Return the fee of a charge; the fixed part is scaled to the currency's minor unit."""
        return self._scaled(self.fee_fixed, currency) + amount * self.fee_basis_points // 10_000

    def fee_of_dispute(self, currency: str) -> int:
        """Return the fee that a dispute costs, whether it is won or lost."""
        return self._scaled(self.dispute_fee, currency)

    @staticmethod
    def _scaled(cents: int, currency: str) -> int:
        return cents * 10 if EXPONENTS[currency] == 3 else cents


def read_currency(word: str, *, param: str) -> str:
    """Return the currency in lower case, or refuse one that is not in the table."""
    currency = word.lower()
    if currency not in EXPONENTS:
        raise ApiError(
            f"Invalid currency: {word[:20]}. The sandbox knows {len(EXPONENTS)} currencies.",
            param=param,
        )
    return currency


def check_amount(amount: int, currency: str, terms: Terms) -> None:
    """Refuse a total that the processor would not charge."""
    largest = MAX_LARGE_AMOUNT if currency in LARGE_AMOUNTS else MAX_AMOUNT
    if amount > largest:
        raise ApiError(
            f"The Checkout Session's total amount must be no more than"
            f" {format_amount(largest, currency)}.",
            code="amount_too_large",
        )
    smallest = max(1, terms.minimums.get(currency, 1))
    if amount < smallest:
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least"
            f" {format_amount(smallest, currency)}.",
            code="amount_too_small",
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise ApiError(
            f"Invalid amount: {currency.upper()} amounts must end with a zero,"
            " because only two decimal places are charged.",
            code="parameter_invalid_integer",
        )


def format_amount(amount: int, currency: str) -> str:
    """Return an amount for people: ``€2.50``, ``IRR 150,000``, ``−€1.00``."""
    exponent = EXPONENTS[currency]
    whole, rest = divmod(abs(amount), 10**exponent)
    digits = f"{whole:,}" + (f".{rest:0{exponent}d}" if exponent else "")
    sign = "−" if amount < 0 else ""
    symbol = SYMBOLS.get(currency, f"{currency.upper()}\u00a0")
    return f"{sign}{symbol}{digits}"
