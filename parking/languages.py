"""Which language a visitor reads: by the address of the page, by the browser, by the account."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)

from parking.models import Booking, Preferences

_PREFIX: Final = re.compile(r"^/([a-z]{2,3})(?=/|$)")


def of_address(path: str) -> str:
    """Return the language that an address names, the city's where it names none."""
    return _named(path) or settings.LANGUAGE_CODE


def in_language(path: str, language: str) -> str:
    """Return the same address in another language; the city's own has no prefix."""
    bare = path[len(_named(path)) + 1 :] if _named(path) else path
    bare = "/" + bare.lstrip("/")  # two slashes would name another site
    return bare if language == settings.LANGUAGE_CODE else f"/{language}{bare}"


def accepted(header: str) -> str:
    """Return the language of ours that an Accept-Language header wants most, or nothing."""
    for wanted, _weight in parse_accept_lang_header(header):
        try:
            return get_supported_language_variant(wanted)
        except LookupError:
            continue
    return ""


def remember(user: User, language: str) -> None:
    """Keep a person's choice with the account."""
    Preferences.objects.update_or_create(user=user, defaults={"language": language})


def chosen_by(user: User | AnonymousUser | None) -> str:
    """Return the language that a person chose, or nothing."""
    if user is None or not user.is_authenticated:
        return ""
    found = Preferences.objects.filter(user_id=user.pk).values_list("language", flat=True).first()
    return found if found in dict(settings.LANGUAGES) else ""


def of_letters(about: Booking) -> str:
    """Return the language of letters about a booking: the account's, or that it was made in."""
    return chosen_by(about.user) or about.language


def _named(path: str) -> str:
    found = _PREFIX.match(path)
    return found[1] if found and found[1] in dict(settings.LANGUAGES) else ""
