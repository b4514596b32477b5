"""The project as an application, and the admin site under the project's own name."""

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    """Holds the commands that know both applications."""

    name = "config"
    default = True

    def ready(self) -> None:
        """Put together what the applications leave open."""
        from allauth.mfa.models import Authenticator
        from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
        from django.contrib import admin

        from config.accounts import guests
        from parking.roles import write_groups

        # Keys are their owners' affair, and the city's login comes from the environment.
        admin.site.unregister([Authenticator, SocialAccount, SocialApp, SocialToken])
        guests.listen()

        # After the last application, when the permissions of all of them exist.
        last = apps.get_app_config("payments")
        post_migrate.connect(write_groups, sender=last, dispatch_uid="roles")


class CurblightAdminConfig(admin_apps.AdminConfig):
    """Install `config.admin.CurblightAdminSite` as the admin."""

    default = False
    default_site = "config.admin.CurblightAdminSite"
