"""How the plates of a country look, and with which other letters people type them. Pure.

Only what tells a slip from a plate: the usual shapes, as regular expressions over the spelling of
`parking.plates`. A plate that has none of them is real often enough (old, own wishes, diplomats,
dealers); it earns a second look and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Country:
    """A country's name, a plate as an example, and the shapes that are usual there."""

    name: str | Promise
    example: str
    shape: str  # a regular expression for the whole plate

    def fits(self, plate: str) -> bool:
        """Say whether a plate in its one spelling has a usual shape."""
        return re.fullmatch(self.shape, plate) is not None


class IranianLetters:
    """The letter of an Iranian plate: 12ب34567 is two digits, a letter, three digits, a region.

    It can be typed in Latin letters: by its sound, or by its name where two letters sound alike
    (S and T are the more usual ones). The word “Iran” over the region does not count.
    """

    _TYPED_AS: Final = {
        "ا": ("A", "ALEF", "الف"),
        "ب": ("B",),
        "پ": ("P",),
        "ت": ("T",),
        "ث": ("TH",),
        "ج": ("J",),
        "د": ("D",),
        "ز": ("Z",),
        "ژ": ("ZH",),
        "س": ("S", "SIN"),
        "ش": ("SH",),
        "ص": ("SAD",),
        "ط": ("TA",),
        "ع": ("E", "EIN"),
        "ف": ("F",),
        "ق": ("GH", "Q"),
        "ک": ("K",),
        "گ": ("G",),
        "ل": ("L",),
        "م": ("M",),
        "ن": ("N",),
        "و": ("V", "W"),
        "ه": ("H",),
        "ی": ("Y",),
    }
    _LETTER: Final = {typed: letter for letter, ways in _TYPED_AS.items() for typed in ways}
    LETTERS: Final = "".join(_TYPED_AS)
    _SHAPE: Final = re.compile(
        rf"(\d\d)([{LETTERS}]|{'|'.join(_LETTER)})(\d{{3}})(?:ایران|IRAN|IR)?(\d\d)", re.ASCII
    )

    def in_persian(self, plate: str) -> str:
        """Return an Iranian plate with its own letter; any other one as it is."""
        found = self._SHAPE.fullmatch(plate)
        if found is None:
            return plate
        series, letter, number, region = found.groups()
        return f"{series}{self._LETTER.get(letter, letter)}{number}{region}"

    def in_latin(self, plate: str) -> Iterator[str]:
        """Yield the ways in which an Iranian plate is written in Latin letters."""
        found = self._SHAPE.fullmatch(plate)
        if found is not None:
            series, letter, number, region = found.groups()
            for typed in self._TYPED_AS.get(letter, ()):
                if typed.isascii():
                    yield f"{series}{typed}{number}{region}"


class VietnameseLetters:
    """The Đ of a plate, such as MĐ, is typed as D: no plate has both."""

    def spell(self, plate: str) -> str:
        """Return the plate with D for every Đ."""
        return plate.translate({0x0110: "D", 0x00D0: "D"})


IRANIAN: Final = IranianLetters()
VIETNAMESE: Final = VietnameseLetters()

_CYRILLIC: Final = "[ABEKMHOPCTYX]"  # the twelve that look Latin
_BELARUS: Final = "[ABEIKMHOPCTX]"
_UKRAINE: Final = "[ABCEHIKMOPTX]"

COUNTRIES: Final[dict[str, Country]] = {
    "AM": Country(_("Armenia"), "12 AB 345", r"\d{2,3}[A-Z]{2}\d{2,3}"),
    "AZ": Country(_("Azerbaijan"), "10-AB-123", r"\d{2}[A-Z]{2}\d{3}"),
    "BY": Country(
        _("Belarus"), "1234 AB-7", rf"\d{{4}}{_BELARUS}{{2}}[0-8]|{_BELARUS}\d{{4,5}}[0-8]"
    ),
    "DE": Country(_("Germany"), "B-AB 123", r"[A-ZÄÖÜ]{2,5}[1-9]\d{0,3}[EH]?"),
    "DK": Country(_("Denmark"), "AB 12 345", r"[A-Z]{2}\d{4,5}"),
    "EE": Country(_("Estonia"), "123 ABC", r"\d{2,3}[A-Z]{2,3}"),
    "FI": Country(_("Finland"), "ABC-123", r"[A-ZÅÄÖ]{2,3}[1-9]\d{0,2}|CD?\d{1,4}"),
    "FR": Country(_("France"), "AB-123-CD", r"[A-Z]{2}\d{3}[A-Z]{2}"),
    "GB": Country(_("United Kingdom"), "AB12 CDE", r"[A-Z]{2}\d\d[A-Z]{3}|[A-Z]\d{1,3}[A-Z]{3}"),
    "IR": Country(
        _("Iran"),
        "12 ب 345 67",
        rf"\d\d[{IranianLetters.LETTERS}]\d{{5}}|\d{{3}}[DS]\d{{5}}|\d{{7,8}}",
    ),
    "KZ": Country(_("Kazakhstan"), "123 ABC 02", r"\d{3}[A-Z]{2,3}\d\d|\d\d[A-Z]{2}\d\d"),
    "LT": Country(_("Lithuania"), "ABC 123", r"[A-Z]{3}\d{3}|\d{3}[A-Z]{2}"),
    "LV": Country(_("Latvia"), "AB-1234", r"[A-Z]{2}[1-9]\d{0,3}"),
    "NO": Country(_("Norway"), "AB 12345", r"[A-Z]{2}\d{4,5}"),
    "PL": Country(_("Poland"), "WA 12345", r"[A-Z]{2,3}[A-Z0-9]{4,5}"),
    "RU": Country(
        _("Russia"),
        "A 123 BC 77",
        rf"{_CYRILLIC}\d{{3}}{_CYRILLIC}{{2}}\d{{2,3}}|\d{{4}}{_CYRILLIC}{{2}}\d{{2,3}}"
        rf"|{_CYRILLIC}{{2}}\d{{3,4}}\d{{2,3}}",
    ),
    "SE": Country(_("Sweden"), "ABC 12D", r"[A-Z]{3}\d{2}[A-Z0-9]"),
    "TR": Country(_("Türkiye"), "34 ABC 123", r"\d{2}[A-Z]{1,3}\d{2,5}"),
    "UA": Country(_("Ukraine"), "AB 1234 CE", rf"{_UKRAINE}{{2}}\d{{4}}{_UKRAINE}{{2}}"),
    "VN": Country(_("Vietnam"), "29A-123.45", r"\d\d[A-Z]{1,2}\d{4,6}"),
}
