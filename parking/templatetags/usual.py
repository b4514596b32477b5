"""`{% usual_stays %}`: one tap to where the visitor parked before."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from parking import access, usual

register = template.Library()


@register.inclusion_tag("parking/_usual_stays.html", takes_context=True)
def usual_stays(context: template.Context) -> dict[str, Any]:
    """Offer the spots of the visitor's last bookings that are free now."""
    mine = access.own_bookings(context["request"])
    return {"usual": usual.usual_stays(mine=mine, now=timezone.now())}
