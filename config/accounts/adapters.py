"""What allauth leaves to the site."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.accounts.letters import OutboxAdapter


class AccountAdapter(OutboxAdapter):
    """A passkey is a way in, never a second lock: whoever loses it still gets a code by e-mail."""

    def get_login_stages(self) -> list[str]:
        """Return what may be asked on the way in."""
        ours = {"allauth.account.stages.LoginByCodeStage": "config.accounts.codes.CodeStage"}
        stages: list[str] = super().get_login_stages()
        return [ours.get(one, one) for one in stages if not one.startswith("allauth.mfa")]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a letter that says from which city it comes."""
        city = {"city_name": settings.CITY_NAME, "site_url": settings.SITE_URL}
        super().send_mail(template_prefix, email, {**city, **context})

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Name the ways in as the site does everywhere."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        for way in ways:
            if way["id"].endswith("webauthn"):
                way["description"] = _("Use a passkey")
        return ways


class PasskeyAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Passkeys of the city's site, by the names that people know."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "unverified_email": gettext_lazy(
            "Confirm your e-mail address first: sign in once with a code that we send there."
        ),
        "incorrect_code": gettext_lazy("This passkey was not accepted. Please try another way."),
    }

    def is_mfa_enabled(self, user: AbstractBaseUser, types: Any = None) -> bool:
        """Say whether the account has what is asked for; a second lock it never has."""
        return types is not None and super().is_mfa_enabled(user, types)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002
        """Offer a name for one more passkey."""
        known = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(n)s") % {"n": known + 1} if known else _("My passkey")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name the site as the browser shows it."""
        name = f"Curblight {settings.CITY_NAME}"
        return {**super().get_public_key_credential_rp_entity(), "name": name}
