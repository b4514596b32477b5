"""How a booking stands, in words: for its page, and for the page's poller.

The page marks the place of each text with `data-status-field`, of each lamp with
`data-status-lamp`, and itself with `data-status-state`: another `state` is worth a new page.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking import formatting, lamp_words
from parking.booking import HOLD_FOR
from parking.models import Light
from payments.booking_page import Stage, Standing
from payments.models import DEAD_REFUND_STATES, Refund, RefundState


class Lamp(TypedDict):
    """A lamp for `data-light` and `data-pattern`."""

    light: str
    pattern: str


class Status(TypedDict):
    """What the poller gets; without `is_moving` it may stop asking."""

    state: str
    is_moving: bool
    fields: dict[str, str]
    lamps: dict[str, Lamp]


def of(standing: Standing, *, now: datetime) -> Status:
    """Say how a booking stands, in the reader's language."""
    light = standing.light
    fields = {"stage": str(standing.stage.label), "refund": _refund_words(standing)}
    lamps: dict[str, Lamp] = {}
    if light is not None and standing.stage == Stage.CONFIRMED:
        fields |= {
            "light_desired": lamp_words.lamp(light.desired_light, light.desired_pattern),
            "light_reported": lamp_words.lamp(light.reported_light, light.reported_pattern)
            or _("nothing yet"),
            "light_age": _age_words(light, now),
            "light_note": _light_note(light),
        }
        lamps = {
            "desired": Lamp(light=light.desired_light, pattern=light.desired_pattern),
            "reported": Lamp(light=light.reported_light, pattern=light.reported_pattern),
        }
    return Status(state=_state(standing), is_moving=standing.is_moving, fields=fields, lamps=lamps)


def _state(standing: Standing) -> str:
    """Name everything that makes the page another one."""
    state = standing.stage.value
    if (slots := len(standing.parts) + len(standing.replaced)) > 1:
        state += f" {slots}"
    if standing.late_light:
        state += " unlit"
    if (held := standing.held) and held.slot.held_until - held.slot.created_at > HOLD_FOR:
        state += " prolonged"
    return f"{state} {standing.waiting.stage.value}" if standing.waiting else state


def _age_words(light: Light, now: datetime) -> str:
    if light.reported_at is None:
        return ""
    seconds = max(0, int((now - light.reported_at).total_seconds()))
    if seconds < 60:
        return ngettext("%(n)s second ago", "%(n)s seconds ago", seconds) % {
            "n": formatting.number(seconds)
        }
    return _("%(length)s ago") % {"length": formatting.duration(seconds // 60)}


def _light_note(light: Light) -> str:
    if light.converged:
        return _("The light shows what it should.")
    return _("The light will follow. Your booking is valid whatever it shows.")


def _refund_words(standing: Standing) -> str:
    return " ".join(_one_refund(refund) for refund in standing.refunds)


def _one_refund(refund: Refund) -> str:
    amount = formatting.money(refund.amount, refund.payment.currency)
    if refund.state in DEAD_REFUND_STATES:
        text = _("%(amount)s could not be returned to your card; the city will see to it.")
    elif refund.state in {RefundState.SUCCEEDED, RefundState.EXTERNAL}:
        text = _("%(amount)s is returned to your card; your bank may take some days to show it.")
    else:
        text = _("%(amount)s is on its way back to your card.")
    return text % {"amount": amount}
