"""The project as an application, and the admin site under the project's own name."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConfigConfig(AppConfig):
    """Holds the commands that know both applications."""

    name = "config"
    default = True


class CurblightAdminConfig(admin_apps.AdminConfig):
    """Install `config.admin.CurblightAdminSite` as the admin."""

    default = False
    default_site = "config.admin.CurblightAdminSite"
