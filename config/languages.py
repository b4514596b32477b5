"""The language stands in the address of a page; programs name theirs in a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers

from parking import languages


class LanguageMiddleware:
    """Speak the language of the address. No cookie keeps it: the address does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose the language, answer, and tell caches what the answer depends on."""
        path = request.path_info
        is_for_programs = path.startswith("/api/")
        language = languages.of_address(path)
        bare = languages.in_language(path, settings.LANGUAGE_CODE)
        if path != bare and language == settings.LANGUAGE_CODE:  # a page has one address
            return HttpResponsePermanentRedirect(request.get_full_path().replace(path, bare, 1))
        if is_for_programs:
            language = languages.accepted(request.headers.get("Accept-Language", "")) or language
        translation.activate(language)  # also of what is streamed after this
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if is_for_programs or response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["Accept-Language"])
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Open the bare address of the site in the language that a person chose."""
        if request.get_full_path() != "/" or request.method not in {"GET", "HEAD"}:
            return None
        chosen = languages.chosen_by(request.user)
        if chosen in {"", settings.LANGUAGE_CODE}:
            return None
        return redirect(languages.in_language("/", chosen))


def offered(request: HttpRequest) -> str:
    """Return the language to offer to whoever comes from elsewhere and may not read this page.

    It is an offer and no redirect: a shared address opens the same page for everybody. Who is
    signed in has chosen already.
    """
    if hasattr(request, "user") and request.user.is_authenticated:
        return ""
    if urlsplit(request.headers.get("Referer", "")).netloc == request.headers.get("Host", ""):
        return ""
    wanted = languages.accepted(request.headers.get("Accept-Language", ""))
    return "" if wanted == translation.get_language() else wanted
