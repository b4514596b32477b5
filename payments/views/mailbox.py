"""The mailbox of a demonstration: codes and reminders can be tried without a mail server."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from payments import mailbox
from payments.mailbox import SentLetter

# A letter may look as it likes, and do nothing: no script, no form, nothing fetched.
LETTER_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@require_safe
@never_cache
def letters(request: HttpRequest) -> HttpResponse:
    """List the letters that left last."""
    _only_in_a_demonstration()
    return render(request, "payments/mailbox.html", {"letters": mailbox.latest()})


@require_safe
@never_cache
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """Show one letter, as plain text and as HTML."""
    return render(request, "payments/mailbox_letter.html", {"letter": _found(name)})


@require_safe
@never_cache
@xframe_options_sameorigin
@csp(LETTER_POLICY)  # type: ignore[arg-type]  # it takes any view
def letter_html(request: HttpRequest, name: str) -> HttpResponse:
    """Answer the HTML part of a letter, for the frame of its page."""
    return HttpResponse(_found(name).html)


def _found(name: str) -> SentLetter:
    _only_in_a_demonstration()
    found = mailbox.find(name)
    if found is None:
        raise Http404
    return found


def _only_in_a_demonstration() -> None:
    if not settings.DEMO_MAILBOX:
        raise Http404
