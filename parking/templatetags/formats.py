"""`parking.formatting` for templates: `{{ slot.amount|money:slot.currency }}`."""

from django import template

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
register.simple_tag(formatting.spot_at, name="spot_at")
register.simple_tag(formatting.comma, name="comma")
