"""`parking.formatting` for templates: `{{ slot.amount|money:slot.currency }}`."""

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from parking import formatting

register = template.Library()
for _name in (
    "number",
    "money",
    "clock",
    "day",
    "moment",
    "month",
    "duration",
    "percent",
    "listed",
    "plate_signs",
):
    register.filter(_name, getattr(formatting, _name))
register.simple_tag(formatting.period, name="period")
register.simple_tag(formatting.comma, name="comma")


@register.filter
def whole(number_of_spot: str) -> SafeString:
    """Keep a spot's number on one line, and in its own direction."""
    return format_html('<bdi class="whole">{}</bdi>', number_of_spot)


@register.simple_tag
def spot_at(number_of_spot: str, street: str) -> SafeString:
    """Name a spot with its street on a page; `striptags` makes a title of it."""
    name = formatting.spot_at(whole(number_of_spot), conditional_escape(street))
    return mark_safe(name)  # noqa: S308 (both parts are escaped)
