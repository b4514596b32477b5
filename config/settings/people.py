"""Accounts, sign-in, passkeys, the city's own login, and mail."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.installation import env, site
from config.settings.money import STRIPE_API_KEY

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_ADAPTER = "config.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": True}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_FORMS = {"confirm_login_code": "config.accounts.forms.CodeForm"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.bool("BEHIND_PROXY", False))
MFA_ADAPTER = "config.accounts.adapters.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a passkey stands for address and password
# Browsers make passkeys on https only, and on the machine itself.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = site.hostname in {"localhost", "127.0.0.1"}

# The city's own login, by OpenID Connect: all four or none.
OIDC_ISSUER = env.str("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = env.str("OIDC_NAME", "")  # as people know it
_oidc = {
    "OIDC_NAME": OIDC_NAME,
    "OIDC_ISSUER": OIDC_ISSUER,
    "OIDC_CLIENT_ID": env.str("OIDC_CLIENT_ID", ""),
    "OIDC_CLIENT_SECRET": env.str("OIDC_CLIENT_SECRET", ""),
}
if any(_oidc.values()) and not all(_oidc.values()):
    _missing = ", ".join(name for name, value in _oidc.items() if not value)
    raise ImproperlyConfigured(f"The city's own login needs {_missing} as well, or nothing of it")
_issuer = urlsplit(OIDC_ISSUER)
if OIDC_ISSUER and not (
    _issuer.scheme == "https"
    or (_issuer.scheme == "http" and _issuer.hostname in {"localhost", "127.0.0.1"})
):
    raise ImproperlyConfigured(
        f"OIDC_ISSUER must look like https://login.example.org, not {OIDC_ISSUER!r}"
    )
SOCIALACCOUNT_ADAPTER = "config.accounts.city_login.CityLoginAdapter"
# An address that the city's login has checked opens the account that has it.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "city",
                "name": OIDC_NAME,
                "client_id": _oidc["OIDC_CLIENT_ID"],
                "secret": _oidc["OIDC_CLIENT_SECRET"],
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = site.scheme
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "parking:my-bookings"
LOGOUT_REDIRECT_URL = "parking:find"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "console://")
vars().update(EMAIL_CONFIG)
# Everybody reads every letter at /demo/mail/: for a site where nothing is real.
DEMO_MAILBOX = env.bool("DEMO_MAILBOX", False)
if DEMO_MAILBOX and not STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")):
    raise ImproperlyConfigured("DEMO_MAILBOX shows every letter to everybody: test keys only")
if (
    DEMO_MAILBOX
    and EMAIL_CONFIG["EMAIL_BACKEND"] != "django.core.mail.backends.filebased.EmailBackend"
):
    raise ImproperlyConfigured("DEMO_MAILBOX reads letters from files: EMAIL_URL must be file:///…")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"Curblight <parking@{site.hostname}>")
