"""Addresses of the ways in and of what an account has."""

from allauth.mfa.webauthn.views import list_webauthn
from allauth.socialaccount.providers.openid_connect import urls as openid_connect
from django.urls import include, path

from config.accounts.codes import ConfirmCode, RequestCode
from config.accounts.views import overview

urlpatterns = [
    path("", overview, name="account_overview"),
    path("login/code/", RequestCode.as_view(), name="account_request_login_code"),
    path("login/code/confirm/", ConfirmCode.as_view(), name="account_confirm_login_code"),
    path("passkeys/", list_webauthn, name="mfa_index"),
    path("passkeys/", include("allauth.mfa.webauthn.urls")),
    path("city/", include("allauth.socialaccount.urls")),
    path("", include(openid_connect)),
    path("", include("allauth.account.urls")),
]
