"""Small tables inside the pages of the desk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from parking import formatting
from parking.admin.spots import NONE


def table(*, name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    """Lay rows out under their heads."""
    heads = format_html_join("", '<th scope="col">{}</th>', ((title,) for title in head))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows),
    )
    whole = "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
    return scrolled(format_html(whole, heads, body), name)


def scrolled(content: SafeString, name: str) -> SafeString:
    """Let wide content be scrolled on a small screen, by keyboard too."""
    return format_html(
        '<div class="desk-scroll" tabindex="0" role="region" aria-label="{}">{}</div>',
        name,
        content,
    )


def wrong(text: str) -> SafeString:
    """Mark what somebody should look at."""
    return format_html('<span class="desk-wrong">{}</span>', text)


def to_the_second(moment: datetime | None) -> str:
    """Write a moment out, to the second."""
    if moment is None:
        return NONE
    return f"{formatting.day(moment)}, {timezone.localtime(moment):%H:%M:%S}"
