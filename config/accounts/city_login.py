"""The city's own login, by OpenID Connect."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class CityLoginAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An address opens the account that has it only where the login says that it was checked."""

    def authenticate_by_email(self, sociallogin: Any) -> Any:
        """Find the account by the addresses that are verified; the word "false" is no yes."""
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True
        return super().authenticate_by_email(sociallogin)
