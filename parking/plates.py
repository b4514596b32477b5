"""One spelling for every number plate, whatever keyboard it was typed on. Pure.

A plate is stored in capitals, without separators, with Latin look-alikes and digits. So two German
cars whose plates differ only in the place of the dash (B-AB 123, BA-B 123) share a spelling: most
people leave the dash out, and cameras do not read it. A lookup then shows the stays of both: a
paid minute never looks unpaid.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from parking.plate_countries import COUNTRIES, IRANIAN, VIETNAMESE

LONGEST: Final = 16
SHORTEST: Final = 2

# Letters that plates use because they look like Latin ones: Cyrillic, then Greek.
_LATIN: Final = str.maketrans(
    "АВЕКМНОРСТУХІЈЅ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJS" + "ABEZHIKMNOPTYX"
)
# What other keyboards have for Persian letters; and the capital of the Turkish keyboard.
_SAME: Final = _LATIN | {
    ord(other): letter
    for letter, others in {
        "\N{ARABIC LETTER FARSI YEH}": "\N{ARABIC LETTER YEH}\N{ARABIC LETTER ALEF MAKSURA}",
        "\N{ARABIC LETTER KEHEH}": "\N{ARABIC LETTER KAF}",
        "\N{ARABIC LETTER HEH}": "\N{ARABIC LETTER HEH DOACHASHMEE}\N{ARABIC LETTER HEH GOAL}",
        "\N{ARABIC LETTER ALEF}": "\N{ARABIC LETTER ALEF WITH MADDA ABOVE}",
        "I": "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
    }.items()
    for other in others
}
_TATWEEL: Final = "\N{ARABIC TATWEEL}"
# Signs that people mistake for one another on a plate or a screen.
_LOOKS_LIKE: Final = str.maketrans("OQDIZSGB", "00012568")


class BadPlate(ValueError):
    """The text cannot be a plate. `code` is empty, too_short, too_long or bad_sign."""

    def __init__(self, code: str, sign: str = "") -> None:
        super().__init__(f"{code} {sign!r}" if sign else code)
        self.code = code
        self.sign = sign


def normalise(text: str, *, country: str = "") -> str:
    """Return the one spelling of a plate of this country; without one, what holds everywhere.

    Countries (ISO 3166, such as FI) whose own plates can be typed with other letters than they
    carry: Iran (12 B 345 67 is 12ب34567) and Vietnam (MĐ is MD).

    Raises:
        BadPlate: nothing is left, or it has a sign that no plate has.
    """
    signs = unicodedata.normalize("NFKC", text).upper()
    # Letters may come to stand together that make one.
    plate = unicodedata.normalize("NFC", "".join(_spell(sign) for sign in signs))
    if not plate:
        raise BadPlate("empty")
    if bad := next((sign for sign in plate if not _on_plates(sign)), None):
        raise BadPlate("bad_sign", bad)
    plate = _of_the_country(plate, country)
    if len(plate) < SHORTEST:
        raise BadPlate("too_short")
    if len(plate) > LONGEST:
        raise BadPlate("too_long")
    return plate


def spellings(text: str) -> set[str]:
    """Return all spellings under which a plate can be stored that reads like this.

    Whoever looks for a vehicle does not know for which country its plate was written down.

    Raises:
        BadPlate: as `normalise`.
    """
    found = {normalise(text)} | {normalise(text, country=code) for code in COUNTRIES}
    return found | {latin for plate in found for latin in IRANIAN.in_latin(plate)}


def look_alike(one: str, other: str) -> bool:
    """Say whether two different plates can be mistaken for each other: O and 0, I and 1, B and 8.

    Both are in their one spelling. It is worth a warning, never a refusal: both may exist.
    """
    return one != other and one.translate(_LOOKS_LIKE) == other.translate(_LOOKS_LIKE)


def has_usual_shape(plate: str, *, country: str = "") -> bool:
    """Say whether a plate looks as those of a country do; without one, of any that we know.

    It is worth a warning, never a refusal: there are old plates, own wishes and diplomats. Of a
    country that we do not know, every shape is usual.
    """
    if country:
        return country not in COUNTRIES or COUNTRIES[country].fits(plate)
    return any(one.fits(plate) for one in COUNTRIES.values())


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


def _of_the_country(plate: str, country: str) -> str:
    match country:
        case "IR":
            return IRANIAN.in_persian(plate)
        case "VN":
            return VIETNAMESE.spell(plate)
    return plate
