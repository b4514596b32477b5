"""A receipt or credit note as PDF: one sheet of A4, the same bytes whenever it is asked for.

The letters come with the code, so that every machine of the site writes the same sheet; Persian
is joined and runs from right to left.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from parking import formatting
from payments.receipts import Printed

_FONTS = Path(__file__).parent / "fonts"
_MARGIN_MM = 22
_LABEL_MM = 50
_LINE_MM = 7.5
_INK, _SOFT, _RULE = 20, 90, 190  # shades of grey


def render(row: Printed) -> bytes:
    """Return the document in the language that is active."""
    return bytes(_Sheet(row).write().output())


class _Sheet:
    def __init__(self, row: Printed) -> None:
        self._row = row
        self._is_rtl = translation.get_language_bidi()
        pdf = FPDF(format="A4")
        pdf.set_margin(_MARGIN_MM)
        pdf.set_auto_page_break(auto=False)
        pdf.add_font("Letters", "", _FONTS / "DejaVuSans.ttf")
        pdf.add_font("Letters", "B", _FONTS / "DejaVuSans-Bold.ttf")
        pdf.set_creation_date(row.document.entry.posted_at)
        pdf.set_title(f"{row.title} {row.document}")
        pdf.set_lang(translation.get_language() or settings.LANGUAGE_CODE)
        pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if self._is_rtl else "ltr")
        pdf.add_page()
        self._pdf = pdf

    def write(self) -> FPDF:
        """Fill the sheet."""
        row, entry = self._row, self._row.document.entry
        slot = row.slot
        issuer = _("City of %(city_name)s, parking") % {"city_name": settings.CITY_NAME}
        self._line(issuer, size=11)
        self._gap(10)
        self._line(row.title, size=22, is_bold=True)
        self._line(str(row.document), size=13)
        self._gap(8)
        self._fact(_("Date"), formatting.day(entry.business_on))
        if row.document.reverses:
            self._fact(_("Reverses"), str(row.document.reverses))
        self._fact(_("Booking"), entry.booking_reference)
        where = _("Parking on spot %(number)s, %(zone)s")
        self._fact(_("For"), where % {"number": row.spot, "zone": row.zone})
        self._fact("", formatting.period(slot.start, slot.end))
        if row.card:
            self._fact(_("Card"), row.card)
        self._gap(6)
        self._rule()
        self._fact(_("Net"), formatting.money(row.net, row.currency), is_amount=True)
        self._fact(row.tax_label, formatting.money(row.tax, row.currency), is_amount=True)
        self._rule()
        total = formatting.money(row.gross, row.currency)
        self._fact(_("Total"), total, is_amount=True, is_bold=True)
        return self._pdf

    def _line(self, text: str, *, size: float, is_bold: bool = False) -> None:
        self._pdf.set_font("Letters", "B" if is_bold else "", size)
        self._pdf.set_text_color(_INK)
        self._pdf.multi_cell(
            0, size * 0.55, text, align=self._start, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _fact(
        self, label: str, value: str, *, is_amount: bool = False, is_bold: bool = False
    ) -> None:
        """Write a label and its value side by side, in the order in which people read."""
        pdf = self._pdf
        width = pdf.epw - _LABEL_MM
        left, right = pdf.l_margin, pdf.l_margin + _LABEL_MM
        label_x, value_x = (left + width, left) if self._is_rtl else (left, right)
        top = pdf.get_y()
        pdf.set_font("Letters", "B" if is_bold else "", 12 if is_bold else 10.5)
        pdf.set_text_color(_INK if is_bold else _SOFT)
        pdf.set_xy(label_x, top)
        pdf.multi_cell(_LABEL_MM, _LINE_MM, label, align=self._start)
        below = pdf.get_y()
        pdf.set_text_color(_INK)
        pdf.set_xy(value_x, top)
        pdf.multi_cell(
            width,
            _LINE_MM,
            value,
            align=self._end if is_amount else self._start,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        pdf.set_xy(left, max(below, pdf.get_y(), top + _LINE_MM))

    def _rule(self) -> None:
        y = self._pdf.get_y() + 1.5
        self._pdf.set_draw_color(_RULE)
        self._pdf.line(self._pdf.l_margin, y, self._pdf.l_margin + self._pdf.epw, y)
        self._gap(3)

    def _gap(self, millimetres: float) -> None:
        self._pdf.set_y(self._pdf.get_y() + millimetres)

    @property
    def _start(self) -> str:
        return "R" if self._is_rtl else "L"

    @property
    def _end(self) -> str:
        return "L" if self._is_rtl else "R"
