"""A name for who is here: `{% visitor_name %}`."""

from typing import Any

from django import template
from django.utils.crypto import salted_hmac

register = template.Library()


@register.simple_tag(takes_context=True)
def visitor_name(context: dict[str, Any]) -> str:
    """Tell two visitors of one browser apart, by account or session, but not who they are."""
    request = context["request"]
    user = request.user
    who = user.pk if user.is_authenticated else request.session.session_key
    return salted_hmac("visitor", str(who)).hexdigest()[:16] if who else ""
