"""Addresses of the ways in and of what an account has."""

from allauth.mfa.webauthn.views import list_webauthn
from django.urls import include, path

from config.accounts import city_login
from config.accounts.codes import ConfirmCode, RequestCode
from config.accounts.views import overview

urlpatterns = [
    path("", overview, name="account_overview"),
    path("login/code/", RequestCode.as_view(), name="account_request_login_code"),
    path("login/code/confirm/", ConfirmCode.as_view(), name="account_confirm_login_code"),
    path("passkeys/", list_webauthn, name="mfa_index"),
    path("passkeys/", include("allauth.mfa.webauthn.urls")),
    path("city/", include("allauth.socialaccount.urls")),
    path("oidc/<provider_id>/login/", city_login.leave, name="openid_connect_login"),
    path(
        "oidc/<provider_id>/login/callback/", city_login.come_back, name="openid_connect_callback"
    ),
    path("", include("allauth.account.urls")),
]
