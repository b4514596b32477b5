"""One spelling for every number plate, whatever keyboard it was typed on. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 16
SHORTEST: Final = 2

# Cyrillic letters that plates use because they look like Latin ones; and the Arabic forms of two
# Persian letters.
_YEH: Final = "\N{ARABIC LETTER FARSI YEH}"
_SAME: Final = str.maketrans("АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS") | {
    ord("\N{ARABIC LETTER YEH}"): _YEH,
    ord("\N{ARABIC LETTER ALEF MAKSURA}"): _YEH,
    ord("\N{ARABIC LETTER KAF}"): "\N{ARABIC LETTER KEHEH}",
}
_TATWEEL: Final = "\N{ARABIC TATWEEL}"


class BadPlate(ValueError):
    """The text cannot be a plate. `code` is empty, too_short, too_long or bad_sign."""

    def __init__(self, code: str, sign: str = "") -> None:
        super().__init__(f"{code} {sign!r}" if sign else code)
        self.code = code
        self.sign = sign


def normalise(text: str) -> str:
    """Return the plate in capitals, without separators, with Latin look-alikes and digits.

    Raises:
        BadPlate: nothing is left, or it has a sign that no plate has.
    """
    plate = "".join(_spell(sign) for sign in unicodedata.normalize("NFKC", text).upper())
    if not plate:
        raise BadPlate("empty")
    if bad := next((sign for sign in plate if not _on_plates(sign)), None):
        raise BadPlate("bad_sign", bad)
    if len(plate) < SHORTEST:
        raise BadPlate("too_short")
    if len(plate) > LONGEST:
        raise BadPlate("too_long")
    return plate


# Signs that people mistake for one another on a plate or a screen.
_LOOKS_LIKE: Final = str.maketrans("OQDIZSGB", "00012568")


def look_alike(one: str, other: str) -> bool:
    """Say whether two different plates can be mistaken for each other: O and 0, I and 1, B and 8.

    Both are in their one spelling. It is worth a warning, never a refusal: both may exist.
    """
    return one != other and one.translate(_LOOKS_LIKE) == other.translate(_LOOKS_LIKE)


def _spell(sign: str) -> str:
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(sign)
    # Z: spaces. P: dashes, dots, slashes. C: invisible joiners. Mn: marks over letters.
    if category[0] in "ZC" or category in {"Pd", "Po", "Mn"} or sign == _TATWEEL:
        return ""
    return sign.translate(_SAME)


def _on_plates(sign: str) -> bool:
    return unicodedata.category(sign) in {"Lu", "Lo", "Nd"}
