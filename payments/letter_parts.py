"""What a letter is made of, and the two ways it is written: plain, 72 wide, and as HTML.

Both are made from the same parts, so that neither says more than the other.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

WIDTH = 72
_ADDRESS_AT_THE_END = re.compile(r"^(?P<words>.*?)\s*(?P<address>https?://\S+)$", re.DOTALL)
_CODE = re.compile(r"^[0-9A-Z]{2,8}(?:-?[0-9A-Z]{2,8})?$")


@dataclass(frozen=True)
class Says:
    """A paragraph."""

    words: str
    kind = "says"

    def plain(self) -> str:
        """Write it for a terminal."""
        return _wrapped(self.words)


@dataclass(frozen=True)
class Facts:
    """Names with what they stand for, one on each line."""

    rows: Sequence[tuple[str, str]]
    kind = "facts"

    def plain(self) -> str:
        """Write it for a terminal."""
        return "\n".join(_wrapped(f"{name}: {value}", indent="  ") for name, value in self.rows)


@dataclass(frozen=True)
class Leads:
    """An address of the site, and what it is for."""

    words: str
    address: str
    label: str = ""
    kind = "leads"

    def plain(self) -> str:
        """Write it for a terminal; the address stands whole on its line, however long."""
        return f"{_wrapped(self.words)}\n{self.address}".lstrip()


@dataclass(frozen=True)
class Code:
    """A code to be typed."""

    code: str
    kind = "code"

    def plain(self) -> str:
        """Write it for a terminal."""
        return f"    {self.code}"


Part = Says | Facts | Leads | Code


def plain(parts: Sequence[Part]) -> str:
    """Write a letter as plain text."""
    return "\n\n".join([*(part.plain() for part in parts), f"-- \n{_signature()}"]) + "\n"


def html(parts: Sequence[Part], *, subject: str) -> str:
    """Write a letter as HTML, with nothing that a mail program would have to fetch."""
    return render_to_string(
        "mail/letter.html",
        {
            "parts": parts,
            "subject": subject,
            "signature": _signature(),
            "language": translation.get_language(),
            "is_rtl": translation.get_language_bidi(),
        },
    )


def parts_of(text: str) -> list[Part]:
    """Read the parts of a plain text: paragraphs, codes, addresses at the end of one."""
    return [_part(block.strip()) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]


def _part(block: str) -> Part:
    if _CODE.match(block):
        return Code(block)
    found = _ADDRESS_AT_THE_END.match(block)
    return Leads(found["words"], found["address"]) if found else Says(block)


def _wrapped(words: str, *, indent: str = "") -> str:
    return "\n".join(
        textwrap.fill(
            line,
            WIDTH,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in words.splitlines()
    )


def _signature() -> str:
    city = _("Parking in %(city_name)s") % {"city_name": settings.CITY_NAME}
    return f"{city}, {settings.CITY_PHONE}" if settings.CITY_PHONE else city
