"""Name in the reader's language what a lamp shows."""

from __future__ import annotations

from django.utils.translation import gettext as _

from parking.models import LightColour, LightPattern


def lamp(light: str, pattern: str) -> str:
    """Name what a lamp shows, such as "green, slow blink"; a dark one has no pattern."""
    colour = dict(LightColour.choices).get(light, light)
    if light in {"", LightColour.OFF}:
        return str(colour)
    return _("%(colour)s, %(pattern)s") % {
        "colour": colour,
        "pattern": dict(LightPattern.choices).get(pattern, pattern),
    }
