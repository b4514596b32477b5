"""Signs from the one sprite: `{% icon "pin" %}`, with a label where no text stands beside it."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", turns: bool = False) -> SafeString:
    """Draw a sign; it is decoration unless it has a label. `turns`: mirrored right to left."""
    spoken = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else format_html('aria-hidden="true"{}', "")
    )
    return format_html(
        '<svg class="icon{}" {} focusable="false"><use href="{}#{}"></use></svg>',
        " icon--turns" if turns else "",
        spoken,
        static("img/icons.svg"),
        name,
    )
